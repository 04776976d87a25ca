package ws_test

import (
	"fmt"

	"github.com/fanfare-go/fanfare/ws"
)

// echo answers every message with itself.
type echo struct{ out []byte }

func (e *echo) Message(op ws.OpCode, p []byte) error {
	e.out = ws.AppendFrame(e.out, op, p)
	return nil
}
func (e *echo) Ping(p []byte) error { e.out = ws.AppendFrame(e.out, ws.OpPong, p); return nil }
func (e *echo) Pong([]byte) error   { return nil }
func (e *echo) Closed(ws.StatusCode, []byte) error {
	e.out = append(e.out, ws.CloseFrame...)
	return nil
}

func ExampleReader() {
	// The frame of RFC 6455 section 5.7, "Hello", in two reads.
	reads := [][]byte{
		{0x81, 0x85, 0x37, 0xfa, 0x21},
		{0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58},
	}
	var reader ws.Reader
	defer reader.Reset()
	var sink echo
	limits := ws.Limits{Message: 1 << 20}
	for _, b := range reads {
		if err := reader.Feed(b, &limits, &sink); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("% x\n", sink.out)
	// Output: 81 05 48 65 6c 6c 6f
}

func ExampleHandshake() {
	h := ws.Handshake{
		Upgrade:    []byte("websocket"),
		Connection: []byte("Upgrade"),
		Version:    []byte("13"),
		Key:        []byte("dGhlIHNhbXBsZSBub25jZQ=="),
	}
	if refusal := h.Check(); refusal != nil {
		fmt.Println(refusal.Status, refusal.Message)
		return
	}
	fmt.Printf("%.34s\n", h.AppendAccept(nil, nil))
	// Output: HTTP/1.1 101 Switching Protocols
}
