package emitter_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/emitter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// ants and gnet start goroutines of their default pools when they are loaded; a client of
// rueidis that was closed may sleep up to a second before it looks at a cluster again.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

func newEmitter(t testing.TB, o emitter.Options) *emitter.Emitter {
	t.Helper()
	e, err := emitter.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// listen returns what is published, as "channel body": a body that is not JSON as hex.
func listen(t testing.TB, db *redistest.Server) <-chan string {
	t.Helper()
	o := rueidis.MustParseURL(db.URL)
	o.DisableCache = true
	c, err := rueidis.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	heard := make(chan string, 100)
	there := make(chan struct{})
	ctx := rueidis.WithOnSubscriptionHook(t.Context(), func(rueidis.PubSubSubscription) { close(there) })
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		_ = c.Receive(ctx, c.B().Psubscribe().Pattern("*").Build(), func(m rueidis.PubSubMessage) {
			body := m.Message
			if !strings.HasPrefix(body, "{") {
				body = hex.EncodeToString([]byte(body))
			}
			heard <- m.Channel + " " + body
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	<-there
	return heard
}

func receive(t testing.TB, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return ""
	}
}

// say does what the captures of Node's emitters did.
var say = []struct {
	what func(ctx context.Context, e *emitter.Emitter) error
	// classic is what is published; stream is type and data of the entry.
	classic, stream string
}{
	{
		func(ctx context.Context, e *emitter.Emitter) error { return e.Emit(ctx, "news", "hi") },
		"socket.io#/# 93a7656d697474657283a47479706502a46461746192a46e657773a26869a36e7370a12f83a5726f6f6d7390a5666c61677380a665786365707490",
		`3 {"packet":{"type":2,"data":["news","hi"],"nsp":"/"},"opts":{"rooms":[],"flags":{},"except":[]}}`,
	},
	{
		func(ctx context.Context, e *emitter.Emitter) error {
			return e.To("room1").Except("x").Volatile().Emit(ctx, "news", []byte{1})
		},
		"socket.io#/#room1# 93a7656d697474657283a47479706502a46461746192a46e657773c40101a36e7370a12f83a5726f6f6d7391a5726f6f6d31a5666c61677381a8766f6c6174696c65c3a665786365707491a178",
		// {packet: {type: 2, data: ["news", <01>], nsp: "/"}, opts: {rooms: ["room1"], flags: {volatile: true}, except: ["x"]}}
		"3 gqZwYWNrZXSDpHR5cGUCpGRhdGGSpG5ld3PEAQGjbnNwoS+kb3B0c4Olcm9vbXORpXJvb20xpWZsYWdzgah2b2xhdGlsZcOmZXhjZXB0kaF4",
	},
	{
		func(ctx context.Context, e *emitter.Emitter) error {
			return e.Of("chat").To("a").In("b", "a").Compress(false).Emit(ctx, "news")
		},
		"socket.io#/chat# 93a7656d697474657283a47479706502a46461746191a46e657773a36e7370a52f6368617483a5726f6f6d7392a161a162a5666c61677381a8636f6d7072657373c2a665786365707490",
		`3 {"packet":{"type":2,"data":["news"],"nsp":"/chat"},"opts":{"rooms":["a","b"],"flags":{"compress":false},"except":[]}}`,
	},
	{
		func(ctx context.Context, e *emitter.Emitter) error { return e.In("room1").SocketsJoin(ctx, "room7") },
		`socket.io-request#/# {"type":2,"opts":{"rooms":["room1"],"except":[]},"rooms":["room7"]}`,
		`4 {"opts":{"rooms":["room1"],"except":[],"flags":{}},"rooms":["room7"]}`,
	},
	{
		func(ctx context.Context, e *emitter.Emitter) error { return e.In("room1").SocketsLeave(ctx, "room7") },
		`socket.io-request#/# {"type":3,"opts":{"rooms":["room1"],"except":[]},"rooms":["room7"]}`,
		`5 {"opts":{"rooms":["room1"],"except":[],"flags":{}},"rooms":["room7"]}`,
	},
	{
		func(ctx context.Context, e *emitter.Emitter) error {
			return e.In("nobody").DisconnectSockets(ctx, true)
		},
		`socket.io-request#/# {"type":4,"opts":{"rooms":["nobody"],"except":[]},"close":true}`,
		`6 {"opts":{"rooms":["nobody"],"except":[],"flags":{}},"close":true}`,
	},
	{
		func(ctx context.Context, e *emitter.Emitter) error { return e.ServerSideEmit(ctx, "hello", "x") },
		`socket.io-request#/# {"uid":"emitter","type":6,"data":["hello","x"]}`,
		`9 {"packet":["hello","x"]}`,
	},
}

func TestBytesAreThoseOfNodesEmitters(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	heard := listen(t, db)
	classic, streams := newEmitter(t, emitter.Options{URL: db.URL}), newEmitter(t, emitter.Options{URL: db.URL, Streams: true})
	for _, s := range say {
		if err := s.what(t.Context(), classic); err != nil {
			t.Error(err)
		}
		if got := receive(t, heard); got != s.classic {
			t.Errorf("published\n%s, not\n%s", got, s.classic)
		}
		if err := s.what(t.Context(), streams); err != nil {
			t.Error(err)
		}
		lines := strings.Split(db.Command("XREVRANGE", "socket.io", "+", "-", "COUNT", "1"), "\n")
		if len(lines) != 9 || lines[1] != "uid" || lines[2] != "emitter" || lines[3] != "nsp" || lines[5] != "type" || lines[7] != "data" {
			t.Fatalf("%q", lines)
		}
		if got := lines[6] + " " + lines[8]; got != s.stream {
			t.Errorf("added\n%s, not\n%s", got, s.stream)
		}
	}
	if n := db.Command("XLEN", "socket.io"); n != "7" || len(heard) != 0 {
		t.Errorf("%s entries, %d more messages", n, len(heard))
	}
}

func TestServersHearAnEmitter(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	for mode, e := range map[redisadapter.Mode]*emitter.Emitter{
		redisadapter.Classic: newEmitter(t, emitter.Options{URL: db.URL, Prefix: "c"}),
		redisadapter.Streams: newEmitter(t, emitter.Options{URL: db.URL, Streams: true}),
	} {
		f, err := redisadapter.New(redisadapter.Options{URL: db.URL, Mode: mode, Prefix: "c"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		io := socketiotest.NewServer(t, socketio.Options{Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler)})
		heard := make(chan string, 1)
		socketio.OnServerSide(io.Server, "hello", func(_ context.Context, s string) error { heard <- s; return nil })
		in, out := io.Connect(), io.Connect()
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		err = errors.Join(
			e.To(in.ID()).SocketsJoin(ctx, "room", "other"),
			e.To("room").Emit(ctx, "a", []byte{1}, "x"),
			e.To(in.ID()).SocketsLeave(ctx, "other"),
			e.To("other").Emit(ctx, "nobody"),
			e.Except("room").Emit(ctx, "b", map[string]int{"n": 1}),
			e.ServerSideEmit(ctx, "hello", "servers"),
			e.To("room").DisconnectSockets(ctx, true),
		)
		if err != nil {
			t.Error(err)
		}
		in.Expect("a", []byte{1}, "x")
		out.Expect("b", map[string]int{"n": 1})
		if got := receive(t, heard); got != "servers" {
			t.Error(got)
		}
		in.Disconnected()
		if n := in.Received() + out.Received(); n != 0 {
			t.Errorf("%d more events", n)
		}
	}
}

func TestWhatAnEmitterRefuses(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{Password: "geheim"})
	e := newEmitter(t, emitter.Options{URL: db.URL})
	var reserved *socketio.ReservedEventError
	if err := e.Emit(t.Context(), "disconnect"); !errors.As(err, &reserved) {
		t.Error(err)
	}
	if err := e.Emit(t.Context(), "x", func() {}); err == nil {
		t.Error("a function was sent")
	}
	for _, url := range []string{"redis://:geheim@host:port", "http://:geheim@h", strings.Replace(db.URL, "geheim", "falsch", 1)} {
		if _, err := emitter.New(emitter.Options{URL: url}); err == nil || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "falsch") {
			t.Error(err)
		}
	}
	db.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := e.Emit(ctx, "x"); err == nil {
		t.Error("who has taken that?")
	}
}
