package ws_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/ws"
)

func TestReaderDelivers(t *testing.T) {
	tests := []struct {
		name  string
		input []byte
		want  []string
	}{
		{"text", frame(ws.OpText, "Hello"), []string{`message 1 "Hello"`}},
		{"binary that is not UTF-8", frame(ws.OpBinary, "\xff\x00"), []string{`message 2 "\xff\x00"`}},
		{"empty text", frame(ws.OpText, ""), []string{`message 1 ""`}},
		{"125 bytes", frame(ws.OpText, strings.Repeat("x", 125)), []string{`message 1 "` + strings.Repeat("x", 125) + `"`}},
		{"126 bytes", frame(ws.OpText, strings.Repeat("x", 126)), []string{`message 1 "` + strings.Repeat("x", 126) + `"`}},
		{"two messages in one read", join(frame(ws.OpText, "a"), frame(ws.OpText, "b")), []string{`message 1 "a"`, `message 1 "b"`}},
		{"fragments", join(opener(ws.OpText, "Hel"), frame(ws.OpContinuation, "lo")), []string{`message 1 "Hello"`}},
		{"empty fragments", join(opener(ws.OpBinary, ""), opener(ws.OpContinuation, ""), frame(ws.OpContinuation, "")), []string{`message 2 ""`}},
		{"payload in the last fragment only", join(opener(ws.OpText, ""), frame(ws.OpContinuation, "é")), []string{`message 1 "é"`}},
		{"payload in the first fragment only", join(opener(ws.OpText, "é"), frame(ws.OpContinuation, "")), []string{`message 1 "é"`}},
		{"a rune over three fragments", join(opener(ws.OpText, "\xe2"), opener(ws.OpContinuation, "\x82"), frame(ws.OpContinuation, "\xac!")), []string{`message 1 "€!"`}},
		{"control frames between fragments", join(opener(ws.OpText, "a"), frame(ws.OpPing, "p"), opener(ws.OpContinuation, "b"), frame(ws.OpPong, ""), frame(ws.OpContinuation, "c"), frame(ws.OpText, "d")), []string{`ping "p"`, `pong ""`, `message 1 "abc"`, `message 1 "d"`}},
		{"control frame of 125 bytes", frame(ws.OpPing, strings.Repeat("p", 125)), []string{`ping "` + strings.Repeat("p", 125) + `"`}},
		{"close without a code", frame(ws.OpClose, ""), []string{`closed 1005 ""`}},
		{"close with a reason", frame(ws.OpClose, "\x03\xe8bye"), []string{`closed 1000 "bye"`}},
		{"nothing after a close frame", join(frame(ws.OpClose, ""), frame(ws.OpText, "late"), []byte{0xff, 0xff}), []string{`closed 1005 ""`}},
		{"close in the middle of a message", join(opener(ws.OpText, "a"), frame(ws.OpClose, "\x03\xe9"), frame(ws.OpContinuation, "b")), []string{`closed 1001 ""`}},
		{"incomplete frame", frame(ws.OpText, "Hello")[:9], nil},
		{"other masking key", clientFrame(ws.OpText, true, [4]byte{0, 0xff, 1, 0x80}, []byte("Grüße")), []string{`message 1 "Grüße"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := feedEverySplit(t, tt.input, &ws.Limits{})
			if got.err != nil || !slices.Equal(got.events, tt.want) {
				t.Errorf("got %q, %v; want %q", got.events, got.err, tt.want)
			}
		})
	}
}

// header returns the beginning of a client's frame with a length written out
// by hand.
func header(first, second byte, length ...byte) []byte {
	return append([]byte{first, second}, length...)
}

func TestReaderRefuses(t *testing.T) {
	small := ws.Limits{Message: 10, Fragments: 3}
	tests := []struct {
		name  string
		input []byte
		want  *ws.CloseError
		code  ws.StatusCode
	}{
		{"RSV1", header(0xc1, 0x80), ws.ErrReservedBits, 1002},
		{"RSV2", header(0xa1, 0x80), ws.ErrReservedBits, 1002},
		{"RSV3", header(0x91, 0x80), ws.ErrReservedBits, 1002},
		{"RSV on a control frame", header(0xc9, 0x80), ws.ErrReservedBits, 1002},
		{"opcode 3", header(0x83, 0x80), ws.ErrReservedOpCode, 1002},
		{"opcode 7", header(0x87, 0x80), ws.ErrReservedOpCode, 1002},
		{"opcode 11", header(0x8b, 0x80), ws.ErrReservedOpCode, 1002},
		{"opcode 15", header(0x8f, 0x80), ws.ErrReservedOpCode, 1002},
		{"unmasked text", header(0x81, 0x01, 'a'), ws.ErrUnmasked, 1002},
		{"unmasked ping", header(0x89, 0x00), ws.ErrUnmasked, 1002},
		{"fragmented ping", opener(ws.OpPing, ""), ws.ErrFragmentedControl, 1002},
		{"fragmented close", opener(ws.OpClose, ""), ws.ErrFragmentedControl, 1002},
		{"ping of 126 bytes", frame(ws.OpPing, strings.Repeat("p", 126)), ws.ErrControlTooLong, 1002},
		{"close with a 64-bit length", header(0x88, 0xff), ws.ErrControlTooLong, 1002},
		{"16-bit length of 125", header(0x82, 0xfe, 0, 125), ws.ErrLengthNotMinimal, 1002},
		{"64-bit length of 65535", header(0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff), ws.ErrLengthNotMinimal, 1002},
		{"64-bit length with the top bit", header(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0), ws.ErrLengthSign, 1002},
		{"continuation first", frame(ws.OpContinuation, ""), ws.ErrUnexpectedContinuation, 1002},
		{"continuation after a whole message", join(frame(ws.OpText, "a"), frame(ws.OpContinuation, "")), ws.ErrUnexpectedContinuation, 1002},
		{"continuation after the last fragment", join(opener(ws.OpText, "a"), frame(ws.OpContinuation, "b"), frame(ws.OpContinuation, "")), ws.ErrUnexpectedContinuation, 1002},
		{"text inside a message", join(opener(ws.OpText, "a"), frame(ws.OpText, "b")), ws.ErrExpectedContinuation, 1002},
		{"binary inside an empty message", join(opener(ws.OpText, ""), opener(ws.OpBinary, "b")), ws.ErrExpectedContinuation, 1002},
		{"message over the limit", header(0x82, 0x80|11), ws.ErrMessageTooBig, 1009},
		{"16-bit length over the limit", header(0x82, 0xfe, 0xff, 0xff), ws.ErrMessageTooBig, 1009},
		{"largest length there is", header(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ws.ErrMessageTooBig, 1009},
		{"fragments over the limit", join(opener(ws.OpText, "123456"), frame(ws.OpContinuation, "78901")), ws.ErrMessageTooBig, 1009},
		{"largest length in a fragment", join(opener(ws.OpText, "1"), header(0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), ws.ErrMessageTooBig, 1009},
		{"too many fragments", join(opener(ws.OpText, ""), opener(ws.OpContinuation, ""), opener(ws.OpContinuation, ""), frame(ws.OpContinuation, "")), ws.ErrTooManyFragments, 1008},
		{"close of one byte", frame(ws.OpClose, "\x03"), ws.ErrShortClose, 1002},
		{"close reason", frame(ws.OpClose, "\x03\xe8\xff"), ws.ErrInvalidCloseReason, 1007},
		{"close reason with half a rune", frame(ws.OpClose, "\x03\xe8\xe2\x82"), ws.ErrInvalidCloseReason, 1007},
		{"text", frame(ws.OpText, "a\xff"), ws.ErrInvalidText, 1007},
		{"text with half a rune", frame(ws.OpText, "a\xe2\x82"), ws.ErrInvalidText, 1007},
		{"text with half a rune in the last fragment", join(opener(ws.OpText, "a"), frame(ws.OpContinuation, "\xe2\x82")), ws.ErrInvalidText, 1007},
		{"text with half a rune before an empty fragment", join(opener(ws.OpText, "\xe2"), frame(ws.OpContinuation, "")), ws.ErrInvalidText, 1007},
		{"text with half a rune after an empty fragment", join(opener(ws.OpText, ""), frame(ws.OpContinuation, "\xe2")), ws.ErrInvalidText, 1007},
		{"text with a surrogate over fragments", join(opener(ws.OpText, "\xed"), opener(ws.OpContinuation, "\xa0")), ws.ErrInvalidText, 1007},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := feedEverySplit(t, tt.input, &small)
			var fault *ws.CloseError
			if !errors.Is(got.err, tt.want) || !errors.As(got.err, &fault) {
				t.Fatalf("got %q, %v; want %v", got.events, got.err, tt.want)
			}
			if fault.Code != tt.code {
				t.Errorf("code %d, want %d", fault.Code, tt.code)
			}
		})
	}
}

func TestReaderChecksCloseCodes(t *testing.T) {
	valid := func(c int) bool {
		return c >= 1000 && c <= 1003 || c >= 1007 && c <= 1014 || c >= 3000 && c <= 4999
	}
	for code := range 1 << 16 {
		p := binary.BigEndian.AppendUint16(nil, uint16(code))
		got := feed(t, frame(ws.OpClose, string(p)), &ws.Limits{}, whole)
		want := error(nil)
		if !valid(code) {
			want = ws.ErrInvalidCloseCode
		}
		if !errors.Is(got.err, want) {
			t.Fatalf("code %d: %v, want %v", code, got.err, want)
		}
	}
}

func TestReaderRefusesTooBigBeforeBuffering(t *testing.T) {
	// The last byte of the length decides; the key has not come yet.
	h := header(0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x41) // 1,000,001
	var r ws.Reader
	var l log
	if err := r.Feed(bytes.Clone(h[:9]), &ws.Limits{}, &l); err != nil {
		t.Fatal(err)
	}
	if err := r.Feed(bytes.Clone(h[9:]), &ws.Limits{}, &l); !errors.Is(err, ws.ErrMessageTooBig) {
		t.Fatalf("got %v, want %v", err, ws.ErrMessageTooBig)
	}
	if r.Buffered() != 0 {
		t.Errorf("%d bytes held", r.Buffered())
	}
}

func TestReaderLimitsAreInclusive(t *testing.T) {
	lim := ws.Limits{Message: 10, Fragments: 2}
	input := join(frame(ws.OpBinary, "0123456789"), opener(ws.OpBinary, "01234"), frame(ws.OpContinuation, "56789"))
	got := feedEverySplit(t, input, &lim)
	want := []string{`message 2 "0123456789"`, `message 2 "0123456789"`}
	if got.err != nil || !slices.Equal(got.events, want) {
		t.Errorf("got %q, %v", got.events, got.err)
	}
}

func TestReaderDefaultLimits(t *testing.T) {
	big := frame(ws.OpBinary, strings.Repeat("x", ws.DefaultMessage))
	if got := feed(t, big, &ws.Limits{}, whole); got.err != nil {
		t.Errorf("%d bytes: %v", ws.DefaultMessage, got.err)
	}
	input := opener(ws.OpBinary, "")
	for range ws.DefaultFragments - 1 {
		input = append(input, opener(ws.OpContinuation, "")...)
	}
	if got := feed(t, input, &ws.Limits{}, whole); got.err != nil {
		t.Errorf("%d fragments: %v", ws.DefaultFragments, got.err)
	}
	input = append(input, opener(ws.OpContinuation, "")...)
	if got := feed(t, input, &ws.Limits{}, whole); !errors.Is(got.err, ws.ErrTooManyFragments) {
		t.Errorf("%d fragments: %v", ws.DefaultFragments+1, got.err)
	}
}

func TestReaderJoinsLargeFrame(t *testing.T) {
	payload := make([]byte, 900_000)
	for i := range payload {
		payload[i] = byte(i * 7 >> 3)
	}
	for _, size := range []int{97, 4093, 64 << 10} {
		var r ws.Reader
		var got []byte
		sink := &grabSink{message: func(p []byte) error { got = bytes.Clone(p); return nil }}
		for piece := range slices.Chunk(frame(ws.OpBinary, string(payload)), size) {
			if err := r.Feed(piece, &ws.Limits{}, sink); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, payload) {
			t.Errorf("by %d bytes: message of %d bytes differs", size, len(got))
		}
	}
}

// grabSink hands messages to a function and ignores the rest.
type grabSink struct {
	countSink
	message func(p []byte) error
}

func (g *grabSink) Message(_ ws.OpCode, p []byte) error { return g.message(p) }

func TestReaderFailsAtTheFirstByteThatCannotBeText(t *testing.T) {
	tests := []struct {
		payload string
		bad     int // index of the first byte that cannot be
	}{
		{"\x80", 0}, {"\xc0\x80", 0}, {"\xc1", 0}, {"\xf5", 0}, {"\xff", 0},
		{"ab\xfecd", 2},
		{"\xc3(", 1}, {"\xe0\x80\x80", 1}, {"\xed\xa0\x80", 1}, {"\xe2\x82(", 2},
		{"\xf0\x80\x80\x80", 1}, {"\xf4\x90\x80\x80", 1}, {"\xf0\x9f\x98(", 3},
		{"κόσμε\xf4\x8f\xbf\xbf\xee\xbf\xbf\xf4\x90", len("κόσμε") + 8},
	}
	lim := ws.Limits{}
	for _, tt := range tests {
		// The payload is the beginning of a longer one, so that only what has
		// come decides.
		input := frame(ws.OpText, tt.payload+"more")
		start := len(input) - len(tt.payload) - len("more")
		var r ws.Reader
		var l log
		for i := range input {
			err := r.Feed(input[i:i+1], &lim, &l)
			if i < start+tt.bad && err != nil {
				t.Errorf("%q: %v at byte %d, want %d", tt.payload, err, i-start, tt.bad)
				break
			}
			if i == start+tt.bad {
				if !errors.Is(err, ws.ErrInvalidText) {
					t.Errorf("%q: %v at byte %d", tt.payload, err, tt.bad)
				}
				break
			}
		}
	}
}

func TestReaderStopsWhenSinkFails(t *testing.T) {
	boom := errors.New("boom")
	messages := join(frame(ws.OpText, "a"), frame(ws.OpText, "b"))
	fragments := join(opener(ws.OpText, "a"), frame(ws.OpContinuation, "b"), frame(ws.OpText, "c"))
	pings := join(frame(ws.OpPing, "a"), frame(ws.OpPing, "b"))
	closes := frame(ws.OpClose, "\x03\xe8")
	for _, input := range [][]byte{messages, fragments, pings, closes} {
		for at := range len(input) {
			var r ws.Reader
			l := log{err: boom}
			b := bytes.Clone(input)
			err := r.Feed(b[:at], &ws.Limits{}, &l)
			if err == nil {
				err = r.Feed(b[at:], &ws.Limits{}, &l)
			}
			if !errors.Is(err, boom) || len(l.events) != 1 {
				t.Errorf("split at %d: %q, %v", at, l.events, err)
			}
			r.Reset()
		}
	}
}

func TestReaderResetInSinkKeepsPayload(t *testing.T) {
	stop := errors.New("stop")
	inputs := [][]byte{
		frame(ws.OpText, "hello"),
		join(opener(ws.OpText, "hel"), frame(ws.OpContinuation, "lo")),
	}
	for _, input := range inputs {
		for at := range len(input) {
			var r ws.Reader
			got := ""
			sink := &grabSink{message: func(p []byte) error {
				r.Reset()
				got = string(p) // under -race a buffer given back is overwritten
				return stop
			}}
			b := bytes.Clone(input)
			err := r.Feed(b[:at], &ws.Limits{}, sink)
			if err == nil {
				err = r.Feed(b[at:], &ws.Limits{}, sink)
			}
			if !errors.Is(err, stop) || got != "hello" || r != (ws.Reader{}) {
				t.Errorf("split at %d: %q, %v", at, got, err)
			}
		}
	}
}

func TestReaderIgnoresInputOnceFinished(t *testing.T) {
	for _, end := range [][]byte{header(0xff, 0xff), frame(ws.OpClose, "")} {
		var r ws.Reader
		var l log
		_ = r.Feed(end, &ws.Limits{}, &l)
		seen := len(l.events)
		if err := r.Feed(frame(ws.OpText, "a"), &ws.Limits{}, &l); err != nil || len(l.events) != seen {
			t.Errorf("%q, %v", l.events, err)
		}
		r.Reset()
		if err := r.Feed(frame(ws.OpText, "a"), &ws.Limits{}, &l); err != nil || len(l.events) != seen+1 {
			t.Errorf("after Reset: %q, %v", l.events, err)
		}
	}
}

func TestReaderJoinsMessagesTooLargeForThePools(t *testing.T) {
	lim := ws.Limits{Message: 6 << 20}
	stream := join(opener(ws.OpText, strings.Repeat("é", 2<<20)), frame(ws.OpContinuation, strings.Repeat("é", 1<<20)))
	var r ws.Reader
	var s countSink
	for piece := range slices.Chunk(stream, 64<<10) {
		if err := r.Feed(piece, &lim, &s); err != nil {
			t.Fatal(err)
		}
	}
	if s.messages != 1 || s.bytes != 6<<20 {
		t.Errorf("%d messages, %d bytes", s.messages, s.bytes)
	}
}

func TestCloseErrorSaysCodeAndReason(t *testing.T) {
	if got, want := ws.ErrUnmasked.Error(), "ws: unmasked client frame (close 1002)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
