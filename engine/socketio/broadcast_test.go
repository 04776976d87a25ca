package socketio_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"pgregory.net/rapid"
)

// crowd is a few clients of one namespace and their sockets.
type crowd struct {
	io      *socketio.Server
	peers   []*peer
	sockets []*socketio.Socket
}

func gather(t *testing.T, n int) *crowd {
	c := &crowd{io: socketio.New(quiet(socketio.Options{}))}
	sockets := make(chan *socketio.Socket, 1)
	c.io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	addr := start(t, c.io)
	for range n {
		p, _ := join(t, addr)
		c.peers = append(c.peers, p)
		c.sockets = append(c.sockets, receive(t, sockets))
	}
	return c
}

// hear returns who receives the event, by letting an event to everyone follow it.
func (c *crowd) hear(tb testing.TB, event string) (who []int) {
	tb.Helper()
	if err := c.io.Emit("end"); err != nil {
		tb.Fatal(err)
	}
	for i, p := range c.peers {
		for got := p.read(); got != `42["end"]`; got = p.read() {
			if got != event {
				tb.Fatalf("client %d got %s, want %s", i, got, event)
			}
			who = append(who, i)
		}
	}
	return who
}

func TestBroadcastOperators(t *testing.T) {
	t.Parallel()
	c := gather(t, 4)
	io, s := c.io, c.sockets
	for i, rooms := range [][]string{{"a", "odd"}, {"a", "b"}, {"b"}, nil} {
		if err := s[i].Join(rooms...); err != nil {
			t.Fatal(err)
		}
	}
	ab := io.To("a", "b")
	for _, tt := range []struct {
		name string
		to   socketio.Emitter
		want []int
	}{
		{"everyone", io, []int{0, 1, 2, 3}},
		{"namespace", io.Of("/"), []int{0, 1, 2, 3}},
		{"a room", io.To("a"), []int{0, 1}},
		{"a union, once each", io.In("a").In("b"), []int{0, 1, 2}},
		{"the same, shared", ab, []int{0, 1, 2}},
		{"less a room", ab.Except("odd"), []int{1, 2}},
		{"ab is unchanged", ab, []int{0, 1, 2}},
		{"everyone less a room", io.Except("a"), []int{2, 3}},
		{"an id", io.To(s[3].ID()), []int{3}},
		{"an id and a room, flags", io.To(s[0].ID()).To("a").Volatile().Local().Compress(false), []int{0, 1}},
		{"less an id", io.Except(s[0].ID(), s[3].ID()), []int{1, 2}},
		{"an unknown id", io.To(strings.Repeat("x", 20)), nil},
		{"broadcast", s[1].Broadcast(), []int{0, 2, 3}},
		{"a room from a member", s[1].To("a"), []int{0}},
		{"in, from a member", s[1].In("a", "b"), []int{0, 2}},
		{"except, from a member", s[1].Except("odd"), []int{2, 3}},
		{"local, from a member", s[1].Local(), []int{0, 2, 3}},
		{"oneself", s[1].Volatile(), []int{1}},
		{"volatile from the server", io.Volatile(), []int{0, 1, 2, 3}},
		{"uncompressed, local", io.Compress(false).Local(), []int{0, 1, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.to.Emit("ev", 1); err != nil {
				t.Fatal(err)
			}
			if got := c.hear(t, `42["ev",1]`); !slices.Equal(got, tt.want) {
				t.Errorf("heard by %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNamespacesAreApart(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	chat := io.Of("/chat")
	sockets := make(chan *socketio.Socket, 1)
	for _, n := range []*socketio.Namespace{io.Of("/"), chat} {
		n.OnConnect(func(_ ctxt, s *socketio.Socket) error {
			defer func() { sockets <- s }()
			return s.Join("e", "")
		})
	}
	p, _ := join(t, start(t, io))
	main := receive(t, sockets)
	p.send("40/chat")
	p.sid("40/chat,")
	s := receive(t, sockets)
	_ = io.Emit("1")
	_ = chat.Emit("2", []byte("x"))
	_ = io.To("e").Emit("3")
	_ = chat.To("").Emit("4")
	_ = chat.To(main.ID()).Emit("nobody")
	_ = s.Broadcast().Emit("nobody")
	_ = s.Emit("5")
	p.expect(`42["1"]`, `451-/chat,["2",{"_placeholder":true,"num":0}]`, "binary:x", `42["3"]`, `42/chat,["4"]`, `42/chat,["5"]`)
}

func TestOutgoingHandlers(t *testing.T) {
	t.Parallel()
	c := gather(t, 2)
	var seen []string
	removeAll := c.io.OnAnyOutgoing(func(event string, args []any) { seen = append(seen, fmt.Sprint("all:", event, args)) })
	c.sockets[0].OnAnyOutgoing(func(event string, args []any) { seen = append(seen, fmt.Sprint("own:", event, args)) })
	c.sockets[0].OnAnyOutgoing(func(string, []any) { t.Error("removed") })()
	_ = c.sockets[0].Emit("a", 1)
	_ = c.sockets[1].Emit("b")
	_ = c.io.Emit("c", 2)
	removeAll()
	_ = c.io.Emit("d")
	if got := strings.Join(seen, " "); got != "own:a[1] all:a[1] all:b[] all:c[2] own:c[2] own:d[]" {
		t.Errorf("seen: %s", got)
	}
}

func TestRoomLimits(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{MaxRooms: 3}))
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	p, sid := join(t, start(t, io))
	s := receive(t, sockets)
	long := strings.Repeat("r", socketio.MaxRoomName)
	if err := s.Join(long + "r"); !errors.Is(err, socketio.ErrRoomName) {
		t.Errorf("err = %v", err)
	}
	if err := s.Join("a", long, "a", sid); err != nil {
		t.Fatal(err)
	}
	if err := s.Join("b", "c"); !errors.Is(err, socketio.ErrTooManyRooms) {
		t.Errorf("err = %v", err)
	}
	if got := s.Rooms(); !slices.Equal(got, []string{sid, "a", long}) {
		t.Errorf("rooms = %v", got)
	}
	s.Leave("a", "never", sid)
	if err := s.Join("b", "c"); err != nil {
		t.Fatal(err)
	}
	s.Leave("b", "c", long)
	if got := s.Rooms(); !slices.Equal(got, []string{sid}) {
		t.Errorf("rooms = %v", got)
	}
	s.Disconnect(true)
	p.expectClosed()
	if err := s.Join("x"); err != nil || len(s.Rooms()) != 0 {
		t.Errorf("Join after the end: %v, %v", err, s.Rooms())
	}
}

// Random joins, leaves and broadcasts against a model of sets.
func TestRoomsAgainstModel(t *testing.T) {
	t.Parallel()
	const n = 5
	c := gather(t, n)
	rapid.Check(t, func(t *rapid.T) {
		model := [n]map[string]bool{}
		for i := range model {
			model[i] = map[string]bool{c.sockets[i].ID(): true}
		}
		names := []string{"a", "b", "c", c.sockets[0].ID(), c.sockets[1].ID()}
		for _, s := range c.sockets {
			s.Leave(names...)
		}
		rooms := rapid.SliceOfN(rapid.SampledFrom(names), 0, 3)
		who := rapid.IntRange(0, n-1)
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				i, r := who.Draw(t, "who"), rooms.Draw(t, "rooms")
				_ = c.sockets[i].Join(r...)
				for _, r := range r {
					model[i][r] = true
				}
			},
			"leave": func(t *rapid.T) {
				i, r := who.Draw(t, "who"), rooms.Draw(t, "rooms")
				c.sockets[i].Leave(r...)
				for _, r := range r {
					if r != c.sockets[i].ID() {
						delete(model[i], r)
					}
				}
			},
			"emit": func(t *rapid.T) {
				to, except, sender := rooms.Draw(t, "to"), rooms.Draw(t, "except"), rapid.IntRange(-1, n-1).Draw(t, "sender")
				op := c.io.To(to...)
				if sender >= 0 { // left out by its id, as in Node: so is who has joined a room of that name
					op = c.sockets[sender].To(to...)
					except = append(except, c.sockets[sender].ID())
				}
				if err := op.Except(except...).Emit("m"); err != nil {
					t.Fatal(err)
				}
				in := func(i int) func(string) bool { return func(r string) bool { return model[i][r] } }
				var want []int
				for i := range n {
					if (len(to) == 0 || slices.ContainsFunc(to, in(i))) && !slices.ContainsFunc(except, in(i)) {
						want = append(want, i)
					}
				}
				if got := c.hear(c.peers[0].TB, `42["m"]`); !slices.Equal(got, want) {
					t.Fatalf("heard by %v, want %v", got, want)
				}
			},
			"": func(t *rapid.T) {
				for i, s := range c.sockets {
					got := s.Rooms()
					if len(got) != len(model[i]) || slices.ContainsFunc(got, func(r string) bool { return !model[i][r] }) {
						t.Fatalf("rooms of %d: %v, want %v", i, got, model[i])
					}
				}
			},
		})
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	type user struct{ name string }
	one, two := socketio.NewKey[user](), socketio.NewKey[user]()
	count := socketio.NewKey[int]()
	s := gather(t, 1).sockets[0]
	if _, ok := one.Lookup(s); ok || count.Get(s) != 0 {
		t.Error("a value from nowhere")
	}
	one.Set(s, user{"a"})
	one.Set(s, user{"b"})
	two.Set(s, user{"c"})
	count.Set(s, 3)
	if one.Get(s).name != "b" || two.Get(s).name != "c" || count.Get(s) != 3 {
		t.Error("values are mixed up")
	}
	one.Delete(s)
	one.Delete(s)
	if _, ok := one.Lookup(s); ok || two.Get(s).name != "c" {
		t.Error("Delete")
	}
	s.Disconnect(true)
	if count.Get(s) != 3 {
		t.Error("the value went with the connection")
	}
}
