package ws_test

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	"github.com/fanfare-go/fanfare/ws"
)

func TestReaderBuffered(t *testing.T) {
	input := join(opener(ws.OpText, "abc"), frame(ws.OpPing, "p"), frame(ws.OpContinuation, "def"))
	// By bytes fed: a message's payload counts, and headers and control frames
	// while they are cut off.
	want := []int{
		1, 2, 3, 4, 5, 0, 1, 2, 3, // fragment, 6 + 3
		4, 5, 6, 7, 8, 9, 3, // ping, 6 + 1
		4, 5, 6, 7, 8, 3, 4, 5, 0, // last fragment
	}
	var r ws.Reader
	var s countSink
	for i := range input {
		if err := r.Feed(input[i:i+1], &ws.Limits{}, &s); err != nil {
			t.Fatal(err)
		}
		if got := r.Buffered(); got != want[i] {
			t.Errorf("%d bytes held after byte %d, want %d", got, i, want[i])
		}
	}
}

func TestReaderSize(t *testing.T) {
	if got := unsafe.Sizeof(ws.Reader{}); unsafe.Sizeof(uintptr(0)) == 8 && got != 40 {
		t.Errorf("Reader has %d bytes, its comment says 40", got)
	}
}

func TestReaderAllocatesNothing(t *testing.T) {
	lim := ws.Limits{}
	var r ws.Reader
	var s countSink
	inputs := map[string][]byte{
		"text":   zeroKeyed(ws.OpText, text(32, "ж")),
		"long":   zeroKeyed(ws.OpText, text(4096, "ж")),
		"ping":   zeroKeyed(ws.OpPing, nil),
		"batch":  bytes.Repeat(zeroKeyed(ws.OpText, text(32, "a")), 100),
		"refuse": header(0xff, 0xff),
	}
	for name, input := range inputs {
		n := testing.AllocsPerRun(100, func() {
			_ = r.Feed(input, &lim, &s)
			if name == "refuse" {
				r.Reset()
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestReaderReusesCarryBuffers(t *testing.T) {
	if ws.Poison {
		t.Skip("under -race pools drop buffers at random")
	}
	lim := ws.Limits{}
	var r ws.Reader
	var s countSink
	input := zeroKeyed(ws.OpText, text(300, "a"))
	// The pools calibrate themselves every 42,000 calls and must go on to work.
	n := testing.AllocsPerRun(60_000, func() {
		for _, at := range []int{1, 5, 8, 100} {
			_ = r.Feed(input[:at], &lim, &s)
			_ = r.Feed(input[at:], &lim, &s)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for four frames that straddle reads", n)
	}
}

func TestReaderHoldsNoMoreThanTwiceWhatCame(t *testing.T) {
	input := frame(ws.OpBinary, strings.Repeat("x", 900_000))
	var r ws.Reader
	var s countSink
	defer r.Reset()
	lim := ws.Limits{}
	for fed := 0; fed < len(input); {
		n := min(len(input)-fed, 1+fed) // 1, 2, 4 ... bytes
		if err := r.Feed(input[fed:fed+n], &lim, &s); err != nil {
			t.Fatal(err)
		}
		fed += n
		if held := r.CarryCap(); held > max(2*fed, 256) {
			t.Fatalf("%d bytes held after %d came", held, fed)
		}
	}
	if s.messages != 1 || s.bytes != 900_000 || r.CarryCap() != 0 {
		t.Errorf("%d messages, %d bytes, %d held", s.messages, s.bytes, r.CarryCap())
	}
}
