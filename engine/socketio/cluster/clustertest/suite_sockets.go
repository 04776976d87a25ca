package clustertest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// ids are those of the members, sorted.
func ids(members ...*member) (list []string) {
	for _, m := range members {
		list = append(list, m.ID())
	}
	slices.Sort(list)
	return list
}

func found(list []*socketio.RemoteSocket) (ids []string) {
	for _, r := range list {
		ids = append(ids, r.ID())
	}
	slices.Sort(ids)
	return ids
}

func fetch(h *hall) {
	a, b := h.seats[0][0], h.seats[1][0]
	h.join(a, "some", "x")
	h.join(b, "some")
	socketData.Set(b.Socket(), map[string]any{"name": "bé", "n": 7.0})
	for i, n := range h.at {
		all, err := n.FetchSockets(h.ctx())
		if err != nil || !slices.Equal(found(all), ids(h.all()...)) {
			h.Errorf("all from %d: %v, %v", i, found(all), err)
		}
		here, err := n.Local().FetchSockets(h.ctx())
		if err != nil || !slices.Equal(found(here), ids(h.seats[i]...)) {
			h.Errorf("local at %d: %v, %v", i, found(here), err)
		}
		some, err := n.To("some").Except("x").FetchSockets(h.ctx())
		if err != nil || !slices.Equal(found(some), ids(b)) {
			h.Fatalf("one from %d: %v, %v", i, found(some), err)
		}
		none, err := n.To("none").FetchSockets(h.ctx())
		if err != nil || len(none) != 0 {
			h.Errorf("none from %d: %v, %v", i, found(none), err)
		}
		r := some[0]
		if _, local := r.Local(); local != (i == 1) || !slices.Equal(slices.Sorted(slices.Values(r.Rooms())), slices.Sorted(slices.Values([]string{b.ID(), "some"}))) {
			h.Errorf("from %d: local %v, rooms %v", i, local, r.Rooms())
		}
		if v, ok := socketData.Of(r); !ok || !maps.Equal(v, map[string]any{"name": "bé", "n": 7.0}) {
			h.Errorf("from %d: data %v", i, v)
		}
		hs := r.Handshake()
		if hs.Query.Get("EIO") != "4" || hs.Address != "192.0.2.1" || string(hs.Auth) != `{"token":"t"}` || hs.Headers.Get("Host") == "" || hs.Issued == 0 || hs.Time.UnixMilli() != hs.Issued {
			h.Errorf("from %d: handshake %+v", i, hs)
		}
	}
}

func remoteSockets(h *hall) {
	for from, n := range h.at {
		for to, m := range h.seats {
			list, err := n.To(m[1].ID()).FetchSockets(h.ctx())
			if err != nil || len(list) != 1 {
				h.Fatalf("%d to %d: %v, %v", from, to, list, err)
			}
			r := list[0]
			h.ok(r.Emit("hello", from, []byte{1}))
			m[1].expect("hello", from, []byte{1})
			wait := later(func() (socketio.Args, error) { return r.EmitWithAck(h.ctx(), "ask", from) })
			m[1].expect("ask", from).Ack("yes", to)
			if got, err := wait(h); err != nil || string(got.Raw(0)) != `"yes"` {
				h.Errorf("%d to %d: %v, %v", from, to, got, err)
			}
			joined := fmt.Sprint("joined by ", from)
			h.ok(r.Join(joined))
			h.ok(r.Emit("here")) // which comes behind it
			m[1].expect("here")
			h.reaches(joined, m[1])
			h.ok(r.Leave(joined))
			h.ok(r.Emit("gone"))
			m[1].expect("gone")
			h.ok(n.To(joined).Emit("lost"))
		}
	}
	h.fence(h.all()...)
}

func moving(h *hall) {
	a, b, c := h.seats[0][0], h.seats[1][0], h.seats[2][0]
	h.ok(h.at[0].To(a.ID(), b.ID(), c.ID()).SocketsJoin("one", "two"))
	h.settle()
	h.reaches("one", a, b, c)
	h.reaches("two", a, b, c)
	h.ok(h.at[1].To("one").Except(c.ID()).SocketsLeave("two"))
	h.settle()
	for i, n := range h.at {
		h.ok(n.To("two").Emit("two", i))
		c.expect("two", i)
		h.ok(n.To("one").Emit("one", i))
		each([]*member{a, b, c}, "one", i)
	}
	h.ok(h.at[2].Local().SocketsJoin("here"))
	h.reaches("here", h.seats[2]...)
	h.ok(h.at[0].To("here").Emit("here"))
	each(h.seats[2], "here")
	h.ok(h.at[2].SocketsJoin("all"))
	h.settle()
	h.reaches("all", h.all()...)
	h.ok(h.at[1].SocketsLeave("all", "one", "two"))
	h.settle()
	h.ok(h.at[0].To("all", "one", "two").Emit("lost"))
	h.fence(h.all()...)
}

// settle waits until all have done what any of the servers has asked them for before.
func (h *hall) settle() {
	h.Helper()
	for i, n := range h.at {
		h.ok(n.Emit(probe, "settled", i))
		for _, row := range h.seats {
			row[seats-1].until("settled", i)
		}
	}
}

func disconnecting(h *hall) {
	a, b, c := h.seats[0][0], h.seats[1][0], h.seats[2][0]
	h.join(b, "leaving")
	h.join(c, "leaving", "staying")
	h.ok(h.at[0].To("leaving").Except("staying").DisconnectSockets(false))
	if why := b.Disconnected(); why != socketiotest.ServerDisconnect {
		h.Errorf("disconnected: %q", why)
	}
	h.ok(h.at[0].To(c.ID()).DisconnectSockets(true))
	if why := c.Disconnected(); why != socketiotest.TransportClose && why != socketiotest.ServerDisconnect {
		h.Errorf("hung up on: %q", why)
	}
	h.fence(a, h.seats[1][1], h.seats[2][1])
	h.ok(h.at[2].Local().DisconnectSockets(false))
	h.seats[2][1].Disconnected()
	h.fence(a, h.seats[0][1], h.seats[1][1])
}

func counts(h *hall) {
	a, b, c := h.seats[0][0], h.seats[1][0], h.seats[2][0]
	h.join(a, "red", "blue")
	h.join(b, "red")
	h.join(c, "red")
	for i, n := range h.at {
		for what, count := range map[string]struct {
			f    func(context.Context) (int, error)
			want int
		}{
			"servers": {n.ServerCount, servers},
			"all":     {n.To().Count, servers * seats},
			"local":   {n.Local().Count, seats},
			"red":     {n.To("red").Count, 3},
			"both":    {n.To("red", "blue", h.seats[0][1].ID()).Except(b.ID()).Count, 3},
			"one":     {n.To(c.ID()).Count, 1},
			"none":    {n.To("none").Count, 0},
		} {
			if got, err := count.f(h.ctx()); err != nil || got != count.want {
				h.Errorf("server %d: %s: %d, %v; want %d", i, what, got, err, count.want)
			}
		}
		sizes, err := n.Rooms(h.ctx())
		if err != nil || !maps.Equal(sizes, map[string]int{"red": 3, "blue": 1}) {
			h.Errorf("server %d: rooms %v, %v", i, sizes, err)
		}
		local, err := n.LocalRooms(h.ctx())
		want := map[string]int{"red": 1}
		if i == 0 {
			want["blue"] = 1
		}
		if err != nil || !maps.Equal(local, want) {
			h.Errorf("server %d: its rooms %v, %v", i, local, err)
		}
	}
}
