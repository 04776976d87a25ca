package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

var anyRoom = regexp.MustCompile(`^/room-\d+$`)

func TestChildrenOfAPatternAreMadeByTheirFirstClient(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	names := make(chan string, 10)
	io.OnNewNamespace(func(n *socketio.Namespace) { names <- n.Name() })
	rooms := io.OfPattern(anyRoom)
	rooms.Use(func(_ ctxt, s *socketio.Socket) error { return s.Join("early") })
	rooms.OnConnect(func(_ ctxt, s *socketio.Socket) error { return s.Emit("welcome", s.Namespace().Name()) })
	socketio.OnAck(rooms, "echo", func(_ ctxt, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) { return a, nil })
	addr := start(t, io)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, addr)
		for _, name := range []string{"/room-1", "/room-22"} {
			enter(c, "40"+name, "40"+name+",")
			c.expect(`42` + name + `,["welcome","` + name + `"]`)
			c.send(`42` + name + `,7["echo","there?"]`)
			c.expect(`43` + name + `,7["there?"]`)
		}
		for _, name := range []string{"/room-", "/room-1x", "/", "/_0"} {
			if name != "/" {
				c.send("40" + name)
				c.expect(`44` + name + `,{"message":"Invalid namespace"}`)
			}
		}
		if err := io.Of("room-1").To("early").Emit("one"); err != nil {
			t.Error(err)
		}
		c.expect(`42/room-1,["one"]`)
	})
	if made := []string{receive(t, names), receive(t, names)}; len(names) > 0 || !slices.Equal(made, []string{"/room-1", "/room-22"}) {
		t.Errorf("made %q and %d more, want each once", made, len(names))
	}
}

func TestParentsAreAskedInTheirOrder(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	var mu sync.Mutex
	var asked []string
	takes := func(who, prefix string) func(ctxt, string, socketio.Raw) bool {
		return func(_ ctxt, name string, auth socketio.Raw) bool {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, who+name+auth.String())
			return strings.HasPrefix(name, prefix)
		}
	}
	says := func(p *socketio.ParentNamespace, who string) {
		p.OnConnect(func(_ ctxt, s *socketio.Socket) error { return s.Emit(who) })
	}
	says(io.OfFunc(takes("first", "/a")), "first")
	says(io.OfPattern(regexp.MustCompile(`^/ab`)), "second") // "/ab" is the first one's
	says(io.OfPattern(regexp.MustCompile(`^/b`)), "third")
	says(io.OfFunc(takes("fourth", "/c")), "fourth")
	c := dial(t, start(t, io))
	for name, who := range map[string]string{"/ab": "first", "/b": "third", "/c": "fourth"} {
		enter(c, "40"+name+`,{"x":1}`, "40"+name+",")
		c.expect(`42` + name + `,["` + who + `"]`)
	}
	c.send("40/d")
	c.expect(`44/d,{"message":"Invalid namespace"}`)
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(asked)
	want := []string{`first/ab{"x":1}`, `first/b{"x":1}`, `first/c{"x":1}`, `first/d`, `fourth/c{"x":1}`, `fourth/d`}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q\nwant  %q", asked, want)
	}
}

// What is registered with a parent holds for the children there are and for those to come.
func TestChildrenFollowTheirParent(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	rooms := io.OfPattern(anyRoom)
	old := io.Of("/room-1")
	if old != io.Of("room-1") || !slices.Equal(rooms.Children(), []*socketio.Namespace{old}) {
		t.Fatal("a name that matches makes no child")
	}
	tell := func(who string) func(ctxt, *socketio.Socket, int) error {
		return func(_ ctxt, s *socketio.Socket, n int) error { return s.Emit(who, n) }
	}
	remove := socketio.On(rooms, "ev", tell("all"))
	socketio.On(old, "ev", tell("own")) // from here on it has a table of its own
	removeLater := socketio.On(rooms, "ev", tell("later"))
	socketio.Once(rooms, "ev", tell("once"))
	c := dial(t, start(t, io))
	enter(c, "40/room-1", "40/room-1,")
	enter(c, "40/room-2", "40/room-2,")
	c.send(`42/room-1,["ev",1]`)
	c.expect(`42/room-1,["all",1]`, `42/room-1,["own",1]`, `42/room-1,["later",1]`, `42/room-1,["once",1]`)
	c.send(`42/room-2,["ev",2]`)
	c.expect(`42/room-2,["all",2]`, `42/room-2,["later",2]`)
	remove()
	removeLater()
	c.send(`42/room-2,["ev",3]`, `42/room-1,["ev",4]`)
	c.expect(`42/room-1,["own",4]`)
}

func TestWhatIsEmittedToAParentReachesItsChildren(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	rooms := io.OfPattern(anyRoom)
	joined := make(chan *socketio.Socket, 2)
	rooms.OnConnect(func(_ ctxt, s *socketio.Socket) error { joined <- s; return s.Join("r" + s.Namespace().Name()[6:]) })
	c := dial(t, start(t, io))
	enter(c, "40/room-1", "40/room-1,")
	enter(c, "40/room-2", "40/room-2,")
	receive(t, joined)
	receive(t, joined)
	eventually(t, "both are in their rooms", func() bool { return io.Stats().Busy == 0 })
	both := func(packet string) {
		t.Helper()
		got := []string{c.read(), c.read()}
		slices.Sort(got)
		if want := []string{"42/room-1," + packet, "42/room-2," + packet}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, err := range []error{rooms.Emit("all", 1), rooms.Local().Volatile().Emit("all", 2)} {
		if err != nil {
			t.Error(err)
		}
	}
	both(`["all",1]`)
	both(`["all",2]`)
	_ = rooms.To("r1").Emit("one")
	_ = rooms.Except("r1").Emit("other", []byte("x"))
	c.expect(`42/room-1,["one"]`, `451-/room-2,["other",{"_placeholder":true,"num":0}]`, "binary:x")
	if st := io.Stats(); st.Children != 2 || st.Sockets["/_0"] != 2 || len(st.Sockets) != 2 {
		t.Errorf("stats: %d children, %v", st.Children, st.Sockets)
	}
}

// A parent's function may wait for a database. The client is at the door meanwhile: it
// cannot knock twice, and when it leaves, the function is told.
func TestAtTheDoorOfANamespace(t *testing.T) {
	t.Parallel()
	asked := make(chan context.Context, 10)
	answer := make(chan bool)
	io := socketio.New(quiet(socketio.Options{MaxNamespaces: 2}))
	io.OfFunc(func(ctx context.Context, name string, _ socketio.Raw) bool {
		asked <- ctx
		select {
		case ok := <-answer:
			return ok
		case <-ctx.Done():
			return true
		}
	})
	addr := start(t, io)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, then := range [][]string{
			{"40/slow"}, {"40/slow,{}"}, {`42/slow,["x"]`}, {"41/slow"}, {`43/slow,1[]`}, {`451-/slow,["x"]`, "bAQID"},
			{"40", "40/one-more"}, // as many as are allowed, and another
		} {
			c := dial(t, addr)
			c.send("40/slow")
			ctx := receive(t, asked)
			c.send(then...)
			for _, p := range c.rest() {
				if !strings.HasPrefix(p, `40{"sid"`) {
					t.Errorf("%q: %q", then, p)
				}
			}
			<-ctx.Done()
		}
		c := dial(t, addr)
		c.send("40/slow")
		ctx := receive(t, asked)
		c.vanish()
		<-ctx.Done()
		eventually(t, "the worker is done", func() bool { return io.Stats().Busy == 0 })
		if n := io.Stats().Sockets["/_0"]; n != 0 {
			t.Errorf("%d sockets", n)
		}

		c = dial(t, addr)
		name := "/" + strings.ReplaceAll(t.Name(), "/", "-")
		for _, ok := range []bool{false, true} {
			c.send("40" + name + `,{"a":1}`)
			receive(t, asked)
			answer <- ok
			if !ok {
				c.expect("44" + name + `,{"message":"Invalid namespace"}`)
			}
		}
		admitted(c, "40"+name+",")
	})
}

func TestAPanicOfAParentsFunctionCostsOneClient(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	w.OfFunc(func(_ ctxt, name string, _ socketio.Raw) bool {
		if name == "/panic" {
			panic(name)
		}
		return true
	})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		root, other := w.enters(c)
		c.send("40/panic")
		if rest := c.rest(); len(rest) > 2 { // 41 in either namespace
			t.Errorf("%q", rest)
		}
		w.ended(t, ending(root, socketio.ReasonServerNamespaceDisconnect), ending(other, socketio.ReasonServerNamespaceDisconnect))
		w.healthy(t)
		enter(dial(t, w.addr), "40/fine", "40/fine,")
	})
	if n := w.Stats().Panics; n != 2 {
		t.Errorf("%d panics", n)
	}
}

// A middleware may ask for the Handshake in a namespace that the client joins later.
func TestChildrenSeeTheHandshake(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.OfPattern(anyRoom).Use(func(_ ctxt, s *socketio.Socket) error {
		if h := s.Handshake(); h.URL == "" || h.Auth.String() != `{"n":1}` {
			return fmt.Errorf("handshake %+v", h)
		}
		return nil
	})
	c, _ := join(t, start(t, io))
	enter(c, `40/room-1,{"n":1}`, "40/room-1,")
	enter(c, `40/room-2,{"n":1}`, "40/room-2,")
}

func TestEmptyChildrenAreCleanedUp(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 1000)
	io := socketio.New(quiet(socketio.Options{
		CleanupEmptyChildNamespaces: true,
		Adapter: func(local *socketio.MemoryAdapter) socketio.Adapter {
			r := &recorder{local, calls}
			r.note("made")
			return r
		},
	}))
	rooms := io.OfPattern(anyRoom)
	rooms.Use(func(_ ctxt, s *socketio.Socket) error {
		if s.Handshake().Auth != nil {
			return fmt.Errorf("no")
		}
		return nil
	})
	rooms.OnDisconnect(func(_ ctxt, s *socketio.Socket, _ socketio.Reason) { _ = s.Namespace().Emit("gone") })
	kept := io.Of("/room-9") // nobody was in it yet
	addr := start(t, io)
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := receive(t, calls); got != w {
				t.Fatalf("%q, want %q", got, w)
			}
		}
	}
	const goodbye = `/room-1 broadcast["gone"]0 [] [] {false false false}`
	expect("/ made", "/room-9 made")
	for _, leave := range []func(c *peer){
		func(c *peer) { c.send("41/room-1") },
		func(c *peer) { _ = c.conn.Close() },
		func(c *peer) { c.send("40/room-1") }, // a violation
	} {
		a, b := dial(t, addr), dial(t, addr)
		enter(a, "40/room-1", "40/room-1,")
		enter(b, "40/room-1", "40/room-1,")
		expect("/room-1 made")
		leave(a)
		expect(goodbye)
		b.expect(`42/room-1,["gone"]`)
		leave(b)
		expect(goodbye, "/room-1 close")
	}
	c := dial(t, addr)
	c.send("40/room-1,{}") // refused by the middleware
	c.expect(`44/room-1,{"message":"no"}`)
	expect("/room-1 made", "/room-1 close")
	eventually(t, "the child is gone", func() bool { return io.Stats().Children == 1 })
	if io.Of("/room-9") != kept {
		t.Error("a child that nobody has left was cleaned up")
	}
}

// Clients come while others leave: each is in a namespace that is there, and hears
// what is emitted to all. At the end nothing is left.
func TestCleanUpBesideNewClients(t *testing.T) {
	t.Parallel()
	var open atomic.Int64
	io := socketio.New(quiet(socketio.Options{
		CleanupEmptyChildNamespaces: true,
		Adapter: func(local *socketio.MemoryAdapter) socketio.Adapter {
			if local.Namespace().Name() != "/" && open.Add(1) > 1 {
				t.Error("two adapters for one name")
			}
			return &counted{local, &open}
		},
	}))
	rooms := io.OfPattern(anyRoom)
	rooms.OnConnect(func(_ ctxt, s *socketio.Socket) error { return io.Of("/room-1").To(s.ID()).Emit("in") })
	addr := start(t, io)
	var clients sync.WaitGroup
	for range 8 {
		c := dial(t, addr)
		clients.Go(func() {
			for range 50 {
				c.send("40/room-1")
				if got := c.read(); !strings.HasPrefix(got, `40/room-1,{"sid"`) {
					t.Errorf("answer %q", got)
					return
				}
				if got := c.read(); got != `42/room-1,["in"]` {
					t.Errorf("then %q", got)
					return
				}
				c.send("41/room-1")
			}
		})
	}
	clients.Wait()
	eventually(t, "the child is gone", func() bool { return io.Stats().Children == 0 && open.Load() == 0 })
}

// counted is an adapter of which there is to be one at a time.
type counted struct {
	*socketio.MemoryAdapter
	open *atomic.Int64
}

func (c *counted) Close() error {
	if c.Namespace().Name() != "/" {
		c.open.Add(-1)
	}
	return nil
}

// Clients that ask for ever new names fill what is allowed, and nobody else's.
func TestNamespaceFlood(t *testing.T) {
	t.Parallel()
	const most = 50
	for _, cleanup := range []bool{false, true} {
		w := watch(t, socketio.Options{MaxChildNamespaces: most, CleanupEmptyChildNamespaces: cleanup})
		w.OfPattern(anyRoom)
		refused := 0
		for client := range 5 {
			c := dial(t, w.addr)
			for i := range 20 {
				name := fmt.Sprintf("/room-%d", client*20+i)
				c.send("40" + name)
				switch got := c.read(); {
				case strings.HasPrefix(got, "40"+name):
					c.send("41" + name) // or MaxNamespaces would be met
				case got == "44"+name+`,{"message":"Too many namespaces"}`:
					refused++
				default:
					t.Fatalf("%s: %q", name, got)
				}
			}
		}
		st := w.Stats()
		want := map[bool]int{true: 0, false: 100 - most}[cleanup]
		if refused != want || st.Exceeded["MaxChildNamespaces"] != uint64(want) || st.Children > most {
			t.Errorf("cleanup %t: %d refused, %d counted, %d children", cleanup, refused, st.Exceeded["MaxChildNamespaces"], st.Children)
		}
		w.Of("/room-1000") // the application's own are not counted against it
		enter(dial(t, w.addr), "40/room-1000", "40/room-1000,")
		long := "/room-" + strings.Repeat("1", 600)
		w.forbidden(t, func(tb testing.TB, addr string) wire { return dial(tb, addr) }, []string{"40" + long})
		w.healthy(t)
		if n := w.Stats().Exceeded["DefaultNamespace"]; n != 1 {
			t.Errorf("%d names too long", n)
		}
	}
}

// All groups of a namespace are its own, however many were there before it.
func TestChildrenDoNotShareRooms(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{CleanupEmptyChildNamespaces: true}))
	rooms := io.OfPattern(anyRoom)
	rooms.OnConnect(func(_ ctxt, s *socketio.Socket) error { return s.Join("r") })
	addr := start(t, io)
	for i := range 300 { // beyond what one byte of a number holds
		io.OfPattern(regexp.MustCompile(`^/other` + fmt.Sprint(i)))
	}
	a, b := dial(t, addr), dial(t, addr)
	enter(a, "40/room-1", "40/room-1,")
	enter(b, "40/room-2", "40/room-2,")
	eventually(t, "both are in the room", func() bool { return io.Stats().Busy == 0 })
	_ = io.Of("/room-1").To("r").Emit("one")
	_ = io.Of("/room-2").To("r").Emit("two")
	a.expect(`42/room-1,["one"]`)
	b.expect(`42/room-2,["two"]`)
}

func TestShutdownClosesTheAdaptersOfChildren(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 100)
	io := socketio.New(quiet(socketio.Options{CleanupEmptyChildNamespaces: true, Adapter: func(local *socketio.MemoryAdapter) socketio.Adapter {
		return &recorder{local, calls}
	}}))
	rooms := io.OfPattern(anyRoom)
	if err := io.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c := dial(t, io.Addr().String())
	enter(c, "40/room-1", "40/room-1,")
	io.Of("/room-2")
	_ = c.conn.Close()
	if err := io.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	io.Of("/room-3")
	close(calls)
	got := slices.Sorted(func(yield func(string) bool) {
		for call := range calls {
			_ = yield(call)
		}
	})
	if want := []string{"/ close", "/room-1 close", "/room-2 close", "/room-3 close"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := rooms.Emit("x"); err != socketio.ErrServerClosed {
		t.Errorf("emit: %v", err)
	}
}

func TestWhatAParentDoesToTheSocketsOfItsChildren(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	rooms := io.OfPattern(anyRoom)
	c := dial(t, start(t, io))
	enter(c, "40/room-1", "40/room-1,")
	enter(c, "40/room-2", "40/room-2,")
	for _, err := range []error{
		rooms.SocketsJoin("a", "b"), rooms.To("a").SocketsLeave("b"), rooms.To("b").Emit("nobody"), io.Of("/room-2").To("a").Emit("hi"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	c.expect(`42/room-2,["hi"]`)
	ctx := t.Context()
	_, fetched := rooms.FetchSockets(ctx)
	_, counted := rooms.To("a").Count(ctx)
	_, sized := rooms.Rooms(ctx)
	_, acked := rooms.EmitWithAck(ctx, "x")
	_, served := rooms.ServerSideEmitWithAck(ctx, "x")
	for _, err := range []error{fetched, counted, sized, acked, served, rooms.ServerSideEmit("x")} {
		if !errors.Is(err, socketio.ErrParentNamespace) {
			t.Errorf("asked for sockets: %v", err)
		}
	}
	if err := rooms.DisconnectSockets(false); err != nil {
		t.Error(err)
	}
	got := []string{c.read(), c.read()}
	slices.Sort(got)
	if want := []string{"41/room-1,", "41/room-2,"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
