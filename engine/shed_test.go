package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// queuer is a client that takes nothing, with bytes waiting for it.
type queuer struct {
	r    *recorder
	c    *fakeConn
	size int
	poll bool
}

func (k *fakes) queuer(l *ledger, loop, size int, poll bool) *queuer {
	k.t.Helper()
	q := &queuer{size: size, poll: poll}
	if poll {
		q.c, q.r = k.openPolling(loop)
	} else {
		q.c, q.r = k.openWS(loop)
		q.c.narrow(k.t)
		q.r.s.Send(l.frame(strings.Repeat("f", 20_000))) // for the kernel and gnet
	}
	k.run()
	before := k.srv.Stats().QueuedBytes
	for sent := 0; sent < size; sent += 1000 {
		q.r.s.Send(l.frame(strings.Repeat("q", 1000-4)))
	}
	k.run()
	if n := k.srv.Stats().QueuedBytes - before; n < int64(size) || n > int64(size)+3000 {
		k.t.Fatalf("%d bytes wait, want %d", n, size)
	}
	return q
}

func (q *queuer) closed() bool { return len(q.r.closed) > 0 }

// The largest queues go first, whichever loop has them and looks first.
func TestTheLargestQueuesGoFirst(t *testing.T) {
	const bound = 700_000
	for _, how := range []string{"websocket", "polling", "both"} {
		for _, big := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, the big ones on loop %d", how, big), func(t *testing.T) {
				k := startFake(t, 2, engine.Options{MaxQueuedBytes: bound, MaxHTTPBufferSize: 1 << 20})
				var l ledger
				var small, large []*queuer
				for i := range 3 {
					large = append(large, k.queuer(&l, big, 200_000+i*10_000, how == "polling" || how == "both" && i%2 == 0))
				}
				for i := range 10 {
					small = append(small, k.queuer(&l, 1-big, 5000+i*1000, how == "polling" || how == "both" && i%2 == 0))
				}
				healthy, hr := k.openWS(1 - big)
				k.run()
				if q := k.srv.Stats().QueuedBytes; q <= bound {
					t.Fatalf("%d bytes: not over the bound", q)
				}
				k.advance(3 * engine.TickLength)
				if q := k.srv.Stats().QueuedBytes; q > bound {
					t.Errorf("%d bytes wait, the bound is %d", q, bound)
				}
				for _, q := range small {
					if q.closed() {
						t.Errorf("one with %d bytes was closed", q.size)
					}
				}
				fell := 0
				for _, q := range large {
					if q.closed() {
						fell++
						q.r.ended(t, engine.ReasonTransportError)
					}
				}
				if fell == 0 {
					t.Error("none of the large ones was closed")
				}
				k.send(hr, "still here")
				k.run()
				if got := healthy.texts(); !slices.Equal(got, []string{"4still here"}) {
					t.Errorf("the healthy client got %q", got)
				}
				st := k.srv.Stats()
				if n := st.SlowCauses[engine.SlowMemory]; n != st.SlowClosed || n != uint64(fell) {
					t.Errorf("%d closed, %d counted: %v", fell, n, st.SlowCauses)
				}
			})
		}
	}
}

// What still waits for a session that is closed already is nobody else's fault.
func TestQueuesOfClosedSessionsAreNotPaidForByOthers(t *testing.T) {
	for _, poll := range []bool{false, true} {
		t.Run(fmt.Sprint("polling ", poll), func(t *testing.T) {
			k := startFake(t, 1, engine.Options{MaxQueuedBytes: 500_000, MaxHTTPBufferSize: 1 << 20, CloseTimeout: 10 * time.Second})
			var l ledger
			big := k.queuer(&l, 0, 490_000, poll)
			big.r.s.Close()
			k.run()
			big.r.ended(t, engine.ReasonForcedClose)
			var small []*queuer
			for range 10 {
				small = append(small, k.queuer(&l, 0, 4000, true))
			}
			k.advance(5 * engine.TickLength)
			n := 0
			for _, q := range small {
				if q.closed() {
					n++
				}
			}
			if n > 0 {
				t.Errorf("%d clients with 4,000 bytes each were closed for the 490,000 of one that is gone", n)
			}
			if q := k.srv.Stats().QueuedBytes; q > 500_000 {
				t.Errorf("%d bytes wait, the bound is 500000", q)
			}
		})
	}
}
