package conversation_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
	"go.uber.org/goleak"
)

// IgnoreCurrent: ants and gnet start goroutines of their default pools when they are loaded; a worker of those ends when
// it was idle for a while.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// chat is a conversation with clients that need no network.
type chat struct {
	*socketiotest.Server
	t    *testing.T
	talk *conversation.Conversation
	said *history.History
}

// options say what a chat is like: the history's store, in memory unless it is "off", and the conversation's bounds.
type options struct {
	store    string
	recovery *socketio.Recovery
	workers  int
	adapter  func(*socketio.MemoryAdapter) socketio.Adapter
	conversation.Options
}

func open(t *testing.T, o options) *chat {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h, err := history.Open(context.Background(), history.Options{Store: o.store, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	io := socketio.New(socketio.Options{
		Logger: log, AckError: conversation.AckError, MaxRooms: (50 + conversation.OwnRooms), ConnectionStateRecovery: o.recovery, Workers: o.workers, Adapter: o.adapter,
	})
	t.Cleanup(func() { // after the server's end
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	c := &chat{t: t, said: h, talk: conversation.New(io, h, o.Options)}
	c.Server = socketiotest.Start(t, io)
	return c
}

// inBubble runs a test with a chat whose time stands still while something is being done.
func inBubble(t *testing.T, o options, test func(*testing.T, *chat)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, open(t, o)) })
}

// ask emits an event and returns what is acknowledged.
func ask[R any](t *testing.T, c *socketiotest.Client, event string, args ...any) (r R) {
	t.Helper()
	got := c.EmitAck(event, args...)
	if err := json.Unmarshal(got.Raw(0), &r); err != nil {
		t.Fatalf("acknowledgement of %q: %v: %v", event, got, err)
	}
	return r
}

// refused emits an event and requires a refusal.
func refused(t *testing.T, c *socketiotest.Client, words, event string, args ...any) {
	t.Helper()
	if got := ask[conversation.Refusal](t, c, event, args...); got.Words != words {
		t.Errorf("%s%v: refused with %q, want %q", event, args, got.Words, words)
	}
}

// meta is the second argument of a reply.
type meta struct{ ID, At, Room, From, User, Name string }

// reply waits for a reply and returns its text and what stands behind it.
func reply(t *testing.T, c *socketiotest.Client) (text string, m meta) {
	t.Helper()
	e := c.Expect("reply")
	if err := e.Args.Decode(&text, &m); err != nil {
		t.Fatal(err)
	}
	return text, m
}
