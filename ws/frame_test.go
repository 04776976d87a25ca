package ws_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"

	"github.com/fanfare-go/fanfare/ws"
)

var edgeSizes = []int{0, 1, 125, 126, 127, 65535, 65536, 70000}

func TestAppendFrameIsWhatGobwasWrites(t *testing.T) {
	for _, n := range edgeSizes {
		for _, op := range []ws.OpCode{ws.OpText, ws.OpBinary, ws.OpPing, ws.OpPong} {
			p := bytes.Repeat([]byte{'x'}, n)
			want := gobwas.MustCompileFrame(gobwas.NewFrame(op, true, p))
			if got := ws.AppendFrame([]byte("pre"), op, p); !bytes.Equal(got, append([]byte("pre"), want...)) {
				t.Errorf("opcode %d, %d bytes: differs", op, n)
			}
		}
	}
}

func TestHeaderSizeIsWhatPutHeaderWrites(t *testing.T) {
	for _, n := range edgeSizes {
		var buf [ws.MaxHeaderSize]byte
		size := ws.PutHeader(buf[:], ws.OpText, n)
		if size != ws.HeaderSize(n) {
			t.Errorf("%d bytes: HeaderSize %d, PutHeader %d", n, ws.HeaderSize(n), size)
		}
		if got := ws.AppendHeader(nil, ws.OpText, n); !bytes.Equal(got, buf[:size]) {
			t.Errorf("%d bytes: AppendHeader % x, PutHeader % x", n, got, buf[:size])
		}
	}
}

func TestAppendClose(t *testing.T) {
	tests := []struct {
		name   string
		code   ws.StatusCode
		reason string
		want   string
	}{
		{"no code", 0, "not sent", "\x88\x00"},
		{"code", ws.StatusMessageTooBig, "", "\x88\x02\x03\xf1"},
		{"reason", ws.StatusProtocolError, "no", "\x88\x04\x03\xeano"},
		{"reason of 123 bytes", 1000, strings.Repeat("r", 123), "\x88\x7d\x03\xe8" + strings.Repeat("r", 123)},
		{"reason too long", 1000, strings.Repeat("r", 124), "\x88\x7d\x03\xe8" + strings.Repeat("r", 123)},
		{"reason cut between runes", 1000, strings.Repeat("r", 122) + "€", "\x88\x7c\x03\xe8" + strings.Repeat("r", 122)},
		{"reason that has no runes", 1000, strings.Repeat("\x80", 200), "\x88\x02\x03\xe8"},
	}
	for _, tt := range tests {
		if got := ws.AppendClose(nil, tt.code, tt.reason); string(got) != tt.want {
			t.Errorf("%s: % x, want % x", tt.name, got, tt.want)
		}
	}
	if got := ws.AppendClose(nil, 0, ""); !bytes.Equal(got, ws.CloseFrame) {
		t.Errorf("CloseFrame is % x", ws.CloseFrame)
	}
}

func TestNextFrameSplits(t *testing.T) {
	var b []byte
	for _, n := range edgeSizes {
		b = ws.AppendFrame(b, ws.OpBinary, bytes.Repeat([]byte{byte(n)}, n))
	}
	b = append(b, ws.CloseFrame...)
	for _, n := range edgeSizes {
		op, p, rest, ok := ws.NextFrame(b)
		if !ok || op != ws.OpBinary || !bytes.Equal(p, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("%d bytes: opcode %d, %d bytes, %v", n, op, len(p), ok)
		}
		b = rest
	}
	if op, p, rest, ok := ws.NextFrame(b); !ok || op != ws.OpClose || len(p)+len(rest) != 0 {
		t.Errorf("close: opcode %d, %v", op, ok)
	}
}

func TestNextFrameRefuses(t *testing.T) {
	tests := map[string]string{
		"nothing":          "",
		"half a header":    "\x81",
		"half a length":    "\x81\x7e\x00",
		"half a long one":  "\x81\x7f\x00\x00\x00\x00\x00\x01\x00",
		"half a payload":   "\x81\x02a",
		"masked":           "\x81\x81abcdx",
		"fragment":         "\x01\x01a",
		"reserved bit":     "\xc1\x01a",
		"overflowing size": "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
	}
	for name, in := range tests {
		if op, p, rest, ok := ws.NextFrame([]byte(in)); ok || op != 0 || p != nil || string(rest) != in {
			t.Errorf("%s: accepted as opcode %d, %q", name, op, p)
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	dst, p := make([]byte, 0, 4096), make([]byte, 1000)
	n := testing.AllocsPerRun(100, func() {
		dst = ws.AppendFrame(dst[:0], ws.OpText, p)
		dst = ws.AppendHeader(dst, ws.OpText, 3)
		dst = ws.AppendClose(dst, 1002, "reason")
		ws.NextFrame(dst)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzServerFrame(f *testing.F) {
	f.Add([]byte("hello"), uint8(1), uint16(1), []byte{})
	f.Add([]byte{}, uint8(8), uint16(300), []byte("\x81\x7e\x00"))
	f.Add([]byte("x"), uint8(2), uint16(9000), []byte("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, p []byte, opcode uint8, repeat uint16, tail []byte) {
		op := ws.OpCode(opcode & 0xf)
		p = bytes.Repeat(p, int(repeat)%(1+100_000/(1+len(p))))
		b := append(ws.AppendFrame(nil, op, p), tail...)
		gotOp, got, rest, ok := ws.NextFrame(b)
		if !ok || gotOp != op || !bytes.Equal(got, p) || !bytes.Equal(rest, tail) {
			t.Fatalf("round trip of %d bytes: %d bytes, %v", len(p), len(got), ok)
		}
		if _, _, _, ok := ws.NextFrame(b[:ws.HeaderSize(len(p))+len(p)-1]); ok {
			t.Fatal("accepted a frame that lacks a byte")
		}
		for rest := tail; ; { // any bytes: ends, and never reads past them
			var ok bool
			if _, _, rest, ok = ws.NextFrame(rest); !ok {
				break
			}
		}
		c := ws.AppendClose(nil, ws.StatusCode(1000+int(opcode)), string(p))
		if _, body, _, ok := ws.NextFrame(c); !ok || len(body) > ws.MaxControlPayload || utf8.Valid(p) && !utf8.Valid(body[2:]) {
			t.Fatalf("close frame % x", c)
		}
	})
}
