package socketio_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestConnectToNamespaces(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	admin := io.Of("admin")
	if io.Of("/admin") != admin || admin.Name() != "/admin" || admin.Server() != io {
		t.Fatal("Of does not return the same namespace")
	}
	addr := start(t, io)
	p := dial(t, addr)
	p.send("40/nope,", `40/admin?x=1,`) // facts 43 and 44
	p.expect(`44/nope,{"message":"Invalid namespace"}`, `44/admin?x=1,{"message":"Invalid namespace"}`)
	p.send("40", "40/admin")
	one, two := p.sid("40"), p.sid("40/admin,")
	if one == two {
		t.Errorf("both namespaces gave id %s", one)
	}
	eventually(t, "two sockets", func() bool {
		st := io.Stats().Sockets
		return st["/"] == 1 && st["/admin"] == 1
	})
}

func TestMiddlewareDecides(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	connected := make(chan string, 1)
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token, Mode string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		switch auth.Mode {
		case "data":
			return &socketio.ConnectError{Message: "no \"entry\"", Data: map[string]int{"code": 7}}
		case "plain":
			return errors.New("nope")
		case "wrapped":
			return errors.Join(&socketio.ConnectError{Message: "inner"})
		}
		return s.Join("lobby")
	})
	var second []string
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		second = append(second, string(s.Handshake().Auth))
		if err := s.Emit("early"); !errors.Is(err, socketio.ErrNotConnected) {
			t.Errorf("Emit in a middleware = %v", err)
		}
		return nil
	})
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		connected <- strings.Join(s.Rooms(), " ")
		return s.Emit("hello")
	})
	addr := start(t, io)
	p := dial(t, addr)
	for _, c := range []struct{ send, want string }{
		{`40{"mode":"data"}`, `44{"message":"no \"entry\"","data":{"code":7}}`},
		{`40{"mode":"plain"}`, `44{"message":"nope"}`},
		{`40{"mode":"wrapped"}`, `44{"message":"inner"}`},
	} {
		p.send(c.send)
		p.expect(c.want)
	}
	p.send(`40{"token":"x"}`)
	sid := p.sid("40")
	p.expect(`42["hello"]`)
	if got := receive(t, connected); got != sid+" lobby" {
		t.Errorf("rooms in OnConnect = %q", got)
	}
	if len(second) != 1 || second[0] != `{"token":"x"}` {
		t.Errorf("second middleware saw %q", second)
	}
	if err := io.To("lobby").Emit("in"); err != nil {
		t.Fatal(err)
	}
	p.expect(`42["in"]`)
}

func TestLeavingDuringMiddleware(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	entered, finished := make(chan *socketio.Socket, 1), make(chan error, 1)
	io.Use(func(ctx context.Context, s *socketio.Socket) error {
		entered <- s
		<-ctx.Done()
		finished <- context.Cause(ctx)
		return nil
	})
	io.OnConnect(func(context.Context, *socketio.Socket) error {
		t.Error("OnConnect of a client that has left")
		return nil
	})
	io.OnDisconnect(func(context.Context, *socketio.Socket, socketio.Reason) {
		t.Error("OnDisconnect of a socket that never was connected")
	})
	addr := start(t, io)
	p := dial(t, addr)
	p.send("40")
	s := receive(t, entered)
	_ = p.conn.Close()
	if err := receive(t, finished); !errors.Is(err, context.Canceled) {
		t.Errorf("cause = %v", err)
	}
	eventually(t, "worker idle", func() bool { return io.Stats().Busy == 0 })
	if s.Connected() || io.Stats().Sockets["/"] != 0 || len(s.Rooms()) != 0 {
		t.Error("the socket was let in")
	}
}

func TestConnectHandlerRefuses(t *testing.T) {
	t.Parallel()
	reported, reason := make(chan error, 1), make(chan socketio.Reason, 1)
	io := socketio.New(quiet(socketio.Options{
		OnError: func(_ context.Context, _ *socketio.Socket, err error) { reported <- err },
	}))
	want := errors.New("not today")
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		s.OnDisconnect(func(r socketio.Reason) { reason <- r })
		return want
	})
	p, _ := join(t, start(t, io))
	p.expect("41")
	if err := receive(t, reported); !errors.Is(err, want) {
		t.Errorf("reported %v", err)
	}
	if r := receive(t, reason); r != socketio.ReasonServerNamespaceDisconnect {
		t.Errorf("reason = %s", r)
	}
}

// Facts 42, 47-49, 52-55 and 58: what closes the whole connection.
func TestViolationsClose(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{MaxNamespaces: 3}))
	slow := io.Of("/slow")
	slow.Use(func(ctx context.Context, _ *socketio.Socket) error {
		<-ctx.Done()
		return ctx.Err()
	})
	io.Of("/a")
	io.Of("/b")
	io.Of("/c")
	reasons := make(chan socketio.Reason, 1)
	io.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.Reason) { reasons <- r })
	addr := start(t, io)
	for _, c := range []struct {
		name string
		send []string
	}{
		{"CONNECT with an array", []string{"40/a,[1]"}},
		{"CONNECT with a string", []string{`40/a,"x"`}},
		{"second CONNECT", []string{"40"}},
		{"second CONNECT while a middleware runs", []string{"40/slow", "40/slow"}},
		{"event before acceptance", []string{"40/slow", `42/slow,["x"]`}},
		{"DISCONNECT before acceptance", []string{"40/slow", `41/slow`}},
		{"event for a namespace not joined", []string{`42/a,["x"]`}},
		{"ack for a namespace not joined", []string{`43/a,1[]`}},
		{"DISCONNECT of a namespace not joined", []string{`41/a`}},
		{"event for an unknown namespace", []string{`42/nope,["x"]`}},
		{"CONNECT_ERROR from a client", []string{`44{"message":"x"}`}},
		{"DISCONNECT with payload", []string{`41{}`}},
		{"text between attachments", []string{`451-["x",{"_placeholder":true,"num":0}]`, `42["y"]`}},
		{"no attachments announced", []string{`450-["x"]`}},
		{"too many attachments", []string{`4511-["x"]`}},
		{"placeholder out of range", []string{`451-["x",{"_placeholder":true,"num":1}]`}},
		{"binary header for a namespace not joined", []string{`451-/a,["x",{"_placeholder":true,"num":0}]`}},
		{"empty event", []string{`42[]`}},
		{"event that is an object", []string{`42{"a":1}`}},
		{"bad JSON", []string{`42["x"`}},
		{"unknown type", []string{`47["x"]`}},
		{"reserved event name", []string{`42["disconnect"]`}},
		{"empty message", []string{`4`}},
		{"too many namespaces", []string{"40/a", "40/b", "40/c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := join(t, addr)
			p.send(c.send...)
			p.expectClosed()
			if r := receive(t, reasons); r != socketio.ReasonForcedClose {
				t.Errorf("reason = %q", r)
			}
		})
	}
	t.Run("stray binary", func(t *testing.T) {
		p, _ := join(t, addr)
		p.sendBinary(1, 2, 3)
		p.expectClosed()
		receive(t, reasons)
	})
	if st := io.Stats(); st.Sockets["/"] != 0 || st.Violations == 0 {
		t.Errorf("left behind: %+v", st)
	}
}

// Fact 55 and the first half of fact 50.
func TestToleratedPackets(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	socketio.On(io, "5", func(_ context.Context, s *socketio.Socket, n int) error { return s.Emit("five", n) })
	p, _ := join(t, start(t, io))
	p.send("42", `43999["nobody waits"]`, `42["unheard",1]`, `42[5,1]`)
	p.expect(`42["five",1]`)
}

// Joining and leaving in turns is bounded by what the handlers work off.
func TestSocketsWithWorkLeftCountAsNamespaces(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{Workers: 2, MaxNamespaces: 5}))
	io.Of("/other") // so that the handshake stays
	open := make(chan bool)
	left := make(chan bool, 100)
	io.OnConnect(func(context.Context, *socketio.Socket) error { <-open; return nil })
	io.OnDisconnect(func(context.Context, *socketio.Socket, socketio.Reason) { left <- true })
	addr := start(t, io)
	p := dial(t, addr)
	for range 100 {
		if p.trySend("40") != nil || p.trySend("41") != nil {
			break
		}
	}
	p.expectClosed()
	if st := io.Stats(); st.Busy+st.Waiting != 5 || st.Violations != 1 {
		t.Errorf("stats %+v", st)
	}
	close(open)
	for range 5 {
		receive(t, left)
	}
	p = dial(t, addr) // one that lets them work may join as often as it likes
	for range 50 {
		p.send("40")
		p.sid("40")
		p.send("41")
		receive(t, left)
	}
}

func TestRefusedSocketKeepsItsValues(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	user := socketio.NewKey[string]()
	sockets := make(chan *socketio.Socket, 1)
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		user.Set(s, "me")
		sockets <- s
		return errors.Join(s.Join("room"), errors.New("no"))
	})
	p := dial(t, start(t, io))
	p.send("40")
	p.expect(`44{"message":"no"}`)
	s := receive(t, sockets)
	if got := user.Get(s); got != "me" || len(s.Rooms()) != 0 || s.Context().Err() == nil {
		t.Errorf("value %q, rooms %v, %v", got, s.Rooms(), s.Context().Err())
	}
}
