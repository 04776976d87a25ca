package clienttest

import (
	"encoding/json"
	"fmt"
	"testing"
)

// Binary is a binary value as the clients send and receive it: a Buffer there, an attachment on the wire. It may stand
// at any depth of an argument.
type Binary []byte

// wrapped is how a Binary travels between Go and Node, where only JSON can.
type wrapped struct {
	Bytes []byte `json:"$bin"` // base64 by encoding/json
}

// MarshalJSON wraps the bytes for the Node side.
func (b Binary) MarshalJSON() ([]byte, error) {
	return json.Marshal(wrapped{Bytes: append([]byte{}, b...)})
}

// UnmarshalJSON unwraps what the Node side received.
func (b *Binary) UnmarshalJSON(raw []byte) error {
	var w wrapped
	if err := json.Unmarshal(raw, &w); err != nil {
		return err
	}
	if w.Bytes == nil {
		return fmt.Errorf("clienttest: not binary: %.100s", raw)
	}
	*b = w.Bytes
	return nil
}

// Value decodes one received argument and fails the test when it is not a T.
func Value[T any](t testing.TB, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%.200s is not a %T: %v", raw, v, err)
	}
	return v
}
