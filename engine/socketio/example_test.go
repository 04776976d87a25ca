package socketio_test

import (
	"context"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// A chat: whatever one client says, all clients hear.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	io := socketio.New(socketio.Options{CORS: socketio.CORS{Origins: []string{"*"}}})

	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error { // io.on("connection")
		slog.Info("connected", "id", s.ID())
		s.OnDisconnect(func(r socketio.Reason) { slog.Info("gone", "id", s.ID(), "reason", r) })
		return nil
	})
	socketio.On(io, "chatMessage", func(ctx context.Context, s *socketio.Socket, msg string) error {
		// a database query may stand here: handlers run off the event loop and may block
		return io.Emit("reply", msg) // to everyone, the sender included
	})
	if err := io.ListenAndServe(ctx, ":3000"); err != nil { // returns nil after a graceful stop
		log.Fatal(err)
	}
}

// To everyone, to one, to all but the sender.
func ExampleSocket_Broadcast() {
	io := socketio.New(socketio.Options{})
	socketio.On(io, "say", func(_ context.Context, s *socketio.Socket, line string) error {
		if err := io.Emit("said", line); err != nil { // to everyone
			return err
		}
		if err := s.Emit("thanks"); err != nil { // to one
			return err
		}
		return s.Broadcast().Emit("heard", line) // to all but the sender
	})
}

// A middleware refuses clients without a token, with data for connect_error.
func ExampleNamespace_Use() {
	user := socketio.NewKey[string]()
	io := socketio.New(socketio.Options{})
	io.Of("/admin").Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token != "secret" {
			return &socketio.ConnectError{Message: "not authorized", Data: map[string]any{"retry": false}}
		}
		user.Set(s, "root")
		return s.Join("operators")
	})
}

// An event with an acknowledgement, asked of a client and answered by the server.
func ExampleCall() {
	type since struct{ Seq int }
	history := socketio.Call[since, []string]("history")
	io := socketio.New(socketio.Options{})
	socketio.OnAck(io, history, func(_ context.Context, _ *socketio.Socket, q since) ([]string, error) {
		return []string{"one", "two"}[q.Seq:], nil // the returned value is the acknowledgement
	})
	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // or for Options.AckTimeout
		defer cancel()
		lines, err := history.Ask(ctx, s, since{Seq: 1}) // waits for the client's answer
		slog.Info("the client has", "lines", lines)
		return err
	})
}
