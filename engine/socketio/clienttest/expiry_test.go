package clienttest_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// tokenServer lets clients in whose token is good. Once they say "begin", their sockets
// expire soon, unless they answer "token?" with a new one.
func tokenServer(t *testing.T) (server *socketio.Server, url string) {
	t.Helper()
	server = socketio.New(socketio.Options{AllowEIO3: true, Logger: slog.New(slog.DiscardHandler), OnError: func(context.Context, *socketio.Socket, error) {}})
	const life = time.Second // whoever is to answer has half of it
	server.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		if s.Handshake().Query.Get("token") != "good" && auth.Token != "good" {
			return &socketio.ConnectError{Message: "expired"}
		}
		return nil
	})
	socketio.On(server, "begin", func(_ context.Context, s *socketio.Socket, _ struct{}) error {
		s.ExpireAt(time.Now().Add(life))
		return nil
	})
	server.OnExpiring(func(ctx context.Context, s *socketio.Socket) error {
		args, err := s.EmitWithAck(ctx, "token?")
		var token string
		if err := errors.Join(err, args.Decode(&token)); err != nil || token != "good" {
			return err
		}
		s.ExpireAt(time.Now().Add(time.Hour))
		return s.Emit("refreshed")
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return server, "http://" + server.Addr().String()
}

// What a stock client sees of the end of its token: the event, then the disconnect after which
// it does not come back by itself, but may be told to.
func TestClientsSeeTheirTokenExpire(t *testing.T) {
	driver := clienttest.Start(t)
	for _, version := range clienttest.Versions {
		t.Run(version, func(t *testing.T) {
			server, url := tokenServer(t)
			c := driver.Connect(t, clienttest.ClientOptions{
				URL: url, Version: version, Transports: clienttest.WebSocket, Reconnect: true,
				Auth: map[string]any{"token": "good"}, Query: map[string]string{"token": "good"},
			})
			c.Emit("begin")
			c.Wait("expired", 1)
			if got := c.WaitDisconnect().Reason; got != "io server disconnect" {
				t.Errorf("the client says %q", got)
			}
			if c.State().Active {
				t.Error("the client comes back by itself")
			}
			if n := server.Stats().Expired; n != 1 {
				t.Errorf("%d expired", n)
			}
			if err := c.Reconnect(nil); err != nil {
				t.Errorf("told to come back: %v", err)
			}
		})
	}
}

func TestClientsRefreshTheirTokenWhileConnected(t *testing.T) {
	driver := clienttest.Start(t)
	for _, version := range clienttest.Versions {
		t.Run(version, func(t *testing.T) {
			server, url := tokenServer(t)
			c := driver.Connect(t, clienttest.ClientOptions{
				URL: url, Version: version, Transports: clienttest.WebSocket,
				Auth: map[string]any{"token": "good"}, Query: map[string]string{"token": "good"},
			})
			c.Answer("token?", "good")
			c.Emit("begin")
			c.Wait("refreshed", 1)
			if n := server.Stats().Expiring; n != 1 {
				t.Errorf("%d expiring", n)
			}
			if n := c.Count("expired"); n != 0 {
				t.Error("expired all the same")
			}
		})
	}
}
