package webtransport

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestHeaders(t *testing.T) {
	for _, tt := range []struct {
		bytes string
		want  header
	}{
		{"\x01", header{false, 1}}, {"\x7d", header{false, 125}}, {"\x81", header{true, 1}}, {"\xfd", header{true, 125}},
		{"\x7e\x00\x7e", header{false, 126}}, {"\xfe\xff\xff", header{true, 65535}},
		{"\x7f\x00\x00\x00\x00\x00\x01\x00\x00", header{false, 65536}},
		{"\xff\x00\x1f\xff\xff\xff\xff\xff\xff", header{true, maxPayload}},
	} {
		if got := tt.want.append(nil); string(got) != tt.bytes {
			t.Errorf("%v is written %q, want %q", tt.want, got, tt.bytes)
		}
		if got, err := readHeader(bytes.NewReader([]byte(tt.bytes))); got != tt.want || err != nil {
			t.Errorf("%q is read %v %v", tt.bytes, got, err)
		}
	}
	for in, want := range map[string]error{
		"": io.EOF, "\x7e\x00": io.ErrUnexpectedEOF, "\x00": errEmpty, "\x80": errEmpty, "\x7e\x00\x00": errEmpty,
		"\x7f\x00\x20\x00\x00\x00\x00\x00\x00": errLong, "\xff\xff\xff\xff\xff\xff\xff\xff\xff": errLong,
	} {
		if _, err := readHeader(bytes.NewReader([]byte(in))); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

// FuzzFrames: what is read is what was written; in whatever pieces it comes, the frames
// of the WebSocket that it becomes are the same; and nothing is made of what is no packet.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{"\x010", "\x024a\x83abc", "\x7e\x00\x8042[1]", "\x00", "\x7f\x00\x00\x00\x00\x00\x01\x00\x00x", "\x024"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		h, err := readHeader(bytes.NewReader(in))
		if err == nil {
			again, err := readHeader(bytes.NewReader(h.append(nil)))
			if again != h || err != nil {
				t.Fatalf("%v became %v %v", h, again, err)
			}
		}
		var whole, bytewise bytes.Buffer
		err1 := carryIn(&whole, bytes.NewReader(in))
		err2 := carryIn(&bytewise, iotest.OneByteReader(bytes.NewReader(in)))
		if err1 == nil || err1.Error() != err2.Error() || !bytes.HasPrefix(whole.Bytes(), bytewise.Bytes()) && !bytes.HasPrefix(bytewise.Bytes(), whole.Bytes()) {
			t.Fatalf("%q (%v) in one, %q (%v) in pieces", whole.Bytes(), err1, bytewise.Bytes(), err2)
		}
	})
}
