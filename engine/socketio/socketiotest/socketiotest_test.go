package socketiotest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

type ctxt = context.Context

// everywhere runs a test with the system's clock and in a bubble.
func everywhere(t *testing.T, test func(t *testing.T)) {
	t.Run("system clock", func(t *testing.T) { t.Parallel(); test(t) })
	t.Run("bubble", func(t *testing.T) { t.Parallel(); synctest.Test(t, test) })
}

func TestEventsGoBothWays(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{})
		socketio.On(server, "chatMessage", func(_ ctxt, _ *socketio.Socket, msg string) error {
			return server.Emit("reply", msg, 1)
		})
		ada, bob := server.Connect(), server.Connect()
		ada.Emit("chatMessage", "hello")
		ada.Expect("reply", "hello", 1)
		bob.Expect("reply", "hello", 1.0)
		ada.ExpectNothing()
		if ada.ID() == bob.ID() || ada.Socket() == nil || ada.Socket().ID() != ada.ID() {
			t.Errorf("ids %q and %q", ada.ID(), bob.ID())
		}
	})
}

func TestRoomsAndBroadcasts(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{})
		socketio.On(server, "enter", func(_ ctxt, s *socketio.Socket, room string) error { return s.Join(room) })
		socketio.On(server, "say", func(_ ctxt, s *socketio.Socket, msg string) error { return s.To("room").Emit("said", msg) })
		ada, bob, eve := server.Connect(), server.Connect(), server.Connect()
		ada.Emit("enter", "room")
		bob.Emit("enter", "room")
		server.Settle()
		ada.Emit("say", "x")
		bob.Expect("said", "x")
		ada.ExpectNothing()
		eve.ExpectNothing()
		if err := server.To("room").Except(bob.ID()).Emit("only", "ada"); err != nil {
			t.Fatal(err)
		}
		ada.Expect("only", "ada")
		bob.ExpectNothing()
	})
}

func TestAcknowledgementsGoBothWays(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{OnError: func(ctxt, *socketio.Socket, error) {}})
		socketio.OnAck(server, "double", func(_ ctxt, _ *socketio.Socket, n int) (int, error) {
			if n < 0 {
				return 0, errors.New("negative")
			}
			return 2 * n, nil
		})
		socketio.OnAck(server, "roundabout", func(ctx ctxt, s *socketio.Socket, q string) (string, error) {
			args, err := s.EmitWithAck(ctx, "question", q)
			var answer string
			return answer, errors.Join(err, args.Decode(&answer))
		})
		c := server.Connect()
		var got int
		if err := c.EmitAck("double", 21).Decode(&got); err != nil || got != 42 {
			t.Errorf("%d, %v", got, err)
		}
		ask := c.Ask("double", -1)
		server.Settle()
		if ask.Answered() {
			t.Error("a handler that failed has acknowledged")
		}
		ask = c.Ask("roundabout", "why?")
		if e := c.Expect("question", "why?"); !e.WantsAck() {
			t.Error("nobody wants to know")
		} else {
			e.Ack("because")
		}
		_ = ask.Args()
	})
}

func TestBinaryGoesBothWays(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		type file struct {
			Name string `json:"name"`
			Data []byte `json:"data"`
		}
		server := socketiotest.NewServer(t, socketio.Options{})
		socketio.OnAck(server, "upload", func(_ ctxt, _ *socketio.Socket, f file) (file, error) {
			return f, server.Emit("uploaded", f, []byte{9})
		})
		c := server.Connect()
		sent := file{"a", []byte{1, 2, 0, 255}}
		var back file
		if err := c.EmitAck("upload", sent).Decode(&back); err != nil || back.Name != "a" || !slices.Equal(back.Data, sent.Data) {
			t.Errorf("%+v, %v", back, err)
		}
		c.Expect("uploaded", sent, []byte{9})
	})
}

func TestRefusals(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{})
		server.Use(func(_ ctxt, s *socketio.Socket) error {
			var auth struct{ Token string }
			if err := s.DecodeAuth(&auth); err != nil {
				return err
			}
			if auth.Token != "let me in" {
				return &socketio.ConnectError{Message: "no", Data: map[string]int{"code": 7}}
			}
			return nil
		})
		type auth struct {
			Token string `json:"token"`
		}
		refusal := server.Connect().Refused()
		if refusal.Message != "no" || fmt.Sprintf("%s", refusal.Data) != `{"code":7}` {
			t.Errorf("%+v", refusal)
		}
		if r := server.Connect(socketiotest.ConnectOptions{Namespace: "/nowhere"}).Refused(); r.Message != "Invalid namespace" {
			t.Errorf("%+v", r)
		}
		c := server.Connect(socketiotest.ConnectOptions{Auth: auth{"let me in"}})
		if c.ID() == "" {
			t.Error("not let in")
		}
	})
}

func TestHandshakeIsWhatTheClientSaid(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{})
		seen := make(chan *socketio.Handshake, 2)
		server.OnConnect(func(_ ctxt, s *socketio.Socket) error { seen <- s.Handshake(); return nil })
		server.Connect(socketiotest.ConnectOptions{
			Header: http.Header{"X-Test": {"1", "2"}, "Origin": {"http://a.example"}},
			Query:  url.Values{"room": {"a b"}},
			Addr:   netip.MustParseAddrPort("[2001:db8::1]:5"),
		})
		h := <-seen
		if h.Headers.Get("X-Test") != "1" || !h.XDomain || h.Query.Get("room") != "a b" || h.Query.Get("EIO") != "4" || h.Address != "2001:db8::1" {
			t.Errorf("%+v", h)
		}
		server.Connect()
		if h := <-seen; h.Address != "192.0.2.1" || h.Headers.Get("Host") != "example.com" {
			t.Errorf("%+v", h)
		}
	})
}

func TestNamespacesShareAConnection(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{})
		admin := server.Of("/admin")
		socketio.OnAck(admin, "whoami", func(_ ctxt, s *socketio.Socket, _ struct{}) (string, error) { return s.ID(), nil })
		c := server.Connect()
		a := c.Of("admin", nil)
		a.Ask("whoami").Expect(a.ID())
		if n := server.Stats().Engine.WebSocket; n != 1 {
			t.Errorf("%d connections", n)
		}
		a.Disconnect()
		if a.Disconnected() != socketiotest.ClientDisconnect {
			t.Error("not disconnected")
		}
		server.Settle()
		if n := server.Stats().Engine.WebSocket; n != 1 {
			t.Errorf("the last namespace is there still, but %d connections", n)
		}
		c.Disconnect()
		server.Settle()
		if n := server.Stats().Engine.WebSocket; n != 0 {
			t.Errorf("%d connections", n)
		}
	})
}

// Both sides know why a client has gone.
func TestDisconnectsHaveTheirReasons(t *testing.T) {
	for _, test := range []struct {
		name   string
		do     func(s *socketiotest.Server, c *socketiotest.Client)
		server socketio.Reason
		client string
	}{
		{"kicked", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Socket().Disconnect(false) }, socketio.ReasonServerNamespaceDisconnect, socketiotest.ServerDisconnect},
		{"hung up on", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Socket().Disconnect(true) }, socketio.ReasonServerNamespaceDisconnect, socketiotest.ServerDisconnect},
		{"leaves", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Disconnect() }, socketio.ReasonClientNamespaceDisconnect, socketiotest.ClientDisconnect},
		{"closes", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Close() }, socketio.ReasonTransportClose, socketiotest.TransportClose},
		{"vanishes", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Silence() }, socketio.ReasonPingTimeout, socketiotest.TransportClose},
		{"breaks the rules", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Raw("nonsense") }, socketio.ReasonForcedClose, socketiotest.TransportClose},
		{"shutdown", func(s *socketiotest.Server, _ *socketiotest.Client) { _ = s.Shutdown(context.Background()) }, socketio.ReasonServerShuttingDown, socketiotest.TransportClose},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := socketiotest.NewServer(t, socketio.Options{})
				server.Patience = time.Minute
				reasons := make(chan socketio.Reason, 1)
				server.OnDisconnect(func(_ ctxt, _ *socketio.Socket, r socketio.Reason) { reasons <- r })
				c := server.Connect()
				test.do(server, c)
				if got := c.Disconnected(); got != test.client {
					t.Errorf("the client sees %q", got)
				}
				if got := <-reasons; got != test.server {
					t.Errorf("the server sees %q", got)
				}
			})
		})
	}
}

// A handler's minute takes no time in a bubble, nor does a deadline.
func TestFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{})
		server.Patience = time.Hour
		failed := make(chan error, 1)
		socketio.On(server, "ask me", func(ctx ctxt, s *socketio.Socket, _ struct{}) error {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, err := s.EmitWithAck(ctx, "question")
			failed <- err
			return nil
		})
		c := server.Connect()
		began := time.Now()
		c.Emit("ask me")
		c.Expect("question")
		server.Settle() // as long as the handler waits
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestReconnectRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{MaxDisconnectionDuration: time.Minute}})
		c := server.Connect(socketiotest.ConnectOptions{Auth: map[string]string{"user": "ada"}})
		if err := c.Socket().Join("room"); err != nil {
			t.Fatal(err)
		}
		_ = server.Emit("one", 1)
		c.Expect("one", 1)
		c.Close()
		server.Settle()
		_ = server.To("room").Emit("two", "2")
		back := c.Reconnect()
		if !back.Recovered() || back.ID() != c.ID() {
			t.Errorf("recovered: %v, %s and %s", back.Recovered(), c.ID(), back.ID())
		}
		back.Expect("two", "2")
		back.ExpectNothing()
		back.Close()
		time.Sleep(2 * time.Minute)
		late := back.Reconnect()
		if late.Recovered() || late.ID() == c.ID() {
			t.Error("recovered after its time")
		}
	})
}

// What is settled is done: handlers, what they emit, and what their clients see of it.
func TestSettleMakesStepsCertain(t *testing.T) {
	t.Parallel()
	server := socketiotest.NewServer(t, socketio.Options{})
	var order []string // by one handler at a time, if Settle does what it says
	socketio.On(server, "step", func(_ ctxt, s *socketio.Socket, who string) error {
		order = append(order, who)
		return s.Broadcast().Emit("stepped", who)
	})
	ada, bob := server.Connect(), server.Connect()
	for i := range 200 {
		ada.Emit("step", "ada")
		server.Settle()
		bob.Emit("step", "bob")
		server.Settle()
		if len(order) != 2*i+2 || order[2*i] != "ada" || order[2*i+1] != "bob" {
			t.Fatalf("%d: %v", i, order[2*i:])
		}
	}
	for range 200 {
		ada.Expect("stepped", "bob")
		bob.Expect("stepped", "ada")
	}
	ada.ExpectNothing()
}
