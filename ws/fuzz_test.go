package ws_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"

	"github.com/fanfare-go/fanfare/ws"
)

var errTruncated = errors.New("truncated")

// reference reads a whole stream the plain way, on gobwas's reader and header
// rules. It returns errTruncated if the stream ends inside a frame.
func reference(stream []byte, lim ws.Limits) (events []string, err error) {
	in := bytes.NewReader(stream)
	var l log
	var message []byte
	var op ws.OpCode
	frames := 0
	state := gobwas.StateServerSide
	for in.Len() > 0 {
		before := in.Len()
		h, err := gobwas.ReadHeader(in)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return l.events, errTruncated
		}
		if err == nil {
			err = gobwas.CheckHeader(h, state)
		}
		if err == nil && before-in.Len() != gobwas.HeaderSize(h) {
			err = errors.New("length not minimal")
		}
		if err != nil {
			return l.events, err
		}
		control := h.OpCode.IsControl()
		if !control && h.Length > lim.Message-int64(len(message)) {
			return l.events, errors.New("too big")
		}
		if h.OpCode == ws.OpContinuation && frames == lim.Fragments {
			return l.events, errors.New("too many")
		}
		if h.Length > int64(in.Len()) {
			return l.events, errTruncated
		}
		p := make([]byte, h.Length)
		_, _ = io.ReadFull(in, p)
		gobwas.Cipher(p, h.Mask, 0)

		switch h.OpCode {
		case ws.OpPing:
			_ = l.Ping(p)
		case ws.OpPong:
			_ = l.Pong(p)
		case ws.OpClose:
			if len(p) == 0 {
				_ = l.Closed(1005, nil)
				return l.events, nil
			}
			code, reason := gobwas.ParseCloseFrameData(p)
			known := code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006
			if len(p) == 1 || !known && (code < 3000 || code > 4999) || !utf8.ValidString(reason) {
				return l.events, errors.New("bad close")
			}
			_ = l.Closed(code, []byte(reason))
			return l.events, nil
		}
		if control {
			continue
		}
		if h.OpCode != ws.OpContinuation {
			op = h.OpCode
		}
		frames++
		state = state.Set(gobwas.StateFragmented)
		message = append(message, p...)
		if op == ws.OpText && !couldBecomeText(message, h.Fin) {
			return l.events, errors.New("bad text")
		}
		if h.Fin {
			_ = l.Message(op, message)
			message, frames, state = nil, 0, gobwas.StateServerSide
		}
	}
	return l.events, nil
}

// couldBecomeText reports whether p is text, or if it is not final, whether
// some bytes after it would make it that.
func couldBecomeText(p []byte, final bool) bool {
	if utf8.Valid(p) || final {
		return utf8.Valid(p)
	}
	for _, more := range []string{"\x80", "\x80\x80", "\x80\x80\x80", "\xa0", "\xa0\x80", "\x90\x80\x80"} {
		if utf8.Valid(append(bytes.Clone(p), more...)) {
			return true
		}
	}
	return false
}

func FuzzReader(f *testing.F) {
	add := func(parts ...[]byte) { f.Add(join(parts...), uint16(100), uint8(4), uint64(1)) }
	add(frame(ws.OpText, "Hello"))
	add(opener(ws.OpText, "\xe2\x82"), frame(ws.OpPing, "p"), frame(ws.OpContinuation, "\xac"), frame(ws.OpClose, "\x03\xe8bye"))
	add(frame(ws.OpBinary, string(make([]byte, 100))), frame(ws.OpBinary, string(make([]byte, 101))))
	add(header(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	add(frame(ws.OpText, "\xed\xa0\x80"))
	add(frame(ws.OpPong, ""), opener(ws.OpBinary, ""), opener(ws.OpContinuation, "a"), frame(ws.OpText, "b"))
	f.Fuzz(func(t *testing.T, stream []byte, message uint16, fragments uint8, seed uint64) {
		lim := ws.Limits{Message: 1 + int64(message), Fragments: 1 + int(fragments)}
		got := feed(t, stream, &lim, whole)
		for how, next := range map[string]func(int) int{"byte by byte": oneByte, "random": randomly(seed)} {
			split := feed(t, stream, &lim, next)
			if !slices.Equal(split.events, got.events) || !errors.Is(split.err, got.err) {
				t.Fatalf("%s: %q, %v; whole: %q, %v", how, split.events, split.err, got.events, got.err)
			}
		}
		events, err := reference(stream, lim)
		if !slices.Equal(events, got.events) {
			t.Fatalf("got %q, %v; reference %q, %v", got.events, got.err, events, err)
		}
		// In a frame that is cut off the reference sees no fault.
		if !errors.Is(err, errTruncated) && (err == nil) != (got.err == nil) {
			t.Fatalf("got %v, reference %v", got.err, err)
		}
	})
}

// FuzzReaderMessages makes valid streams of its input, which FuzzReader's
// random bytes seldom are: data becomes messages, cut the way plan says into
// fragments with control frames between them.
func FuzzReaderMessages(f *testing.F) {
	f.Add([]byte("Hello, wörld €"), []byte{1, 2, 0x83, 4}, uint64(1))
	f.Add(bytes.Repeat([]byte("0123456789"), 100), []byte{0xff, 0x7f, 0x40}, uint64(2))
	f.Fuzz(func(t *testing.T, data, plan []byte, seed uint64) {
		lim := ws.Limits{Message: 1 << 30, Fragments: 1 << 20}
		stream, want := messages(data, plan, byte(seed))
		for how, next := range map[string]func(int) int{"whole": whole, "byte by byte": oneByte, "random": randomly(seed)} {
			got := feed(t, stream, &lim, next)
			if got.err != nil || !slices.Equal(got.events, want) {
				t.Fatalf("%s: %q, %v; want %q", how, got.events, got.err, want)
			}
		}
	})
}

// messages consumes data by plan: the low bits of each entry are the length of
// a fragment, 0x80 ends the message, 0x40 puts a ping after the fragment.
func messages(data, plan []byte, key byte) (stream []byte, events []string) {
	var l log
	op, held := ws.OpBinary, []byte(nil)
	for i, step := range plan {
		n := min(int(step&0x3f)*(1+i%40), len(data))
		fin := step&0x80 != 0 || i == len(plan)-1
		stream = append(stream, clientFrame(op, fin, [4]byte{key, step, byte(i), 7}, data[:n])...)
		held, data, op = append(held, data[:n]...), data[n:], ws.OpContinuation
		if fin {
			_ = l.Message(ws.OpBinary, held)
			op, held = ws.OpBinary, nil
		}
		if step&0x40 != 0 {
			ping := fmt.Sprint(i)
			stream = append(stream, frame(ws.OpPing, ping)...)
			_ = l.Ping([]byte(ping))
		}
	}
	return stream, l.events
}
