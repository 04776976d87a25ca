package engine_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// A thousand clients stop reading at once. Those who read get everything, in order,
// and what waits for the others stays within its bounds.
func TestAThousandSlowClientsAtOnce(t *testing.T) {
	const slow, healthy, broadcasts, size = 1000, 10, 150, 2000
	for name, tt := range map[string]struct {
		o      engine.Options
		closed int // at least
	}{
		"closed":            {engine.Options{MaxQueued: 50}, slow},
		"closed for memory": {engine.Options{MaxQueuedBytes: 30_000_000, MaxQueued: 1 << 20}, slow / 2},
		"losing the oldest": {engine.Options{MaxQueued: 50, SlowPolicy: engine.SlowDropOldest}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := tt.o
			o.Loops, o.SendBuffer, o.PingInterval, o.CloseTimeout = 2, 8<<10, time.Hour, 100*time.Millisecond
			f := start(t, o)
			var l ledger
			clients := make([]*wsConn, slow)
			for i := range clients {
				c := &wsConn{f.dialSmall(4 << 10)}
				c.do("GET", wsURL, "", wsHeader)
				r := f.session(parseOpen(t, c.text()).SID)
				r.s.Join("all")
				clients[i] = c
			}
			var readers sync.WaitGroup
			next := make(chan struct{}, healthy) // so that the healthy are not too slow for this machine
			for range healthy {
				c, op := f.openWS()
				f.session(op.SID).s.Join("all")
				readers.Go(func() {
					for i := range broadcasts {
						f, err := readFrame(c.br)
						if want := fmt.Sprintf("4%d ", i); err != nil || !strings.HasPrefix(f.String(), want) {
							t.Errorf("a healthy client got %.20q (%v), want %q", f.String(), err, want)
							next <- struct{}{}
							return
						}
						next <- struct{}{}
					}
				})
			}
			everybody := &engine.Target{Groups: []string{"all"}}
			pad := strings.Repeat("x", size)
			highest := int64(0)
			for i := range broadcasts {
				f.srv.Publish(l.frame(fmt.Sprint(i, " ", pad)), everybody)
				for range healthy {
					receive(t, next)
				}
				if t.Failed() {
					break
				}
				highest = max(highest, f.srv.Stats().QueuedBytes)
			}
			readers.Wait()
			until(t, fmt.Sprint(tt.closed, " are closed"), func() bool { return int(f.srv.Stats().SlowClosed) >= tt.closed })
			st := f.srv.Stats()
			t.Logf("%d bytes waited at most; closed %v, %d frames dropped", highest, st.SlowCauses, st.SlowDrops)
			if tt.closed == 0 && (st.SlowClosed != 0 || st.SlowDrops == 0) {
				t.Errorf("%d closed, %d dropped", st.SlowClosed, st.SlowDrops)
			}
			if bound := o.MaxQueuedBytes; bound > 0 {
				until(t, "what waits is below the bound", func() bool { return f.srv.Stats().QueuedBytes <= bound })
			}
			if tt.closed == 0 {
				f.catchUp(clients[slow/2:slow/2+3], broadcasts)
			}
			for _, c := range clients {
				_ = c.Close()
			}
			l.settled(t, f)
		})
		runtime.GC()
	}
}

// catchUp has clients read again: a beginning, a gap, and all up to the last.
func (f *fixture) catchUp(clients []*wsConn, broadcasts int) {
	f.t.Helper()
	for _, c := range clients {
		last, gaps := -1, 0
		for last < broadcasts-1 {
			var i int
			got := c.text()
			if _, err := fmt.Sscanf(got, "4%d x", &i); err != nil || i <= last {
				f.t.Fatalf("%.20q behind %d", got, last)
			}
			if i > last+1 {
				gaps++
			}
			last = i
		}
		if gaps != 1 {
			f.t.Errorf("%d gaps", gaps)
		}
	}
}
