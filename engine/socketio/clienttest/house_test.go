package clienttest_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// house is a server in which everything can be tried. Its clients say with events what it shall do, so that a scenario
// reads from the client's side alone.
type house struct {
	url         string
	address     string
	options     houseOptions
	certificate *tls.Config                     // of a port of its own over TLS
	server      *socketio.Server                // nil while shut
	home        atomic.Pointer[socketio.Server] // the same, for who serves requests
	http2       atomic.Int64                    // requests that came over HTTP/2
	served      chan error
}

// houseOptions are the clocks and limits that some scenarios change; zero means the server's default.
type houseOptions struct {
	pingInterval, pingTimeout, upgradeTimeout time.Duration
	acceptRate, acceptBurst                   int
	onlyEIO4                                  bool // clients of Socket.IO 2 are not let in
	handler                                   http.Handler
	door                                      door
	parser                                    socketio.Parser
}

// watchers is the room of those who want to hear who is gone, and why.
const watchers = "watchers"

func openHouse(t *testing.T, o houseOptions) *house {
	t.Helper()
	h := &house{address: "127.0.0.1:0", options: o}
	if o.door.tls && !o.door.mounted {
		h.certificate = selfSigned(t)
	}
	if h.open(t); o.door.mounted {
		h.url = h.mount(t)
	} else {
		h.address = h.server.Addr().String() // from now on, so that a restart comes back to the same place
		h.url = "http://" + h.address
		if o.door.tls {
			h.url = "https://" + h.address
		}
	}
	t.Cleanup(func() { h.shut(t) })
	return h
}

func (h *house) open(t *testing.T) {
	t.Helper()
	o := socketio.Options{
		PingInterval: h.options.pingInterval, PingTimeout: h.options.pingTimeout, UpgradeTimeout: h.options.upgradeTimeout,
		AllowEIO3: !h.options.onlyEIO4, Handler: h.options.handler, Parser: h.options.parser, AcceptRate: h.options.acceptRate, AcceptBurst: h.options.acceptBurst,
		TLS:     h.certificate,
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnError: func(_ context.Context, _ *socketio.Socket, err error) { t.Errorf("the server reports: %v", err) },
	}
	if h.options.door.compressed {
		o.PerMessageDeflate = &socketio.PerMessageDeflate{}
	}
	server := socketio.New(o)
	furnish(server.Of("/"))
	admin := server.Of("/admin")
	admin.Use(requireToken)
	furnish(admin)
	listen := func() error { return server.Listen(h.address) }
	if h.options.door.mounted {
		listen = server.Start
	}
	if err := listen(); err != nil {
		t.Fatal(err)
	}
	h.home.Store(server)
	h.server, h.served = server, make(chan error, 1)
	go func() { h.served <- server.Serve(context.Background()) }()
}

// shut does nothing where a restart has failed.
func (h *house) shut(t *testing.T) {
	t.Helper()
	if h.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-h.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	h.server = nil
}

func (h *house) restart(t *testing.T) {
	t.Helper()
	h.shut(t)
	h.open(t)
}

func requireToken(_ context.Context, s *socketio.Socket) error {
	var auth struct{ Token string }
	if err := s.DecodeAuth(&auth); err != nil {
		return err
	}
	if auth.Token != "good" {
		return &socketio.ConnectError{Message: "not authorised", Data: map[string]int{"code": 7}}
	}
	return nil
}

// farewell is what the watchers are told.
type farewell struct {
	ID     string          `json:"id"`
	Reason socketio.Reason `json:"reason"`
}

func furnish(n *socketio.Namespace) {
	mirrors(n)
	audiences(n)
	sequences(n)
	witness(n)
	socketio.On(n, "kick", func(_ context.Context, s *socketio.Socket, all bool) error {
		s.Disconnect(all)
		return nil
	})
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.Reason) {
		_ = n.To(watchers).Emit("gone", farewell{s.ID(), r}) // a server that is closing sends no more
	})
}

// sighting is what the server sees of a connection.
type sighting struct {
	Secure    bool   `json:"secure"`
	Transport string `json:"transport"`
	Protocol  int    `json:"protocol"` // revision of Engine.IO
}

// witness says what the server sees.
func witness(n *socketio.Namespace) {
	socketio.OnAck(n, "witness", func(_ context.Context, s *socketio.Socket, _ struct{}) (sighting, error) {
		return sighting{s.Handshake().Secure, s.Transport().String(), s.Protocol()}, nil
	})
}

// mirrors send back what came.
func mirrors(n *socketio.Namespace) {
	socketio.On(n, "echo", func(_ context.Context, s *socketio.Socket, args socketio.Args) error {
		return s.Emit("echoed", args)
	})
	socketio.OnAck(n, "mirror", func(_ context.Context, _ *socketio.Socket, args socketio.Args) (socketio.Args, error) {
		return args, nil
	})
	socketio.OnAck(n, "describe", func(_ context.Context, _ *socketio.Socket, p parcel) (description, error) {
		return p.describe(), nil
	})
	socketio.On(n, "ask", func(ctx context.Context, s *socketio.Socket, question socketio.Args) error {
		answer, err := s.EmitWithAck(ctx, "question", question)
		if err != nil {
			return err
		}
		return s.Emit("answered", answer)
	})
}

type address struct {
	socketio.Tuple
	Room, Text string
}

// audiences are those that a message can be for.
func audiences(n *socketio.Namespace) {
	socketio.On(n, "shout", func(_ context.Context, _ *socketio.Socket, text string) error {
		return n.Emit("reply", text)
	})
	socketio.On(n, "others", func(_ context.Context, s *socketio.Socket, text string) error {
		return s.Broadcast().Emit("reply", text)
	})
	socketio.OnAck(n, "join", func(_ context.Context, s *socketio.Socket, room string) (bool, error) {
		return true, s.Join(room)
	})
	socketio.OnAck(n, "leave", func(_ context.Context, s *socketio.Socket, room string) (bool, error) {
		s.Leave(room)
		return true, nil
	})
	socketio.On(n, "toRoom", func(_ context.Context, _ *socketio.Socket, a address) error {
		return n.To(a.Room).Emit("room", a.Text)
	})
	socketio.On(n, "toOthersInRoom", func(_ context.Context, s *socketio.Socket, a address) error {
		return s.To(a.Room).Emit("room", a.Text)
	})
}

// tally is what a socket's sequence has come to.
type tally struct {
	Count   int  `json:"count"`
	InOrder bool `json:"inOrder"`
}

// sequences count in both directions.
func sequences(n *socketio.Namespace) {
	n.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		seen := tally{InOrder: true}
		socketio.On(s, "seq", func(_ context.Context, _ *socketio.Socket, i int) error {
			seen.InOrder = seen.InOrder && i == seen.Count
			seen.Count++
			return nil
		})
		socketio.OnAck(s, "seqEnd", func(context.Context, *socketio.Socket, struct{}) (tally, error) {
			return seen, nil
		})
		return nil
	})
	socketio.On(n, "burst", func(_ context.Context, s *socketio.Socket, count int) error {
		for i := range count {
			if err := s.Emit("tick", i); err != nil {
				return err
			}
		}
		return nil
	})
}

// parcel has binary at two depths.
type parcel struct {
	Name  string `json:"name"`
	Blob  []byte `json:"blob"`
	Parts []struct {
		Tag  string          `json:"tag"`
		Data socketio.Binary `json:"data"`
	} `json:"parts"`
}

type description struct {
	Name  string `json:"name"`
	Tags  string `json:"tags"`
	Bytes int    `json:"bytes"`
	Sum   int    `json:"sum"`
}

func (p parcel) describe() description {
	d := description{Name: p.Name}
	add := func(b []byte) {
		d.Bytes += len(b)
		for _, v := range b {
			d.Sum += int(v)
		}
	}
	add(p.Blob)
	for _, part := range p.Parts {
		d.Tags += part.Tag
		add(part.Data)
	}
	return d
}
