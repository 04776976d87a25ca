package socketio_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func TestDurationsAreCountedByNamespace(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	children := io.OfPattern(regexp.MustCompile(`^/room-\d+$`))
	for _, r := range []socketio.Registrar{io, io.Of("/quiet"), children} {
		socketio.On(r, "event", func(ctxt, *socketio.Socket, struct{}) error { return nil })
	}
	s := socketiotest.Start(t, io)
	c := s.Connect()
	a, b := c.Of("/room-1", nil), c.Of("/room-2", nil)
	for range 35 { // one in seven, whoever sends it
		a.Emit("event")
		b.Emit("event")
	}
	for _, each := range []*socketiotest.Client{a, b} {
		done := make(chan error, 1)
		go func() {
			_, err := each.Socket().EmitWithAck(context.Background(), "are you there")
			done <- err
		}()
		each.Next().Ack("yes")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "10 events are timed", func() bool { h := io.Stats().Handlers[children.Name()]; return h.Count() == 10 })
	st := io.Stats()
	for name, want := range map[string]uint64{"/": 0, "/quiet": 0, children.Name(): 2} {
		acks, ok := st.Acks[name]
		if !ok || acks.Count() != want || (acks.Sum > 0) != (want > 0) {
			t.Errorf("%s: %+v, want %d", name, acks, want)
		}
	}
	if len(st.Handlers) != 3 || len(st.Acks) != 3 {
		t.Errorf("children have numbers of their own: %v", st.Handlers)
	}
}

func TestRoomsAreCountedOnce(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{Loops: 2, MaxRooms: 10_000}))
	other := io.Of("/other")
	count := func(want int, off float64) {
		t.Helper()
		n, err := io.CountRooms(context.Background())
		if d := float64(n - want); err != nil || d > off || d < -off {
			t.Errorf("%d rooms, want %d: %v", n, want, err)
		}
	}
	count(0, 0)
	addr := start(t, io)
	for range 6 { // at both loops, most likely
		p, _ := join(t, addr)
		p.send("40/other")
		p.sid("40/other,")
	}
	count(0, 0) // the rooms that sockets' ids are
	for _, s := range append(io.Sockets(), other.Sockets()...) {
		_ = s.Join("the same", "", "room of "+s.ID())
	}
	count(2*2+12, 0)
	for _, s := range io.Sockets() {
		for i := range 9000 {
			_ = s.Join(fmt.Sprint(i))
		}
	}
	count(2*2+12+9000, 900) // beyond 4096 it is an estimate
}
