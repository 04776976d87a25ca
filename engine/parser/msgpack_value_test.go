package parser_test

import (
	"bytes"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// A broadcast of Node's classic Redis adapter, byte for byte.
func TestMsgpackValueOfTheRedisAdapter(t *testing.T) {
	wire := unhex(t, "93a64c627270744583a47479706502a46461746192a362696ec404010203ffa36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677380")
	want := `["LbrptE",{"type":2,"data":["bin",{"_placeholder":true,"num":0}],"nsp":"/"},{"rooms":[],"except":[],"flags":{}}]`
	value, attachments, err := parser.DecodeMsgpack(wire, nil)
	if err != nil || string(value) != want || len(attachments) != 1 || !bytes.Equal(attachments[0], []byte{1, 2, 3, 255}) {
		t.Fatalf("%s, %x, %v", value, attachments, err)
	}
	back, err := parser.AppendMsgpack(nil, value, attachments)
	if err != nil || !bytes.Equal(back, wire) {
		t.Errorf("%x, %v", back, err)
	}
}

func TestMsgpackValueRefuses(t *testing.T) {
	for name, wire := range map[string]string{
		"nothing":         "",
		"two values":      "0101",
		"a length alone":  "ddffffffff",
		"bytes alone":     "c6ffffffff",
		"false reference": "92c4010182ac5f706c616365686f6c646572c3a36e756d01",
	} {
		if value, _, err := parser.DecodeMsgpack(unhex(t, wire), nil); err == nil {
			t.Errorf("%s: %s", name, value)
		}
	}
	if b, err := parser.AppendMsgpack([]byte("x"), []byte(`{"a":}`), nil); err == nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}
