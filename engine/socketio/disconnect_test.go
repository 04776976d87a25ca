package socketio_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// §1.7: the reasons, and fact 49: the connection outlives the namespace.
func TestDisconnectReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want socketio.Reason
		do   func(p *peer, s *socketio.Socket)
	}{
		{socketio.ReasonClientNamespaceDisconnect, func(p *peer, _ *socketio.Socket) { p.send("41") }},
		{socketio.ReasonServerNamespaceDisconnect, func(_ *peer, s *socketio.Socket) { s.Disconnect(false) }},
		{socketio.ReasonServerNamespaceDisconnect, func(_ *peer, s *socketio.Socket) { s.Disconnect(true) }},
		{socketio.ReasonTransportClose, func(p *peer, _ *socketio.Socket) { _ = p.conn.Close() }},
		{socketio.ReasonForcedClose, func(p *peer, _ *socketio.Socket) { p.send("4x") }},
		{socketio.ReasonParseError, func(p *peer, _ *socketio.Socket) { p.send("x") }},
		{socketio.ReasonTransportError, func(p *peer, _ *socketio.Socket) { p.send("2") }},
	} {
		io := socketio.New(quiet(socketio.Options{}))
		sockets, calls := make(chan *socketio.Socket, 1), make(chan string, 9)
		io.OnConnect(func(_ ctxt, s *socketio.Socket) error {
			s.OnDisconnect(func(r socketio.Reason) { calls <- fmt.Sprint("own after ", r, s.Rooms()) })
			s.OnDisconnecting(func(r socketio.Reason) { calls <- fmt.Sprint("own before ", r, s.Rooms()) })
			defer func() { sockets <- s }()
			return s.Join("room")
		})
		io.OnDisconnecting(func(ctx ctxt, s *socketio.Socket, r socketio.Reason) {
			calls <- fmt.Sprint("all before ", r, s.Rooms(), ctx.Err())
		})
		io.OnDisconnect(func(ctx ctxt, s *socketio.Socket, r socketio.Reason) {
			calls <- fmt.Sprint("all after ", r, s.Rooms(), ctx.Err(), s.Context().Err())
		})
		p, sid := join(t, start(t, io))
		s := receive(t, sockets)
		c.do(p, s)
		for _, want := range []string{
			fmt.Sprintf("own before %s[%s room]", c.want, sid), fmt.Sprintf("all before %s[%s room] <nil>", c.want, sid),
			fmt.Sprintf("own after %s[]", c.want), fmt.Sprintf("all after %s[] <nil> context canceled", c.want),
		} {
			if got := receive(t, calls); got != want {
				t.Errorf("%s: got %q, want %q", c.want, got, want)
			}
		}
		s.Disconnect(true)
		if s.Connected() || io.Stats().Sockets["/"] != 0 || len(calls) > 0 {
			t.Errorf("%s: left behind", c.want)
		}
	}
}

func TestReconnectingOnOneConnection(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.Of("/other")
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	socketio.On(io, "echo", func(_ ctxt, s *socketio.Socket, v int) error { return s.Emit("echo", v) })
	p, last := join(t, start(t, io))
	p.send("40/other")
	p.sid("40/other,")
	for i := range 5 {
		s := receive(t, sockets)
		if err := s.Join("room"); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			p.send("41")
			eventually(t, "gone", func() bool { return !s.Connected() })
		} else {
			s.Disconnect(false)
			p.send(`42["echo",0]`, `430["ack"]`, `41`) // sent before the client could know: ignored
			p.expect("41")
		}
		_ = io.Emit("missed")
		_ = io.To("room").Emit("missed")
		p.send("40")
		sid := p.sid("40")
		if sid == last {
			t.Error("the same id again")
		}
		last = sid
		p.send(fmt.Sprintf(`42["echo",%d]`, i))
		p.expect(fmt.Sprintf(`42["echo",%d]`, i))
	}
	if st := io.Stats(); st.Sockets["/"] != 1 || st.Sockets["/other"] != 1 {
		t.Errorf("sockets: %v", st.Sockets)
	}
}

// Fact 56.
func TestDisconnectTrueLeavesEveryNamespace(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.Of("/a")
	sockets := make(chan *socketio.Socket, 1)
	io.Of("/b").OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	p, _ := join(t, start(t, io))
	p.send("40/a", "40/b")
	p.sid("40/a,")
	p.sid("40/b,")
	s := receive(t, sockets)
	_ = s.Emit("bye")
	s.Disconnect(true)
	p.expect(`42/b,["bye"]`, "41", "41/a,", "41/b,")
	p.expectClosed()
}

// Whatever happens to the connection next.
func TestKickedSocketHandlesNoMoreEvents(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T, io *socketio.Server) {
		eventually(t, "the session is closed", func() bool { return io.Stats().Engine.WebSocket == 0 })
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, io *socketio.Server, p *peer, s *socketio.Socket) // in the handler
	}{
		{"kicked", func(_ *testing.T, _ *socketio.Server, _ *peer, s *socketio.Socket) { s.Disconnect(false) }},
		{"kicked, and the client leaves", func(_ *testing.T, _ *socketio.Server, p *peer, s *socketio.Socket) {
			s.Disconnect(false)
			p.send("41", "40/nope")
			p.expect("41", `44/nope,{"message":"Invalid namespace"}`)
		}},
		{"kicked, and the client hangs up", func(t *testing.T, io *socketio.Server, p *peer, s *socketio.Socket) {
			s.Disconnect(false)
			_ = p.conn.Close()
			closed(t, io)
		}},
		{"closed", func(t *testing.T, io *socketio.Server, _ *peer, s *socketio.Socket) {
			s.Disconnect(true)
			closed(t, io)
		}},
		{"kicked when the client has hung up", func(t *testing.T, io *socketio.Server, p *peer, s *socketio.Socket) {
			_ = p.conn.Close()
			closed(t, io)
			s.Disconnect(false)
		}},
		{"panic when the client has hung up", func(t *testing.T, io *socketio.Server, p *peer, s *socketio.Socket) {
			_ = p.conn.Close()
			closed(t, io)
			panic("oh")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			io := socketio.New(quiet(socketio.Options{OnError: func(ctxt, *socketio.Socket, error) {}}))
			calls, gone := make(chan *socketio.Socket, 9), make(chan bool)
			peers := make(chan *peer)
			socketio.On(io, "x", func(_ ctxt, s *socketio.Socket, _ struct{}) error {
				calls <- s
				c.do(t, io, <-peers, s)
				return nil
			})
			io.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { close(gone) })
			p, _ := join(t, start(t, io))
			p.send(`42["x"]`, `42["x"]`, `42["x"]`, "40/nope")
			p.expect(`44/nope,{"message":"Invalid namespace"}`)
			peers <- p
			close(peers) // a further call would find nil
			receive(t, gone)
			if n := len(calls); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// It is up to the middleware's error, and a socket that was let in after all hears
// its client.
func TestDisconnectInAMiddlewareDoesNothing(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.Use(func(_ ctxt, s *socketio.Socket) error { s.Disconnect(false); return nil })
	socketio.On(io, "echo", func(_ ctxt, s *socketio.Socket, v int) error { return s.Emit("echo", v) })
	p, _ := join(t, start(t, io))
	p.send(`42["echo",1]`)
	p.expect(`42["echo",1]`)
}

// The client's 41 and its next 40 may come while the server disconnects the first
// socket. A 41 of the server behind the answer would end the second one.
func TestDisconnectNeverReachesTheNextSocket(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	io.Of("/other")
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	p := dial(t, start(t, io))
	p.send("40/other")
	p.sid("40/other,")
	for range 1000 {
		p.send("40")
		p.sid("40")
		s, kicked := receive(t, sockets), make(chan bool)
		go func() { s.Disconnect(false); close(kicked) }()
		p.together("41", "40")
		got := p.read()
		if got == "41" {
			got = p.read()
		}
		next := receive(t, sockets)
		<-kicked
		_ = next.Emit("hello")
		if hello := p.read(); hello != `42["hello"]` {
			t.Fatalf("%s, then %s", got, hello)
		}
		p.send("41")
		eventually(t, "gone", func() bool { return !next.Connected() })
	}
}

// What a handler of the old socket still sends does not reach the new one.
func TestLateReplyDoesNotReachTheNextSocket(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { t.Error(err) }}))
	io.Of("/other")
	open, answered := make(chan bool), make(chan bool, 2)
	socketio.OnAck(io, "slow", func(_ ctxt, s *socketio.Socket, who string) (string, error) {
		s.Disconnect(false)
		<-open
		return "secret of " + who, nil
	})
	io.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { answered <- true })
	p, _ := join(t, start(t, io))
	p.send(`420["slow","alice"]`)
	p.expect("41")
	p.send("40")
	p.sid("40")
	close(open)
	receive(t, answered)
	p.send("40/other")
	p.sid("40/other,") // and not 430["secret of alice"]
}

func TestEventsBeforeTheEndAreHandled(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	var calls []int
	gone := make(chan bool)
	socketio.On(io, "x", func(_ ctxt, _ *socketio.Socket, n int) error { calls = append(calls, n); return nil })
	io.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { close(gone) })
	p, _ := join(t, start(t, io))
	var want []int
	for i := range 500 {
		want = append(want, i)
		p.send(fmt.Sprintf(`42["x",%d]`, i))
	}
	p.send("41")
	receive(t, gone)
	if !slices.Equal(calls, want) {
		t.Errorf("%d of %d handled", len(calls), len(want))
	}
}

// Clients that leave in every way, at every moment, leave nothing behind.
func TestRandomDisconnects(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{Workers: 4, OnError: func(ctxt, *socketio.Socket, error) {}}))
	admin := io.Of("/admin")
	var in, out atomic.Int64
	for _, n := range []*socketio.Namespace{io.Of("/"), admin} {
		n.Use(func(_ ctxt, s *socketio.Socket) error { return s.Join("early") })
		n.OnConnect(func(_ ctxt, s *socketio.Socket) error { in.Add(1); return s.Join("late") })
		n.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { out.Add(1) })
		socketio.On(n, "kick", func(_ ctxt, s *socketio.Socket, hangUp bool) error { s.Disconnect(hangUp); return nil })
		socketio.On(n, "all", func(_ ctxt, s *socketio.Socket, v string) error { return s.To("early").Emit("all", v) })
		socketio.On(n, "ask", func(ctx ctxt, s *socketio.Socket, _ struct{}) error {
			_, err := s.EmitWithAck(ctx, "ask")
			return err
		})
	}
	addr := start(t, io)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			packets := []string{
				"40", "40/admin", "40/nope", "41", "41/admin", `42["all","x"]`, `42/admin,["all","y"]`, `42["ask"]`,
				`42["kick",false]`, `42/admin,["kick",true]`, `430[]`, `451-["all",{"_placeholder":true,"num":0}]`, "garbage",
			}
			for range 40 {
				p := dial(t, addr)
				if r.IntN(2) == 0 && p.trySend("40") == nil {
					_, _ = p.next()
				}
				for range r.IntN(8) {
					if p.trySend(packets[r.IntN(len(packets))]) != nil {
						break
					}
				}
				_ = p.conn.Close()
			}
		})
	}
	all.Wait()
	eventually(t, "everybody gone", func() bool {
		st := io.Stats()
		gone := st.Engine.WebSocket == 0 && st.Busy == 0 && st.Waiting == 0
		return gone && st.Sockets["/"] == 0 && st.Sockets["/admin"] == 0 && in.Load() == out.Load() // a session is counted off first
	})
	if in.Load() == 0 {
		t.Error("nobody came")
	}
}
