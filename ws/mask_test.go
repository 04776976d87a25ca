package ws_test

import (
	"bytes"
	"testing"

	"github.com/fanfare-go/fanfare/ws"
)

func TestUnmask(t *testing.T) {
	sizes := []int{500, 511, 512, 513, 600, 1024, 4099}
	for n := range 140 {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		for offset := range 9 {
			in, want := make([]byte, n), make([]byte, n)
			for i := range in {
				in[i] = byte(i * 31)
				want[i] = in[i] ^ testKey[(offset+i)%4]
			}
			ws.Unmask(in, testKey, offset)
			if !bytes.Equal(in, want) {
				t.Fatalf("%d bytes at offset %d: differs", n, offset)
			}
		}
	}
}

func TestUnmaskStaysInItsSlice(t *testing.T) {
	for n := range 70 {
		buf := make([]byte, n+16)
		ws.Unmask(buf[8:8+n], [4]byte{1, 2, 3, 4}, 0)
		if !bytes.Equal(buf[:8], make([]byte, 8)) || !bytes.Equal(buf[8+n:], make([]byte, 8)) {
			t.Fatalf("%d bytes: wrote outside", n)
		}
	}
}

// One byte outside ASCII, at any place, must not get past the check that is
// done while unmasking.
func TestReaderFindsTheOneBadByte(t *testing.T) {
	for n := range 80 {
		for at := range n {
			p := bytes.Repeat([]byte{'a'}, n)
			p[at] = 0x80
			if got := feed(t, frame(ws.OpText, string(p)), &ws.Limits{}, whole); got.err == nil {
				t.Fatalf("byte %d of %d: accepted", at, n)
			}
		}
	}
}
