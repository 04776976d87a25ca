package socketio_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What one event causes is more than the loops take in a turn: the handlers of the next ones
// wait, in the order of events, and all of it is done in the end; also while the server stops.
func TestHandlersWaitForLoopsThatHaveMuchToDo(t *testing.T) {
	t.Parallel()
	const events, each = 50, 2000
	var handled, inline atomic.Int64
	v := socketio.New(quiet(socketio.Options{MaxTasks: 1, TurnWrites: 1}))
	busy := func(n *atomic.Int64) func(context.Context, *socketio.Socket, socketio.Args) error {
		return func(_ context.Context, s *socketio.Socket, _ socketio.Args) error {
			n.Add(1)
			for range each {
				if err := v.To("nobody").Emit("x"); err != nil {
					return err
				}
			}
			return s.Emit("done")
		}
	}
	socketio.On(v, "busy", busy(&handled))
	socketio.On(v, "inline", busy(&inline), socketio.Inline)
	addr := start(t, v)
	c, _ := join(t, addr)
	flood := strings.Split(strings.Repeat(`42["busy"] `, events), " ")[:events]
	for range 2 {
		for _, f := range flood {
			c.send(f)
		}
		for range flood {
			c.expect(`42["done"]`)
		}
	}
	c.send(`42["inline"]`) // on a loop, which must not wait for itself
	c.expect(`42["done"]`)
	if n := handled.Load(); n != 2*events || inline.Load() != 1 {
		t.Errorf("%d handled", n)
	}
	if v.Stats().Engine.Congested == 0 {
		t.Error("no handler had to wait")
	}
	for _, f := range flood { // and Shutdown, which start does, is over in time
		c.send(f)
	}
	eventually(t, "handlers run again", func() bool { return handled.Load() > 2*events })
}
