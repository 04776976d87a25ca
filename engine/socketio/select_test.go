package socketio_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
)

func TestLookups(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 2)
	if s, ok := a.Socket(a.id(1)); !ok || s != a.sockets[1] {
		t.Error("not found")
	}
	if _, ok := a.Socket("nobody"); ok {
		t.Error("found nobody")
	}
	if all := a.Sockets(); len(all) != 2 || a.SocketCount() != 2 || !slices.Contains(all, a.sockets[0]) {
		t.Errorf("%v", all)
	}
	_ = a.sockets[0].Send("to one")
	_ = a.Send("to all", 1)
	a.clients[0].expect(`42["message","to one"]`, `42["message","to all",1]`)
	a.clients[1].expect(`42["message","to all",1]`)
}

// A socket's id is also the room of those who have joined a room of that name.
func TestSocketsJoinKnowsRoomsCalledLikeIDs(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 3)
	in := func(room string) int {
		n, err := a.RoomSize(t.Context(), room)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	_ = a.To(a.id(0), a.id(0)).SocketsJoin("before")
	_ = a.sockets[1].Join(a.id(0))
	_ = a.To(a.id(0)).SocketsJoin("after")
	_ = a.To(a.id(0)).Except(a.id(1)).SocketsJoin("without")
	if in("before") != 1 || in("after") != 2 || in("without") != 1 || in(a.id(0)) != 2 {
		t.Errorf("%d, %d, %d, %d", in("before"), in("after"), in("without"), in(a.id(0)))
	}
	all, err := a.To(a.id(0)).FetchSockets(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%v, %v", all, err)
	}
	_ = a.sockets[2].Broadcast().To("after", a.id(2)).SocketsLeave("after")
	if in("after") != 0 {
		t.Error("somebody is left")
	}
}

// Sockets that may return are counted, found and moved like others.
func TestOperatorsWithRecovery(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}}))
	events, _ := listening(server.Of("/"), 100)
	p := dial(t, start(t, server))
	p.send("40")
	p.read()
	eventually(t, "it is in", func() bool { return server.SocketCount() == 1 })
	s := server.Sockets()[0]
	_ = server.To(s.ID()).SocketsJoin("r")
	for room, want := range map[string]int{s.ID(): 1, "r": 1} {
		if n, err := server.RoomSize(t.Context(), room); n != want || err != nil {
			t.Errorf("%q: %d, %v", room, n, err)
		}
		if all, err := server.To(room).FetchSockets(t.Context()); len(all) != want || err != nil {
			t.Errorf("%q: %v, %v", room, all, err)
		}
	}
	if rooms, err := server.Rooms(t.Context()); err != nil || len(rooms) != 1 || rooms["r"] != 1 {
		t.Errorf("%v, %v", rooms, err)
	}
	got := asking(t.Context(), server.To("r"), "ask")
	p.expect(`420["ask"]`) // and no offset behind it
	p.send(`430[]`)
	receive(t, got)
	ends(t, got)
	expectEvents(t, events, "create-room "+s.ID(), "join-room "+s.ID()+" "+s.ID(), "create-room r", "join-room r "+s.ID())
	h := server.Of("/").History("old")
	if _, err := h.Join(s, ""); err != nil {
		t.Error(err)
	}
	expectEvents(t, events, "create-room old", "join-room old "+s.ID())
}

// Clients of Socket.IO 2 have ids of another kind.
func TestOperatorsWithSocketIO2(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{AllowEIO3: true}, 1)
	d := ws.Dialer{Timeout: patience}
	conn, br, _, err := d.Dial(t.Context(), "ws://"+a.addr+"/socket.io/?EIO=3&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	p := &peer{TB: t, conn: conn, rw: conn}
	if br != nil {
		p.rw = struct {
			io.Reader
			io.Writer
		}{br, conn}
	}
	p.read()
	p.expect("40")
	all, err := a.Except(a.id(0)).FetchSockets(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	id := all[0].ID()
	if s, ok := a.Socket(id); !ok || s.ID() != id {
		t.Error("not found by its id")
	}
	_ = a.To(id, a.id(0)).SocketsJoin("r")
	for room, want := range map[string]int{"r": 2, id: 1} {
		if n, err := a.RoomSize(t.Context(), room); n != want || err != nil {
			t.Errorf("%q: %d, %v", room, n, err)
		}
	}
	got := asking(t.Context(), a.To(id), "ask")
	p.expect(`420["ask"]`)
	p.send(`430[7]`)
	if v := receive(t, got); v != (verdict{id, "[7]"}) {
		t.Error(v)
	}
	ends(t, got)
}

// One socket that cannot join does not keep the others out.
func TestSocketsJoinTellsOfRoomsTooMany(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{MaxRooms: 1}, 2)
	_ = a.sockets[0].Join("x")
	if err := a.SocketsJoin("y"); !errors.Is(err, socketio.ErrTooManyRooms) {
		t.Error(err)
	}
	if rooms, err := a.Rooms(t.Context()); err != nil || rooms["x"] != 1 || rooms["y"] != 1 {
		t.Errorf("%v, %v", rooms, err)
	}
}

// The fetched socket of this server is that socket.
func TestFetchedSocketsOfThisServer(t *testing.T) {
	t.Parallel()
	user := socketio.NewKey[string]()
	a := seat(t, socketio.Options{}, 1)
	s, client := a.sockets[0], a.clients[0]
	user.Set(s, "ann")
	all, err := a.FetchSockets(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	r := all[0]
	if got, ok := r.Local(); !ok || got != s {
		t.Error("another one")
	}
	if name, ok := user.Of(r); !ok || name != "ann" {
		t.Error(name)
	}
	if h := r.Handshake(); h == nil || h.Query.Has("EIO") || socketio.HasRequest(s) {
		t.Errorf("released, and back: %+v", h)
	}
	_ = r.Join("x", "y")
	_ = r.Leave("x")
	if !slices.Equal(r.Rooms(), []string{s.ID(), "y"}) {
		t.Error(r.Rooms())
	}
	_ = r.Emit("m")
	client.expect(`42["m"]`)
	asked := make(chan error, 1)
	go func() { _, err := r.EmitWithAck(context.Background(), "ask"); asked <- err }()
	client.expect(`420["ask"]`)
	_ = r.Disconnect(true)
	if err := receive(t, asked); !errors.Is(err, socketio.ErrDisconnected) {
		t.Error(err)
	}
	client.expect("41")
	closesSilently(client)
}

// What waits for event loops waits no longer than its context.
func TestFetchSocketsWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 1)
	inside, leave := make(chan struct{}), make(chan struct{})
	socketio.On(a, "block", func(ctxt, *socketio.Socket, struct{}) error { inside <- struct{}{}; <-leave; return nil }, socketio.Inline)
	a.clients[0].send(`42["block"]`)
	receive(t, inside) // one loop is not to be had
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := a.FetchSockets(ctx); !errors.Is(err, enough) {
		t.Errorf("fetch: %v", err)
	}
	if _, err := a.To("x", "y").Count(ctx); !errors.Is(err, enough) {
		t.Errorf("count: %v", err)
	}
	if _, err := a.RoomSize(ctx, "x"); !errors.Is(err, enough) {
		t.Errorf("size: %v", err)
	}
	if _, err := a.Rooms(ctx); !errors.Is(err, enough) {
		t.Errorf("rooms: %v", err)
	}
	if _, err := a.sockets[0].Queue(ctx); !errors.Is(err, enough) {
		t.Errorf("queue: %v", err)
	}
	if n := a.SocketCount(); n != 1 {
		t.Error(n)
	}
	close(leave)
}

// So many rooms that each of them is not compared with all others are joined as few are.
func TestManyRoomsAtOnce(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{MaxRooms: 100}, 1)
	s := a.sockets[0]
	_ = s.Join("7")
	rooms := []string{s.ID()}
	for i := range 200 {
		rooms = append(rooms, strconv.Itoa(i%100))
	}
	if err := s.Join(rooms...); err != nil {
		t.Fatal(err)
	}
	if got := s.Rooms(); len(got) != 101 || got[1] != "7" || got[100] != "99" {
		t.Errorf("%d rooms: %v", len(got), got)
	}
	if err := s.Join(rooms...); err != nil {
		t.Error(err)
	}
	if err := s.Join(append(rooms, "x")...); !errors.Is(err, socketio.ErrTooManyRooms) {
		t.Error(err)
	}
}
