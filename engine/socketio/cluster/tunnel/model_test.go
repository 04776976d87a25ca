package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
	"pgregory.net/rapid"
)

// half is one direction of a stream as it should be.
type half struct {
	from, to net.Conn // to is nil until it was accepted
	seed     byte
	written  int  // bytes that Write has taken
	finished bool // CloseWrite has taken that
	read     int
	ended    error // what Read said last, once it is an error
}

// content is byte i of what a half carries.
func (h *half) content(i int) byte { return h.seed + byte(i*7) + byte(i>>8) }

// write writes some of it, without waiting for room.
func (h *half) write(n int) {
	if h.finished {
		return
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = h.content(h.written + i)
	}
	_ = h.from.SetWriteDeadline(time.Now().Add(time.Microsecond))
	k, _ := h.from.Write(b)
	h.written += k
}

// check reads what there is, and whether that is the beginning of what was written.
func (h *half) check(t *rapid.T, n int) {
	if h.to == nil || h.ended != nil {
		return
	}
	b := make([]byte, n)
	_ = h.to.SetReadDeadline(time.Now().Add(time.Microsecond))
	k, err := h.to.Read(b)
	for i, c := range b[:k] {
		if c != h.content(h.read+i) {
			t.Fatalf("byte %d is another than was written", h.read+i)
		}
	}
	if h.read += k; h.read > h.written {
		t.Fatalf("%d bytes came of %d", h.read, h.written)
	}
	if err == nil || isTimeout(err) {
		return
	}
	if h.ended = err; err == io.EOF && (!h.finished || h.read != h.written) {
		t.Fatalf("EOF after %d of %d bytes, finished %v", h.read, h.written, h.finished)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// Whatever a carrier loses, doubles or sends late: who reads gets a beginning of what was
// written, and the end only where that was all; and it ends.
func TestAStreamNeverLies(t *testing.T) {
	for name, faults := range map[string][]int{
		"a good carrier":  {},
		"loss":            {0},
		"doubles":         {2},
		"late messages":   {-1},
		"everything else": {0, 2, 2, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rapid.Check(withoutDeadline{t}, func(r *rapid.T) { tellTheTruth(t, r, faults) })
			})
		})
	}
}

// withoutDeadline is a test without the clock outside, which a bubble does not let one ask for.
type withoutDeadline struct{ rapid.TB }

func tellTheTruth(t *testing.T, r *rapid.T, faults []int) {
	bus := new(tunneltest.Bus)
	var faulty atomic.Bool
	often := rapid.IntRange(5, 40).Draw(r, "one in so many")
	count := 0
	bus.Fault = func(string, []byte) int {
		if count++; !faulty.Load() || len(faults) == 0 || count%often != 0 {
			return 1
		}
		return faults[count/often%len(faults)]
	}
	a, b := join(t, bus, "a"), join(t, bus, "b")
	defer func() {
		_ = a.Close()
		_ = b.Close()
	}()
	a.meet(b)
	synctest.Wait()
	faulty.Store(true)
	var halves []*half
	byMeta := map[string]*half{}
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			nc, err := b.listener.Accept()
			if err != nil {
				return
			}
			accepted <- nc
		}
	}()
	settle := func() {
		synctest.Wait()
		for len(accepted) > 0 {
			nc := <-accepted
			out := byMeta[string(nc.(*tunnel.Stream).Meta())]
			if out.to != nil {
				r.Fatal("one stream was accepted twice")
			}
			out.to = nc
			halves = append(halves, &half{from: nc, to: out.from, seed: out.seed + 100})
		}
	}
	pick := func(r *rapid.T) *half {
		if len(halves) == 0 {
			r.Skip("no streams")
		}
		return halves[rapid.IntRange(0, len(halves)-1).Draw(r, "half")]
	}
	r.Repeat(map[string]func(*rapid.T){
		"dial": func(r *rapid.T) {
			meta := fmt.Sprint(len(byMeta))
			nc, err := a.Dial(context.Background(), "b", []byte(meta))
			if err != nil {
				r.Skip(err) // b was silent too long
			}
			h := &half{from: nc, seed: byte(len(byMeta))}
			byMeta[meta] = h
			halves = append(halves, h)
		},
		"write": func(r *rapid.T) { pick(r).write(rapid.SampledFrom([]int{1, 10, 5_000, 70_000}).Draw(r, "bytes")) },
		"read":  func(r *rapid.T) { pick(r).check(r, rapid.SampledFrom([]int{1, 100, 100_000}).Draw(r, "bytes")) },
		"finish": func(r *rapid.T) {
			h := pick(r)
			h.finished = h.from.(*tunnel.Stream).CloseWrite() == nil || h.finished
		},
		"close": func(r *rapid.T) {
			h := pick(r)
			if rapid.IntRange(0, 5).Draw(r, "really") == 0 {
				h.finished = true
				_ = h.from.Close()
			}
		},
		"wait": func(r *rapid.T) {
			time.Sleep(rapid.SampledFrom([]time.Duration{time.Millisecond, 3 * time.Second}).Draw(r, "time"))
		},
		"": func(*rapid.T) { settle() },
	})
	faulty.Store(false)
	time.Sleep(10 * time.Second) // what was lost is noticed
	settle()
	for range 2 { // what is accepted now has another half
		for _, h := range halves {
			h.finished = h.from.(*tunnel.Stream).CloseWrite() == nil || h.finished
		}
		time.Sleep(10 * time.Second)
		settle()
	}
	for i, h := range halves {
		for k := 0; h.to != nil && h.ended == nil; k++ {
			if h.check(r, 100_000); k > 100 {
				r.Fatalf("half %d does not end: %d of %d bytes", i, h.read, h.written)
			}
			time.Sleep(time.Second)
		}
		if len(faults) == 0 && h.to != nil && h.ended != io.EOF && !errors.Is(h.ended, net.ErrClosed) && !errors.Is(h.ended, tunnel.ErrReset) {
			r.Fatalf("half %d ended with %v", i, h.ended)
		}
	}
	for _, h := range halves {
		_ = h.from.Close()
	}
	time.Sleep(20 * time.Second)
	if n := a.Stats().Streams + b.Stats().Streams; n != 0 {
		r.Fatalf("%d streams are left", n)
	}
}
