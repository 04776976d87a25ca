package socketio_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// listening registers a listener and returns what it is told, as text.
func listening(n *socketio.Namespace, buffer int) (events chan string, remove func()) {
	events = make(chan string, buffer)
	return events, n.OnRoom(func(_ ctxt, e socketio.RoomEvent) {
		who := ""
		if e.Socket != nil {
			who = " " + e.Socket.ID()
		}
		if e.Lost > 0 {
			who = fmt.Sprint(" ", e.Lost)
		}
		events <- e.Kind.String() + " " + e.Room + who
	})
}

func expectEvents(t *testing.T, events <-chan string, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := receive(t, events); got != w {
			t.Fatalf("got %q, want %q", got, w)
		}
	}
}

// Node's four events, in Node's order; a socket's id is a room, too.
func TestRoomEvents(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 0)
	events, remove := listening(a.Of("/"), 100)
	a.Use(func(_ ctxt, s *socketio.Socket) error { return s.Join("early") })
	p, x := join(t, a.addr)
	expectEvents(t, events, "create-room "+x, "join-room "+x+" "+x, "create-room early", "join-room early "+x)
	_, y := join(t, a.addr)
	expectEvents(t, events, "create-room "+y, "join-room "+y+" "+y, "join-room early "+y)
	s, _ := a.Socket(x)
	_ = s.Join("early", "b", "b")
	s.Leave("never", "b")
	expectEvents(t, events, "create-room b", "join-room b "+x, "leave-room b "+x, "delete-room b")
	p.vanish()
	expectEvents(t, events, "leave-room "+x+" "+x, "delete-room "+x, "leave-room early "+x)

	// Who listens later is told from then on; nobody is told twice.
	other, removeOther := listening(a.Of("/"), 100)
	s, _ = a.Socket(y)
	_ = s.Join("c")
	expectEvents(t, events, "create-room c", "join-room c "+y)
	expectEvents(t, other, "create-room c", "join-room c "+y)
	remove()
	s.Leave("c")
	expectEvents(t, other, "leave-room c "+y, "delete-room c")
	removeOther()
	removeOther()
	s.Disconnect(false)
	if len(events)+len(other) > 0 {
		t.Error("told after the end")
	}
}

// The first who listens is told of the rooms that there are.
func TestRoomEventsForALateListener(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 2)
	_ = a.SocketsJoin("r")
	events, _ := listening(a.Of("/"), 100)
	var got []string
	for range 7 { // two own rooms of two events each, and three for r
		got = append(got, receive(t, events))
	}
	for _, want := range []string{"create-room r", "join-room r " + a.id(0), "join-room r " + a.id(1), "join-room " + a.id(1) + " " + a.id(1)} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	a.sockets[0].Leave("r")
	expectEvents(t, events, "leave-room r "+a.id(0))
}

// A listener that does not keep up is told how much it has missed.
func TestRoomEventsThatAreLostAreCounted(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{MaxNotices: 2}, 1)
	events, remove := listening(a.Of("/"), 0)
	defer remove()
	expectEvents(t, events, "create-room "+a.id(0))
	// The worker is at the second one and waits for the test, nothing else is queued.
	eventually(t, "the second event is taken", func() bool { return socketio.QueuedRoomEvents(a.Of("/")) == 0 })
	_ = a.sockets[0].Join("x") // two that fit
	_ = a.sockets[0].Join("y") // two that do not
	expectEvents(t, events, "join-room "+a.id(0)+" "+a.id(0), "create-room x", "join-room x "+a.id(0), "lost  2")
	_ = a.sockets[0].Join("z")
	expectEvents(t, events, "create-room z", "join-room z "+a.id(0))
	if n := a.Stats().NoticesLost; n != 2 {
		t.Errorf("%d lost", n)
	}
}

// A panic costs one event.
func TestRoomEventsOutliveAPanic(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 1)
	seen := make(chan string, 10)
	a.OnRoom(func(_ ctxt, e socketio.RoomEvent) {
		if seen <- e.Room; e.Kind == socketio.RoomCreated {
			panic("a bug")
		}
	})
	for range 2 {
		receive(t, seen)
	}
	if n := a.Stats().Panics; n != 1 {
		t.Errorf("%d panics", n)
	}
}
