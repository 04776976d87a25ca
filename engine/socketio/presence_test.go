package socketio_test

import (
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Two windows of one user count once; sockets that are nobody's do not count.
func TestPresenceCountsUsers(t *testing.T) {
	t.Parallel()
	user := socketio.NewKey[string]()
	a := seat(t, socketio.Options{}, 4)
	user.Set(a.sockets[0], "ann")
	_ = a.sockets[0].Join("room/early")
	p := socketio.NewPresence(a.Of("/"), user, socketio.PresenceOptions{Prefix: "room/"})
	changes := make(chan socketio.PresenceEvent, 10)
	remove := p.OnChange(func(_ ctxt, e socketio.PresenceEvent) { changes <- e })
	if got := p.Members("room/early"); !slices.Equal(got, []string{"ann"}) {
		t.Errorf("those who were there before: %v", got)
	}
	user.Set(a.sockets[1], "ann")
	user.Set(a.sockets[2], "bob")
	_ = a.SocketsJoin("room/1", "hall")
	want := map[string]bool{"ann": true, "bob": true}
	for range 2 {
		if e := receive(t, changes); e.Room != "room/1" || !e.Joined || !want[e.Member] {
			t.Errorf("%+v", e)
		} else {
			delete(want, e.Member)
		}
	}
	if got := p.Members("room/1"); !slices.Equal(got, []string{"ann", "bob"}) || p.Sockets("room/1", "ann") != 2 || p.Count("hall") != 0 {
		t.Errorf("%v, %d sockets of ann", got, p.Sockets("room/1", "ann"))
	}
	// One who says later who it is counts from the next join on, for all its rooms.
	user.Set(a.sockets[3], "cleo")
	_ = a.sockets[3].Join("any")
	if e := receive(t, changes); e != (socketio.PresenceEvent{Room: "room/1", Member: "cleo", Joined: true}) {
		t.Errorf("%+v", e)
	}
	// Changing the value does not change who it is.
	user.Set(a.sockets[3], "nobody")
	a.sockets[0].Leave("room/1")
	a.sockets[3].Leave("room/1")
	if e := receive(t, changes); e != (socketio.PresenceEvent{Room: "room/1", Member: "cleo"}) {
		t.Errorf("%+v", e)
	}
	a.clients[1].vanish()
	if e := receive(t, changes); e != (socketio.PresenceEvent{Room: "room/1", Member: "ann"}) {
		t.Errorf("%+v", e)
	}
	remove()
	p.Close()
	a.sockets[2].Disconnect(false)
	if got := p.Members("room/1"); !slices.Equal(got, []string{"bob"}) || len(changes) > 0 {
		t.Errorf("after the end: %v", got)
	}
}

func TestPresenceIsBounded(t *testing.T) {
	t.Parallel()
	user := socketio.NewKey[string]()
	a := seat(t, socketio.Options{}, 3)
	p := socketio.NewPresence(a.Of("/"), user, socketio.PresenceOptions{MaxEntries: 1})
	for i, name := range []string{"ann", "bob", "ann"} {
		user.Set(a.sockets[i], name)
		_ = a.sockets[i].Join("r")
	}
	if got := p.Members("r"); !slices.Equal(got, []string{"ann"}) || p.Sockets("r", "ann") != 2 {
		t.Errorf("%v", got)
	}
	if p.Refused() != 1 || a.Stats().PresenceRefused != 1 {
		t.Errorf("%d refused", p.Refused())
	}
	a.sockets[1].Leave("r") // was not counted, and is not missed
	a.sockets[0].Leave("r")
	a.sockets[2].Leave("r")
	_ = a.sockets[1].Join("r")
	if got := p.Members("r"); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("%v", got)
	}
}
