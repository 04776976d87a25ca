package socketio_test

import (
	"context"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Heartbeats keep a session from running out, and say how far a client is that hears
// nothing.
func TestSessionsAreToldOfAgain(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, socketio.Options{
		PingInterval: 50 * time.Millisecond, PingTimeout: patience,
		ConnectionStateRecovery: &socketio.Recovery{MaxDisconnectionDuration: 100 * time.Millisecond},
	})
	c, _ := f.roamer(t, 0)
	answered, conn := make(chan bool), c.conn
	t.Cleanup(func() { _ = conn.Close(); <-answered })
	go func() { // answers heartbeats, and hears nothing else
		defer close(answered)
		for _, err := c.next(); err == nil; _, err = c.next() {
		}
	}()
	eventually(t, "it is told of", func() bool { return f.has(c.pid) != nil })
	first := f.has(c.pid)
	must(t, f.servers[1].To("elsewhere").Emit("not its business"))
	eventually(t, "it is known that there is nothing that it could have missed", func() bool {
		s := f.has(c.pid)
		return s != first && s.Offset == entryOffset(0)
	})
	if first.Offset != entryOffset(-1) || first.TTL < 2*patience {
		t.Errorf("at first: %+v", first)
	}
}

// inert is a SessionKeeper that takes its time, and fails.
type inert struct {
	*reader
	entered, goOn chan bool
}

func (a inert) KeepSession(ctx context.Context, s *socketio.SessionState) error {
	a.entered <- true
	<-a.goOn
	_ = a.reader.KeepSession(ctx, s)
	panic("no store")
}

// What is told of a socket that is lost meanwhile is told later.
func TestSessionsAreToldOfInOrder(t *testing.T) {
	for _, kick := range []bool{false, true} {
		l := newLedger(true)
		entered, goOn := make(chan bool, 10), make(chan bool)
		w := recoveringWith(t, socketio.Options{
			ConnectionStateRecovery: &socketio.Recovery{},
			OnError:                 func(context.Context, *socketio.Socket, error) {},
			Adapter: func(m *socketio.MemoryAdapter) socketio.Adapter {
				return inert{l.adapter(m).(*reader), entered, goOn}
			},
		})
		c, s := w.visitor(t)
		receive(t, entered)
		must(t, s.Join("late"))
		if kick {
			s.Disconnect(false)
			goOn <- true
			eventually(t, "it is dropped, and not kept", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.dropped) == 1 && len(l.sessions) == 0
			})
			continue
		}
		c.vanish()
		eventually(t, "it is lost", func() bool { return w.Stats().Recovery.Waiting == 1 })
		close(goOn)
		eventually(t, "it is persisted", func() bool {
			s := l.has(c.pid)
			return s != nil && len(s.Rooms) == 1
		})
	}
}

// Who was lost and is back on the same server is told of again: what was persisted is
// forgotten, and the server may be killed the next moment.
func TestSessionsOfWhoIsBackAreToldOf(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, socketio.Options{})
	c, s := f.roamer(t, 0)
	must(t, s.Join("room"))
	live := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.sessions[c.pid].live
	}
	eventually(t, "it is told of", live)
	f.servers[0].loses(c)
	eventually(t, "it is persisted", func() bool { return f.has(c.pid) != nil && !live() })
	f.goesTo(c, 0)
	eventually(t, "it is told of again", live)
}
