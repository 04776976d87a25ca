package clienttest

import "testing"

// Encoded is one packet as the npm parsers write it.
type Encoded struct {
	Text        string   // by socket.io-parser
	Attachments [][]byte // behind Text
	Message     []byte   // by socket.io-msgpack-parser
	Error       string   // why the latter cannot read a message
}

// EncodePackets has Node encode packets, which are JSON objects of type, data, nsp and id. In the data {"$bin":base64} is a
// Buffer, {"$date":milliseconds} a Date, and {"$undefined":true} undefined.
func (d *Driver) EncodePackets(t testing.TB, packets []any) (encoded []Encoded) {
	t.Helper()
	d.ask(t, &encoded, "encodePackets", map[string]any{"packets": packets})
	return encoded
}

// DecodeMsgpack has Node decode messages of msgpack, and encode their packets as text.
func (d *Driver) DecodeMsgpack(t testing.TB, messages [][]byte) (decoded []Encoded) {
	t.Helper()
	d.ask(t, &decoded, "decodeMsgpack", map[string]any{"messages": messages})
	return decoded
}
