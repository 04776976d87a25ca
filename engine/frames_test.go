package engine_test

import (
	"io"

	gobwas "github.com/gobwas/ws"
)

// frame is one WebSocket frame as a client reads it.
type frame struct {
	op      gobwas.OpCode
	payload []byte
}

// String is the payload; binary and control frames begin with what they are.
func (f frame) String() string {
	switch f.op {
	case gobwas.OpBinary:
		return "binary:" + string(f.payload)
	case gobwas.OpPing:
		return "ping:" + string(f.payload)
	case gobwas.OpPong:
		return "pong:" + string(f.payload)
	case gobwas.OpClose:
		return "close:" + string(f.payload)
	}
	return string(f.payload)
}

func readFrame(r io.Reader) (f frame, err error) {
	h, err := gobwas.ReadHeader(r)
	if err != nil {
		return f, err
	}
	f = frame{op: h.OpCode, payload: make([]byte, h.Length)}
	_, err = io.ReadFull(r, f.payload)
	return f, err
}

// frameOfAnyKind reads one frame of any kind.
func (c *wsConn) frameOfAnyKind() frame {
	c.t.Helper()
	f, err := readFrame(c.br)
	if err != nil {
		c.t.Fatalf("reading a frame: %v", err)
	}
	return f
}
