package socketio_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What a program needs that shows a server from within: an operator's page, a trace.

func TestOnOutgoingSaysWhomAnEventIsFor(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 1)
	n, s := a.Of("/"), a.sockets[0]
	var seen []string
	remove := n.OnOutgoing(func(o socketio.Outgoing) {
		who := "many"
		if o.Socket != nil {
			who = o.Socket.ID()
		}
		seen = append(seen, fmt.Sprint(o.Event, o.Args, who, o.Rooms, o.Except))
	})
	_ = s.Emit("one", 1)
	_ = n.Emit("all")
	_ = n.To("a", "b").Except("c").Emit("some", 2)
	_ = s.To("a").Emit("others")
	remove()
	_ = n.Emit("unseen")
	want := []string{
		"one[1]" + s.ID() + "[] []", "all[]many[] []", "some[2]many[a b] [c]", "others[]many[a] [" + s.ID() + "]",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q\nwant %q", seen, want)
	}
}

func TestRoomEventsSayWhyASocketHasLeft(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 2)
	events := make(chan string, 100)
	defer a.OnRoom(func(_ ctxt, e socketio.RoomEvent) {
		if e.Kind == socketio.RoomLeft {
			events <- e.Room + ": " + string(e.Reason)
		}
	})()
	for i, s := range a.sockets {
		_ = s.Join("r")
		s.Leave("r")
		expectEvents(t, events, "r: ")
		_ = s.Join("q")
		if i == 0 {
			s.Disconnect(false)
			expectEvents(t, events, s.ID()+": server namespace disconnect", "q: server namespace disconnect")
		} else {
			a.clients[i].vanish()
			expectEvents(t, events, s.ID()+": transport close", "q: transport close")
		}
	}
}

func TestNamespacesAreListed(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.Of("/b")
	io.OfPattern(anyRoom)
	io.Of("/room-1")
	var names []string
	for _, n := range io.Namespaces() {
		names = append(names, n.Name())
	}
	slices.Sort(names)
	if want := []string{"/", "/b", "/room-1"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestSocketsOfAClientShareTheNameOfItsConnection(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.Of("/b")
	addr := start(t, io)
	p, id := join(t, addr)
	p.send("40/b")
	other := p.sid("40/b,")
	_, stranger := join(t, addr)

	s, _ := io.Socket(id)
	same, _ := io.Of("/b").Socket(other)
	another, _ := io.Socket(stranger)
	if s.ConnID() != same.ConnID() || s.ConnID() == another.ConnID() || len(s.ConnID()) != 12 {
		t.Errorf("%q, %q and %q", s.ConnID(), same.ConnID(), another.ConnID())
	}
	if strings.Contains(p.open, s.ConnID()) {
		t.Error("it is in the session's id")
	}
}

func TestStateIsWhatOthersMayKnow(t *testing.T) {
	t.Parallel()
	user, secret := socketio.NewSharedKey[string]("user"), socketio.NewKey[string]()
	io := socketio.New(quiet(socketio.Options{KeepHandshake: true}))
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		user.Set(s, "ada")
		secret.Set(s, "s3cret")
		return s.Join("r")
	})
	_, id := join(t, start(t, io))
	s, _ := io.Socket(id)
	eventually(t, "it is in the room", func() bool { return len(s.Rooms()) == 2 })
	st := s.State()
	if st.ID != id || !slices.Equal(st.Rooms, []string{id, "r"}) || len(st.Data) != 1 || string(st.Data["user"]) != `"ada"` {
		t.Errorf("%+v", st)
	}
	if !strings.HasPrefix(st.Handshake.URL, "/socket.io/?EIO=4") {
		t.Errorf("the handshake is not there: %+v", st.Handshake)
	}
}
