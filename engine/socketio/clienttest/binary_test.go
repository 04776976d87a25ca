package clienttest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

func TestBinaryTravelsAsJSON(t *testing.T) {
	for _, b := range []clienttest.Binary{nil, binary(), binary(0), everyByte()} {
		raw, err := json.Marshal(object{"deep": array{b}})
		if err != nil {
			t.Fatal(err)
		}
		var back struct{ Deep []clienttest.Binary }
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if !bytes.Equal(back.Deep[0], b) {
			t.Errorf("%s: got % x, want % x", raw, back.Deep[0], b)
		}
	}
}

func TestWhatIsNotBinaryIsNotReadAsBinary(t *testing.T) {
	for _, raw := range []string{`"AAA="`, `{"bin":"AAA="}`, `{"$bin":5}`, `{"$bin":"%"}`, `[1]`} {
		var b clienttest.Binary
		if err := json.Unmarshal([]byte(raw), &b); err == nil {
			t.Errorf("%s was read as % x", raw, b)
		}
	}
}
