package engine_test

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"

	gobwas "github.com/gobwas/ws"
)

// frame is one WebSocket frame as a client reads it.
type frame struct {
	op      gobwas.OpCode
	payload []byte
	packed  bool // it came compressed
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
	if _, err = io.ReadFull(r, f.payload); err == nil && h.Rsv1() {
		f.packed = true
		f.payload, err = unpack(f.payload)
	}
	return f, err
}

// unpack decompresses a message as RFC 7692 section 7.2.2 says.
func unpack(p []byte) ([]byte, error) {
	return io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
}

// pack compresses a message, as section 7.2.1 says.
func pack(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	_, _ = io.WriteString(w, s)
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
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
