package http1_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/fanfare-go/fanfare/engine/http1"
	"pgregory.net/rapid"
)

const chunkedHead = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

// newBody returns the decoder for a body of n bytes, or a chunked one for -1.
func newBody(n int64) http1.Body { return http1.NewBody(&http1.Request{ContentLength: n}) }

// decode feeds b to d in pieces that end at the given offsets and at len(b).
func decode(d http1.Body, b []byte, cuts ...int) (data []byte, n int, done bool, err error) {
	for _, end := range append(cuts, len(b)) {
		for !done && n < end {
			var part []byte
			var k int
			part, k, done, err = d.Next(b[n:end])
			data = append(data, part...)
			n += k
			if err != nil {
				return data, n, done, err
			}
		}
	}
	return data, n, done, nil
}

func requireBodySplitInvariant(t *testing.T, d http1.Body, b []byte) {
	t.Helper()
	outcome := func(cuts ...int) string {
		data, n, done, err := decode(d, b, cuts...)
		return fmt.Sprintf("%q %d %t %v", data, n, done, err)
	}
	want := outcome()
	step := 1 + len(b)/512
	for i := 1; i < len(b); i += step {
		if got := outcome(i); got != want {
			t.Fatalf("cut at %d:\n got %s\nwant %s", i, got, want)
		}
	}
	if got := outcome(everyByte(len(b))...); got != want {
		t.Fatalf("byte by byte:\n got %s\nwant %s", got, want)
	}
}

func TestBodies(t *testing.T) {
	const chunked = -1
	tests := []struct {
		name   string
		length int64
		body   string // what follows it is "next"
		want   string
	}{
		{"none", 0, "", ""},
		{"length", 5, "hello", "hello"},
		{"chunks", chunked, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"},
		{"no chunks", chunked, "0\r\n\r\n", ""},
		{"hexadecimal in both cases", chunked, "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a"},
		{"leading zeros", chunked, "0000000000000001\r\na\r\n00\r\n\r\n", "a"},
		{"data that looks like framing", chunked, "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"},
		{"extensions", chunked, "1;a=b;c=\"d e\"\r\nx\r\n0; last\r\n\r\n", "x"},
		{"longest extensions", chunked, strings.Repeat("1;"+strings.Repeat("a", 255)+"\r\nx\r\n", 16) + "0\r\n\r\n", strings.Repeat("x", 16)},
		{"trailers", chunked, "1\r\nx\r\n0\r\nA: b\r\nContent-Length:\t7\r\nC:\r\n\r\n", "x"},
		{"longest trailers", chunked, "0\r\nA:" + strings.Repeat("b", 2048-6) + "\r\n\r\n", ""},
		{"100 trailers", chunked, "0\r\n" + strings.Repeat("A:b\r\n", 100) + "\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newBody(tt.length)
			data, n, done, err := decode(d, []byte(tt.body+"next"))
			if tt.length == 0 {
				_, n, done, err = d.Next([]byte("next"))
			}
			if string(data) != tt.want || n != len(tt.body) || !done || err != nil {
				t.Errorf("%q, n = %d of %d, done = %t, err = %v", data, n, len(tt.body), done, err)
			}
			requireBodySplitInvariant(t, d, []byte(tt.body+"next"))
			for i := range len(tt.body) {
				if _, n, done, err := decode(d, []byte(tt.body[:i])); done || n != i || err != nil {
					t.Fatalf("%d bytes: n = %d, done = %t, err = %v", i, n, done, err)
				}
			}
		})
	}
}

func TestRefusedBodies(t *testing.T) {
	tests := []struct {
		name, body string
		want       *http1.Error
	}{
		{"no size", "\r\n", http1.ErrChunkSize},
		{"size that is no number", "g\r\n", http1.ErrChunkSize},
		{"size with sign", "+1\r\nx\r\n", http1.ErrChunkSize},
		{"size with 0x", "0x1\r\nx\r\n", http1.ErrChunkSize},
		{"space before the size", " 1\r\nx\r\n", http1.ErrChunkSize},
		{"space after the size", "1 \r\nx\r\n", http1.ErrChunkSize},
		{"size of 17 digits", "00000000000000001\r\nx\r\n", http1.ErrChunkSize},
		{"size of 2^63", "8000000000000000\r\n", http1.ErrChunkSize},
		{"size of 2^64-1", "ffffffffffffffff\r\n", http1.ErrChunkSize},
		{"bare LF after the size", "1\nx\r\n", http1.ErrChunkSize},
		{"bare CR after the size", "1\rx\r\n", http1.ErrChunkSize},
		{"extension without size", ";a\r\n", http1.ErrChunkSize},
		{"bare LF after an extension", "1;a\nx\r\n", http1.ErrChunkExtension},
		{"bare CR in an extension", "1;a\rb\r\nx\r\n", http1.ErrChunkSize},
		{"control byte in an extension", "1;\x00\r\nx\r\n", http1.ErrChunkExtension},
		{"extension too long", "1;" + strings.Repeat("a", 256) + "\r\nx\r\n", http1.ErrChunkExtension},
		{"extensions too long", strings.Repeat("1;"+strings.Repeat("a", 255)+"\r\nx\r\n", 16) + "0;\r\n", http1.ErrChunkExtension},
		{"data longer than its size", "1\r\nxy\r\n", http1.ErrChunkEnd},
		{"bare LF after the data", "1\r\nx\n0\r\n\r\n", http1.ErrChunkEnd},
		{"bare CR after the data", "1\r\nx\r0\r\n\r\n", http1.ErrChunkEnd},
		{"nothing after the data", "1\r\nx0\r\n\r\n", http1.ErrChunkEnd},
		{"bare LF at the end", "0\r\n\n", http1.ErrFieldName},
		{"bare CR at the end", "0\r\n\rx", http1.ErrLineEnd},
		{"bare LF after a trailer", "0\r\nA: b\n\r\n", http1.ErrFieldValue},
		{"bare CR in a trailer", "0\r\nA: b\rc\r\n\r\n", http1.ErrLineEnd},
		{"space before a trailer's colon", "0\r\nA : b\r\n\r\n", http1.ErrFieldName},
		{"trailer without name", "0\r\n: b\r\n\r\n", http1.ErrFieldName},
		{"trailer without colon", "0\r\nGET\r\n\r\n", http1.ErrFieldName},
		{"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", http1.ErrFold},
		{"control byte in a trailer", "0\r\nA: \x00\r\n\r\n", http1.ErrFieldValue},
		{"trailers too long", "0\r\nA:" + strings.Repeat("b", 2048-5) + "\r\n\r\n", http1.ErrTrailers},
		{"101 trailers", "0\r\n" + strings.Repeat("A:b\r\n", 101) + "\r\n", http1.ErrTrailers},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newBody(-1)
			_, _, done, err := decode(d, []byte(tt.body))
			if done || !errors.Is(err, tt.want) {
				t.Errorf("done = %t, err = %v, want %v", done, err, tt.want)
			}
			requireBodySplitInvariant(t, d, []byte(tt.body))
		})
	}
}

func TestBodyErrorIsFinal(t *testing.T) {
	d := newBody(-1)
	_, _, _, first := d.Next([]byte("g"))
	if _, n, done, err := d.Next([]byte("1\r\nx\r\n0\r\n\r\n")); n != 0 || done || err != first {
		t.Errorf("n = %d, done = %t, err = %v, want %v", n, done, err, first)
	}
}

func TestBodyEndIsFinal(t *testing.T) {
	d := newBody(1)
	_, _, _, _ = d.Next([]byte("x"))
	if data, n, done, err := d.Next([]byte("y")); len(data) != 0 || n != 0 || !done || err != nil {
		t.Errorf("%q, n = %d, done = %t, err = %v", data, n, done, err)
	}
}

func TestEmptyReadEndsNothing(t *testing.T) {
	d := newBody(1)
	if _, n, done, err := d.Next(nil); n != 0 || done || err != nil {
		t.Errorf("n = %d, done = %t, err = %v", n, done, err)
	}
}

func TestPendingTellsWhatIsDeclared(t *testing.T) {
	d := newBody(10)
	_, _, _, _ = d.Next([]byte("abc"))
	if got := d.Pending(); got != 7 {
		t.Errorf("length: %d, want 7", got)
	}
	d = newBody(-1)
	_, _, _, _ = d.Next([]byte("7fffffffffffffff\r"))
	if got := d.Pending(); got != 0 {
		t.Errorf("within the size line: %d, want 0", got)
	}
	_, _, _, _ = d.Next([]byte("\n"))
	if got := d.Pending(); got != 1<<63-1 {
		t.Errorf("chunk: %d, want 2^63-1", got)
	}
}

func TestBodySize(t *testing.T) {
	if size := unsafe.Sizeof(http1.Body{}); size > 24 {
		t.Errorf("a Body takes %d bytes, want at most 24", size)
	}
}

// A body made of any chunks, cut anywhere, decodes to their content and leaves
// what follows.
func TestChunkedBodyModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var wire, want []byte
		for range rapid.IntRange(0, 5).Draw(t, "chunks") {
			c := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "chunk")
			ext := rapid.StringMatching(`(;[a-z]{0,9}(=[0-9]+)?){0,2}`).Draw(t, "extension")
			wire = fmt.Appendf(wire, "%x%s\r\n%s\r\n", len(c), ext, c)
			want = append(want, c...)
		}
		wire = append(wire, "0\r\n"...)
		for range rapid.IntRange(0, 3).Draw(t, "trailers") {
			wire = append(wire, rapid.StringMatching(`[A-Za-z-]{1,9}:[ -~]{0,9}`).Draw(t, "trailer")+"\r\n"...)
		}
		wire = append(wire, "\r\n"...)
		end := len(wire)
		wire = append(wire, rapid.SliceOf(rapid.Byte()).Draw(t, "next")...)
		var cuts []int
		for i := 1; i < len(wire); i++ {
			if rapid.Bool().Draw(t, "cut") {
				cuts = append(cuts, i)
			}
		}
		data, n, done, err := decode(newBody(-1), wire, cuts...)
		if !bytes.Equal(data, want) || n != end || !done || err != nil {
			t.Fatalf("%q: %q, n = %d, done = %t, err = %v", wire, data, n, done, err)
		}
	})
}
