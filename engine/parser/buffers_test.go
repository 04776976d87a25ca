package parser_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

func TestBuffers(t *testing.T) {
	two := [][]byte{{1, 2, 255}, {}}
	for data, want := range map[string]string{
		`["a",1]`: `["a",1]`,
		`["a",{"_placeholder":true,"num":1},{"x":{"num":0,"_placeholder":true}}]`: `["a",{"type":"Buffer","data":[]},{"x":{"type":"Buffer","data":[1,2,255]}}]`,
	} {
		if got, err := parser.AppendBuffers([]byte("-"), []byte(data), two); err != nil || string(got) != "-"+want {
			t.Errorf("%s: %s, %v", data, got, err)
		}
	}
	if got, err := parser.AppendBuffers([]byte("-"), []byte(`{"_placeholder":true,"num":2}`), two); err == nil || string(got) != "-" {
		t.Errorf("%s, though there is no such attachment", got)
	}
}
