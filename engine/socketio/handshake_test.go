package socketio_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
)

func TestHandshake(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		io := socketio.New(quiet(socketio.Options{KeepHandshake: keep}))
		type seen struct {
			s *socketio.Socket
			h *socketio.Handshake
		}
		asked, later := make(chan seen, 1), make(chan seen, 1)
		var ask atomic.Bool
		io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
			if ask.Load() {
				asked <- seen{s, s.Handshake()}
			} else {
				later <- seen{s, nil}
			}
			return nil
		})
		addr := start(t, io)
		header := ws.HandshakeHeaderString("Origin: http://" + addr + "\r\nX-User: me\r\n")
		connect := func() *peer {
			p := dialWith(t, addr, "&room=a%20b", header)
			p.send(`40{"token":"x"}`)
			p.sid("40")
			return p
		}
		ask.Store(true)
		p := connect()
		got := receive(t, asked)
		h := got.h
		if h.Headers.Get("X-User") != "me" || h.Headers.Get("Host") != addr || h.Query.Get("room") != "a b" ||
			h.Address != "127.0.0.1" || !h.XDomain || h.Secure || h.Issued != h.Time.UnixMilli() ||
			!strings.HasPrefix(h.URL, "/socket.io/?EIO=4") || string(h.Auth) != `{"token":"x"}` {
			t.Errorf("handshake = %+v", h)
		}
		if got.s.Handshake() != h {
			t.Error("the handshake that was asked for is not kept")
		}
		ask.Store(false)
		q := connect()
		s := receive(t, later).s
		q.send(`42["x"]`)
		eventually(t, "released", func() bool { return keep || !socketio.HasRequest(s) })
		late := s.Handshake()
		if full := late.Headers.Get("X-User") == "me" && late.Auth != nil; full != keep {
			t.Errorf("KeepHandshake %v, late handshake = %+v", keep, late)
		}
		_, _ = p, q
	}
}

// A middleware never sees an empty handshake: it is refused to the client to join
// again where it would.
func TestJoiningAgainAfterTheHandshakeIsReleased(t *testing.T) {
	t.Parallel()
	type setting struct {
		name          string
		o             socketio.Options
		set           func(io *socketio.Server, asked func(*socketio.Socket))
		second        string // CONNECT
		prefix        string // of the answer; "" for the end of the connection
		kept, another bool   // the request is kept; a namespace is made in between
	}
	use := func(n *socketio.Namespace, asked func(*socketio.Socket)) {
		n.Use(func(_ context.Context, s *socketio.Socket) error { asked(s); return nil })
	}
	for _, c := range []setting{
		{name: "middleware", set: func(io *socketio.Server, asked func(*socketio.Socket)) { use(io.Of("/"), asked) }, second: "40"},
		{name: "connect function", set: func(io *socketio.Server, asked func(*socketio.Socket)) {
			io.OnConnect(func(_ context.Context, s *socketio.Socket) error { asked(s); return nil })
		}, second: "40"},
		{name: "nobody asks", set: func(*socketio.Server, func(*socketio.Socket)) {}, second: "40", prefix: "40"},
		{name: "kept", o: socketio.Options{KeepHandshake: true}, kept: true, second: "40", prefix: "40",
			set: func(io *socketio.Server, asked func(*socketio.Socket)) { use(io.Of("/"), asked) }},
		{name: "two namespaces", kept: true, second: "40", prefix: "40", set: func(io *socketio.Server, asked func(*socketio.Socket)) {
			use(io.Of("/"), asked)
			io.Of("/other")
		}},
		{name: "namespace made later", another: true, second: "40/late", set: func(*socketio.Server, func(*socketio.Socket)) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			io := socketio.New(quiet(c.o))
			sockets := make(chan *socketio.Socket, 9)
			asked := func(s *socketio.Socket) {
				if h := s.Handshake(); h.Address == "" || h.URL == "" {
					t.Errorf("handshake = %+v", h)
				}
			}
			c.set(io, asked)
			socketio.On(io, "me", func(_ context.Context, s *socketio.Socket, _ struct{}) error { sockets <- s; return nil })
			p, _ := join(t, start(t, io))
			p.send(`42["me"]`)
			s := receive(t, sockets)
			eventually(t, "settled", func() bool { return c.kept || !socketio.HasRequest(s) })
			if c.another {
				use(io.Of("/late"), asked)
			} else {
				p.send("41")
			}
			p.send(c.second)
			if c.prefix != "" {
				p.sid(c.prefix)
				return
			}
			p.expectClosed()
			if n := io.Stats().Violations; n != 1 {
				t.Errorf("%d violations", n)
			}
		})
	}
}

// The request stays for as long as a socket is on its way in, and for a client
// that was refused and tries again.
func TestHandshakeStaysWhileSocketsArrive(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	sockets, open := make(chan *socketio.Socket, 3), make(chan bool)
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Refuse bool }
		if err := s.DecodeAuth(&auth); err != nil || auth.Refuse {
			return errors.Join(err, errors.New("no"))
		}
		return nil
	})
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		sockets <- s
		<-open
		if s.Handshake().URL == "" {
			t.Error("no handshake")
		}
		return nil
	})
	p := dial(t, start(t, io))
	p.send(`40{"refuse":true}`)
	p.expect(`44{"message":"no"}`)
	p.send("40")
	p.sid("40")
	first := receive(t, sockets)
	p.send("41", "40")
	p.sid("40")
	second := receive(t, sockets)
	open <- true // one of the two goes on
	eventually(t, "one has settled", func() bool { return io.Stats().Busy == 1 })
	if !socketio.HasRequest(first) {
		t.Error("released while a connect function runs")
	}
	open <- true
	eventually(t, "released", func() bool { return !socketio.HasRequest(second) })
}

func TestAuthIsReleased(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		io := socketio.New(quiet(socketio.Options{}))
		results := make(chan error, 1)
		decode := func(s *socketio.Socket) error {
			var auth struct{ Token string }
			if err := s.DecodeAuth(&auth); err != nil || auth.Token != "x" {
				return errors.Join(err, errors.New("no token"))
			}
			return nil
		}
		io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
			if asked {
				return decode(s)
			}
			return nil
		})
		socketio.On(io, "x", func(_ context.Context, s *socketio.Socket, _ struct{}) error { results <- decode(s); return nil })
		p := dial(t, start(t, io))
		p.send(`40{"token":"x"}`)
		p.sid("40")
		p.send(`42["x"]`)
		if err := receive(t, results); asked && err != nil || !asked && !errors.Is(err, socketio.ErrHandshakeReleased) {
			t.Errorf("asked before: %v; DecodeAuth = %v", asked, err)
		}
	}
}

// What a middleware has read, and forgotten, is not kept; whoever asks after it keeps it.
func TestAForgottenHandshakeIsLetGo(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	var again atomic.Bool
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		if string(s.Handshake().Auth) != `{"token":"x"}` {
			return errors.New("no token")
		}
		s.ForgetHandshake()
		return nil
	})
	connected := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		if again.Load() {
			s.Handshake()
		}
		connected <- s
		return nil
	})
	addr := start(t, io)
	for _, kept := range []bool{false, true} {
		again.Store(kept)
		p := dial(t, addr)
		p.send(`40{"token":"x"}`)
		p.sid("40")
		s := receive(t, connected)
		eventually(t, "released", func() bool {
			var auth struct{ Token string }
			return kept || errors.Is(s.DecodeAuth(&auth), socketio.ErrHandshakeReleased)
		})
		if got := s.Handshake().Auth != nil; got != kept {
			t.Errorf("the auth object is there: %v, want %v", got, kept)
		}
	}
}
