package conversation_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// The official client through the whole contract, over each transport.
func TestTheOfficialClientChats(t *testing.T) {
	driver := clienttest.Start(t)
	h, err := history.Open(context.Background(), history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	io := socketio.New(socketio.Options{
		Logger: slog.New(slog.DiscardHandler), AckError: conversation.AckError,
		ConnectionStateRecovery: &socketio.Recovery{},
	})
	conversation.New(io, h, conversation.Options{})
	if err := io.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		_ = h.Close(ctx)
	})
	for _, transports := range [][]string{clienttest.Polling, clienttest.WebSocket, clienttest.Upgrade} {
		room := "tea " + transports[len(transports)-1] + transports[0]
		o := clienttest.ClientOptions{URL: "http://" + io.Addr().String(), Transports: transports}
		ada, bob := driver.Connect(t, o), driver.Connect(t, o)
		if p := answer[conversation.Person](t, ada, "setName", "Ada"); p.Name != "Ada" {
			t.Errorf("named %+v", p)
		}
		answer[conversation.People](t, ada, "join", room)
		if p := answer[conversation.People](t, bob, "join", room); p.Count != 2 || !slices.Contains(p.Names, "Ada") {
			t.Errorf("joined %+v", p)
		}
		sent := answer[conversation.Sent](t, ada, "chatMessage", in(room, "hello"))
		args := bob.Wait("reply", 1)[0]
		if m := clienttest.Value[meta](t, args[1]); clienttest.Value[string](t, args[0]) != "hello" || m.ID != sent.ID || m.Name != "Ada" || m.Room != room || !sent.Stored {
			t.Errorf("%s, acknowledged %+v", args, sent)
		}
		bob.Emit("typing", map[string]any{"room": room, "typing": true})
		if got := clienttest.Value[conversation.Typing](t, ada.Wait("typing", 1)[0][0]); !got.Typing || got.Name == "" {
			t.Errorf("typing %+v", got)
		}
		if p := clienttest.Value[conversation.People](t, bob.Wait("presence", 1)[0][0]); p.Room != room {
			t.Errorf("present %+v", p)
		}
		lines := answer[conversation.Lines](t, bob, "history", map[string]any{"room": room})
		if len(lines.Messages) != 1 || lines.Messages[0].ID != sent.ID || lines.State != "healthy" {
			t.Errorf("history %+v", lines)
		}
		answer[conversation.Left](t, ada, "leave", room)
		if r := answer[conversation.Refusal](t, ada, "chatMessage", in(room, "?")); r.Words != "join the room first" {
			t.Errorf("refused with %+v", r)
		}
		ada.Disconnect()
		bob.Disconnect()
	}
}

// answer emits an event and returns what is acknowledged.
func answer[R any](t *testing.T, c *clienttest.Client, event string, args ...any) R {
	t.Helper()
	return clienttest.Value[R](t, c.EmitAck(event, args...)[0])
}
