package socketio_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Events that come too fast are dropped whole, attachments and all; acknowledgements
// are not, the client stays, and is heard again.
func TestLimitsMayDropEvents(t *testing.T) {
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		var handled, told, answers atomic.Int64
		v := socketio.New(quiet(socketio.Options{
			OnLimited: func(e socketio.Limited) {
				if e.Limit == socketio.LimitMessages && e.Dropped && e.Session != nil && e.Peer.IsLoopback() {
					told.Add(1)
				}
			},
			Limits: socketio.Limits{Messages: socketio.Rate{PerSecond: 20, Burst: 10}, DropOver: true},
		}))
		socketio.On(v, "count", func(context.Context, *socketio.Socket, socketio.Args) error {
			handled.Add(1)
			return nil
		})
		v.OnConnect(func(_ context.Context, s *socketio.Socket) error {
			go func() {
				if _, err := s.EmitWithAck(context.Background(), "ask"); err == nil {
					answers.Add(1)
				}
			}()
			return nil
		})
		c := dial(t, start(t, v))
		enter(c, "40", "40")
		c.expect(`420["ask"]`)
		var flood []string
		for range 100 {
			flood = append(flood, `42["count"]`)
		}
		c.together(append(flood, `451-["count",{"_placeholder":true,"num":0}]`)...)
		c.sendBinary(1, 2, 3)
		c.send("430[]")
		eventually(t, "the acknowledgement arrives", func() bool { return answers.Load() == 1 })
		if n := handled.Load(); n == 0 || n > 20 {
			t.Errorf("%d of 101 handled", n)
		}
		if n := told.Load(); n == 0 || n > 5 {
			t.Errorf("told %d times", n)
		}
		if n := v.Stats().Engine.Limits[socketio.LimitMessages]; n < 80 {
			t.Errorf("%d counted", n)
		}
		before := handled.Load()
		eventually(t, "the client is heard again", func() bool {
			c.send(`42["count"]`)
			return handled.Load() > before
		})
	})
}

// Attachments that do not come end their client's connection, not the others'.
func TestABinaryPacketHasToBeCompleteInTime(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		v := socketio.New(quiet(socketio.Options{Limits: socketio.Limits{MessageTimeout: 200 * time.Millisecond}}))
		socketio.OnAck(v, "echo", func(_ context.Context, _ *socketio.Socket, args socketio.Args) (socketio.Args, error) {
			return args, nil
		})
		reasons := make(chan socketio.Reason, 2)
		v.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.Reason) { reasons <- r })
		addr := start(t, v)
		healthy, c := dial(t, addr), dial(t, addr)
		enter(healthy, "40", "40")
		enter(c, "40", "40")
		c.send(`452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		c.sendBinary(1)
		healthy.send(`451-7["echo",{"_placeholder":true,"num":0}]`)
		healthy.sendBinary(1)
		if got := receive(t, reasons); got != "forced close" {
			t.Errorf("%q", got)
		}
		c.rest()
		healthy.expect(`461-7[{"_placeholder":true,"num":0}]`)
		healthy.read() // the attachment
		healthy.send(`428["echo"]`)
		healthy.expect("438[]")
	})
}
