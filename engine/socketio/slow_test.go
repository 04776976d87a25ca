package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
)

// told is one call of OnSlow.
type told struct {
	namespace, id string
	socketio.Slow
}

// lagging is a server whose clients are too slow.
type lagging struct {
	*watched
	slow chan told
}

func lag(t *testing.T, o socketio.Options) *lagging {
	t.Helper()
	l := &lagging{slow: make(chan told, 1000)}
	o.PingInterval = time.Hour
	o.MaxHTTPBufferSize = 1000
	o.OnSlow = func(s *socketio.Socket, e socketio.Slow) { l.slow <- told{s.Namespace().Name(), s.ID(), e} }
	l.watched = watch(t, o)
	return l
}

// dialSlow connects a client whose kernel takes little while the client does not read.
func dialSlow(tb testing.TB, addr string) *peer {
	tb.Helper()
	small := func(_, _ string, c syscall.RawConn) (err error) {
		err2 := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<10)
		})
		return errors.Join(err, err2)
	}
	d := ws.Dialer{NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return (&net.Dialer{Control: small, Timeout: patience}).DialContext(ctx, network, addr)
	}}
	conn, br, _, err := d.Dial(tb.Context(), "ws://"+addr+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	p := &peer{TB: tb, conn: conn, rw: conn}
	if br != nil {
		p.rw = struct {
			io.Reader
			io.Writer
		}{br, conn}
	}
	p.open = p.read()
	return p
}

// overSlow runs a test over both transports, with a client that reads when told to.
func overSlow(t *testing.T, test func(t *testing.T, dial func(tb testing.TB, addr string) wire)) {
	t.Run("websocket", func(t *testing.T) {
		test(t, func(tb testing.TB, addr string) wire { return dialSlow(tb, addr) })
	})
	t.Run("polling", func(t *testing.T) {
		test(t, func(tb testing.TB, addr string) wire { return dialPolling(tb, addr) })
	})
}

var pad = strings.Repeat("x", 2000)

// fill emits events until the server tells of the client.
func (l *lagging) fill(t *testing.T, s *socketio.Socket, n *int) told {
	t.Helper()
	for len(l.slow) == 0 {
		if *n > 5000 {
			t.Fatal("nobody is slow")
		}
		*n++
		_ = s.Emit("ev", *n, pad, []byte("tail"))
		l.healthy(t) // the queue is worked, and others are served
	}
	return <-l.slow
}

func TestASlowClientIsToldOfAndClosed(t *testing.T) {
	overSlow(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		l := lag(t, socketio.Options{HighWaterMark: 50_000})
		c := dial(t, l.addr)
		root, other := l.enters(c)
		n := 0
		all := []told{l.fill(t, root, &n), receive(t, l.slow)}
		for i, s := range []*socketio.Socket{root, other} {
			e := all[i]
			if e.namespace != s.Namespace().Name() || e.id != s.ID() || e.Cause != socketio.SlowBytes || !e.Closed || e.Frames == 0 || e.Bytes > 50_000 {
				t.Errorf("told %+v", e)
			}
		}
		l.ended(t, ending(root, socketio.ReasonTransportError), ending(other, socketio.ReasonTransportError))
		if err := root.Emit("ev", 0); err != socketio.ErrDisconnected {
			t.Errorf("emit afterwards: %v", err)
		}
		if len(l.slow) > 0 {
			t.Errorf("told once more: %+v", <-l.slow)
		}
		l.healthy(t)
	})
}

// Under SlowDropOldest events are lost, the oldest first and each with its attachments;
// acknowledgements, answers to CONNECT and DISCONNECT are not.
func TestASlowClientLosesEventsOnly(t *testing.T) {
	overSlow(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		l := lag(t, socketio.Options{HighWaterMark: 50_000, SlowPolicy: socketio.SlowDropOldest, KeepHandshake: true})
		c := dial(t, l.addr)
		root := l.socket(c, enter(c, "40", "40"))
		n := 0
		if e := l.fill(t, root, &n); e.id != root.ID() || e.Cause != socketio.SlowBytes || e.Closed {
			t.Errorf("told %+v", e)
		}
		var kept []string
		for i := range 20 {
			c.send(fmt.Sprintf(`42%d["echo","%d"]`, i, i))
			kept = append(kept, fmt.Sprintf(`43%d["%d"]`, i, i))
			eventually(t, "it is handled", func() bool { return !socketio.Scheduled(root) && l.Stats().Events >= uint64(l.echoes+i+1) })
			for range 10 {
				n++
				_ = root.Emit("ev", n, pad, []byte("tail"))
			}
		}
		c.send("40/other")
		other := receive(t, l.joined)
		kept = append(kept, `40/other,{"sid":"`+other.ID()+`"}`)
		other.Disconnect(false)
		kept = append(kept, "41/other,")
		for range 200 {
			n++
			_ = root.Emit("ev", n, pad, []byte("tail"))
		}
		root.Disconnect(false)
		kept = append(kept, "41")
		l.healthy(t)
		if len(l.slow) > 0 {
			t.Errorf("told once more: %+v", <-l.slow)
		}

		var got []string
		numbers := []int{0}
		gaps := 0
		for len(got) == 0 || got[len(got)-1] != "41" {
			s := c.read()
			var i int
			if _, err := fmt.Sscanf(s, `451-["ev",%d,`, &i); err != nil {
				got = append(got, s)
				continue
			}
			if tail := c.read(); tail != "binary:tail" {
				t.Fatalf("event %d has %.40q for an attachment", i, tail)
			}
			if last := numbers[len(numbers)-1]; i <= last {
				t.Fatalf("event %d comes behind %d", i, last)
			} else if i > last+1 {
				gaps++
			}
			numbers = append(numbers, i)
		}
		if !slices.Equal(got, kept) {
			t.Errorf("got %s\nwant %s", shortened(got), shortened(kept))
		}
		if last := numbers[len(numbers)-1]; gaps != 1 || last != n {
			t.Errorf("%d gaps, the last event is %d of %d", gaps, last, n)
		}
		if drops := l.Stats().Engine.SlowDrops; int(drops) != n-(len(numbers)-1) {
			t.Errorf("%d of %d received, %d dropped", len(numbers)-1, n, drops)
		}
		l.healthy(t)
	})
}

// All clients of a broadcast stop reading but some. Those lose nothing.
func TestTheHealthyLoseNothingToTheSlow(t *testing.T) {
	for _, policy := range []socketio.SlowPolicy{socketio.SlowClose, socketio.SlowDropOldest} {
		t.Run(fmt.Sprint("policy ", policy), func(t *testing.T) {
			const slow, healthy, broadcasts = 60, 4, 300
			l := lag(t, socketio.Options{HighWaterMark: 50_000, SlowPolicy: policy, TurnWrites: 8})
			var lagged []wire
			for i := range slow {
				var c wire
				if i%4 == 0 {
					c = dialPolling(t, l.addr)
				} else {
					c = dialSlow(t, l.addr)
				}
				if err := l.socket(c, enter(c, "40", "40")).Join("crowd"); err != nil {
					t.Fatal(err)
				}
				lagged = append(lagged, c)
			}
			var readers sync.WaitGroup
			pace := make(chan bool, healthy)
			for range healthy {
				p, id := join(t, l.addr)
				if err := l.socket(p, id).Join("crowd"); err != nil {
					t.Fatal(err)
				}
				readers.Go(func() {
					for i := range broadcasts {
						s, err := p.next()
						ok := err == nil && strings.HasPrefix(s, fmt.Sprintf(`42["ev",%d,`, i))
						if pace <- ok; !ok {
							t.Errorf("got %.40q (%v) instead of event %d", s, err, i)
							return
						}
					}
				})
			}
			ok := true
			for i := 0; i < broadcasts && ok; i++ {
				if err := l.To("crowd").Emit("ev", i, pad); err != nil {
					t.Fatal(err)
				}
				for range healthy {
					ok = receive(t, pace) && ok
				}
			}
			readers.Wait()
			for seen := make(map[string]bool); len(seen) < slow; {
				e := receive(t, l.slow)
				if seen[e.id] || e.Cause != socketio.SlowBytes || e.Closed != (policy == socketio.SlowClose) {
					t.Fatalf("told %+v, and of it before: %v", e, seen[e.id])
				}
				seen[e.id] = true
			}
			if len(l.slow) > 0 {
				t.Errorf("told of more: %+v", <-l.slow)
			}
			if policy == socketio.SlowClose {
				eventually(t, "the slow ones are gone", func() bool { return l.Stats().Sockets["/"] == healthy+1 })
			} else if n := l.Stats().Sockets["/"]; n != slow+healthy+1 {
				t.Errorf("%d sockets left", n)
			}
			l.healthy(t)
			for _, c := range lagged {
				c.vanish()
			}
		})
	}
}
