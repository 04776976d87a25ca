package redisadapter_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// town is servers over one stream, with recovery.
type town struct {
	db      *redistest.Server
	fleets  []*redisadapter.Fleet
	servers []*socketio.Server
}

func newTown(t *testing.T, n int, db redistest.Options, o redisadapter.StreamsOptions) *town {
	t.Helper()
	w := &town{db: redistest.Start(t, db)}
	for range n {
		w.add(t, w.db.URL, o)
	}
	return w
}

// add starts one more server, which reaches Redis at a URL.
func (w *town) add(t *testing.T, url string, o redisadapter.StreamsOptions) *socketio.Server {
	t.Helper()
	o.BlockTime = 100 * time.Millisecond
	f := join(t, redisadapter.Options{
		URL: url, Mode: redisadapter.Streams, Streams: o, DeadAfter: time.Second, Pause: 10 * time.Millisecond,
		Outbox: cluster.OutboxOptions{Pause: 10 * time.Millisecond},
	})
	io := socketio.New(socketio.Options{
		Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler), ConnectionStateRecovery: &socketio.Recovery{},
	})
	if err := io.StartInner(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = io.Shutdown(context.Background()) })
	settle(t, f)
	w.fleets, w.servers = append(w.fleets, f), append(w.servers, io)
	return io
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func socketOf(t testing.TB, io *socketio.Server, sid string) *socketio.Socket {
	t.Helper()
	s, found := io.Of("/").Socket(sid)
	if !found {
		t.Fatal("no such socket")
	}
	return s
}

func TestClientsComeBackToAnyServer(t *testing.T) {
	t.Parallel()
	w := newTown(t, 3, redistest.Options{}, redisadapter.StreamsOptions{})
	c := newWanderer(t)
	c.enter(w.servers[0])
	sid := c.sid
	ok(t, socketOf(t, w.servers[0], sid).Join("room", "123"))
	ok(t, w.servers[1].Emit("one"))
	c.expect(`["one"]`)
	if strings.Count(c.offset, "-") != 1 {
		t.Errorf("the offset is %q", c.offset)
	}
	c.leave()
	ok(t, w.servers[1].To("room").Emit("two"))
	ok(t, w.servers[2].To("elsewhere").Emit("no"))
	ok(t, w.servers[2].Except("room").Emit("no"))
	eventually(t, "the room's event is in the stream", func() bool { // before another sender's
		return strings.Contains(w.db.Command("XRANGE", "socket.io", "-", "+"), `"two"`)
	})
	w.db.Command("XADD", "socket.io", "*", "uid", "emitter", "nsp", "/", "type", "3", "data", `{"packet":{"type":2,"data":["three"],"nsp":"/"},"opts":{"rooms":[123],"flags":{},"except":[]}}`)
	if !c.enter(w.servers[1]) || c.sid != sid {
		t.Fatal("not recovered")
	}
	c.expect(`["one"]`, `["two"]`, `["three"]`)
	ok(t, w.servers[0].To("room").Emit("four"))
	c.expect(`["one"]`, `["two"]`, `["three"]`, `["four"]`)
	ok(t, socketOf(t, w.servers[1], sid).Emit("five"))
	c.expect(`["one"]`, `["two"]`, `["three"]`, `["four"]`, `["five"]`)
}

// A server that was not there then, and has nothing in memory, asks the stream.
func TestClientsComeBackToANewServer(t *testing.T) {
	t.Parallel()
	w := newTown(t, 1, redistest.Options{}, redisadapter.StreamsOptions{})
	c := newWanderer(t)
	c.enter(w.servers[0])
	ok(t, w.servers[0].Emit("first"))
	want := []string{`["first"]`}
	c.expect(want...)
	c.leave()
	for i := range 1500 {
		ok(t, w.servers[0].Emit("n", i))
		want = append(want, fmt.Sprintf(`["n",%d]`, i))
	}
	eventually(t, "all appended", func() bool { return w.fleets[0].Stats().Streams.Appended == 1501 })
	if !c.enter(w.add(t, w.db.URL, redisadapter.StreamsOptions{})) {
		t.Fatal("not recovered")
	}
	c.expect(want...)
	if s := w.fleets[1].Stats().Streams.Tail; s.Ranges != 1 || s.Restored != 1 {
		t.Errorf("%+v", s)
	}
}

// Who has missed what the stream does not have any more is told so.
func TestClientsThatWereAwayForTooLong(t *testing.T) {
	t.Parallel()
	w := newTown(t, 1, redistest.Options{}, redisadapter.StreamsOptions{MaxLen: 100, Tail: cluster.TailOptions{MaxEvents: 10}})
	c := newWanderer(t)
	c.enter(w.servers[0])
	ok(t, w.servers[0].Emit("first"))
	c.expect(`["first"]`)
	c.leave()
	for i := range 500 {
		ok(t, w.servers[0].Emit("n", i))
	}
	eventually(t, "all appended", func() bool { return w.fleets[0].Stats().Streams.Appended == 501 })
	if c.enter(w.add(t, w.db.URL, redisadapter.StreamsOptions{})) {
		t.Error("recovered, though not all is there")
	}
	if s := w.fleets[1].Stats().Streams.Tail; s.TooOld != 1 {
		t.Errorf("%+v", s)
	}
}

// What Node's server has stored of a client is understood, and what is stored here is
// what Node's server reads.
func TestSessionsAreWhereNodeLooks(t *testing.T) {
	t.Parallel()
	w := newTown(t, 1, redistest.Options{}, redisadapter.StreamsOptions{})
	id := w.db.Command("XADD", "socket.io", "*", "uid", "0123456789abcdef", "nsp", "/", "type", "3", "data", `{"packet":{"type":2,"data":["seen"]},"opts":{"rooms":[],"except":[],"flags":{}}}`)
	w.db.Command("XADD", "socket.io", "*", "uid", "0123456789abcdef", "nsp", "/", "type", "3", "data", `{"packet":{"type":2,"data":["missed"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}}`)
	// {sid:"avkdS8CDYZ2qxfX3AAAE", pid:"lCo57appc5KNcOFEAAAF", rooms:[sid, "room1"], data:{user:"A"}}
	w.db.Command("SET", "sio:session:lCo57appc5KNcOFEAAAF", "hKNzaWS0YXZrZFM4Q0RZWjJxeGZYM0FBQUWjcGlktGxDbzU3YXBwYzVLTmNPRkVBQUFGpXJvb21zkrRhdmtkUzhDRFlaMnF4ZlgzQUFBRaVyb29tMaRkYXRhgaR1c2VyoUE=", "PX", "120000")
	c := newWanderer(t)
	c.pid, c.offset = "lCo57appc5KNcOFEAAAF", id
	if !c.enter(w.servers[0]) || c.sid != "avkdS8CDYZ2qxfX3AAAE" {
		t.Fatal("not recovered")
	}
	c.expect(`["missed"]`)
	if got := w.db.Command("EXISTS", "sio:session:lCo57appc5KNcOFEAAAF"); got != "0" {
		t.Error("the session is there still")
	}
	c.leave()
	eventually(t, "a session", func() bool { return w.db.Command("EXISTS", "sio:session:lCo57appc5KNcOFEAAAF") == "1" })
}

// A Redis that is started anew with what it had loses nothing: events are delivered
// here meanwhile, and everywhere when it is back.
func TestNothingIsLostWhenRedisIsKilled(t *testing.T) {
	t.Parallel()
	w := newTown(t, 2, redistest.Options{AOF: true}, redisadapter.StreamsOptions{})
	var clients []*wanderer
	for _, io := range w.servers {
		c := newWanderer(t)
		c.enter(io)
		clients = append(clients, c)
	}
	var want []string
	emit := func(n int) {
		for range n {
			ok(t, w.servers[0].Emit("n", len(want)))
			want = append(want, fmt.Sprintf(`["n",%d]`, len(want)))
		}
	}
	emit(50)
	w.db.Kill()
	emit(50)
	clients[0].expect(want...) // without Redis
	w.db.Start()
	emit(50)
	for _, c := range clients {
		c.expect(want...)
	}
	eventually(t, "all is well", func() bool { return w.fleets[0].Ready() == nil && w.fleets[1].Ready() == nil })
	s := w.fleets[0].Stats().Streams
	if s.Unknown != 0 || s.Tail.LostForOthers != 0 || s.Gaps != 0 {
		t.Errorf("%+v", s)
	}
}

// A Redis that comes back without what it had is found out, and nobody who may have
// missed something is told otherwise.
func TestALostStreamIsReported(t *testing.T) {
	t.Parallel()
	w := newTown(t, 2, redistest.Options{}, redisadapter.StreamsOptions{})
	c := newWanderer(t)
	c.enter(w.servers[0])
	ok(t, w.servers[0].Emit("one"))
	c.expect(`["one"]`)
	c.leave()
	eventually(t, "a session", func() bool { return w.db.Command("EXISTS", "sio:session:"+c.pid) == "1" })
	session := w.db.Command("GET", "sio:session:"+c.pid)
	w.db.Kill()
	w.db.Start()
	w.db.Command("SET", "sio:session:"+c.pid, session) // as if that were somewhere else
	eventually(t, "it is noticed", func() bool { return w.fleets[1].Stats().Streams.Restarts == 1 })
	eventually(t, "all is well", func() bool { return w.fleets[1].Ready() == nil })
	if c.enter(w.servers[1]) {
		t.Error("recovered over a stream that was lost")
	}
	ok(t, w.servers[0].Emit("two"))
	c.expect(`["one"]`, `["two"]`)
}

// What was asked for after others were told something, they answer with that done.
func TestRequestsComeBehindWhatWasAppended(t *testing.T) {
	t.Parallel()
	w := newTown(t, 2, redistest.Options{}, redisadapter.StreamsOptions{})
	c := newWanderer(t)
	c.enter(w.servers[1])
	for i := range 50 {
		room := fmt.Sprint("room ", i)
		ok(t, w.servers[0].To(c.sid).SocketsJoin(room))
		ok(t, w.servers[0].ServerSideEmit("then", i))
	}
	eventually(t, "the requests", func() bool { return w.fleets[0].Stats().Outbox.Sent >= 50 })
	if s := w.fleets[0].Stats().Streams; s.Appended < 50 {
		t.Errorf("only %d were appended before", s.Appended)
	}
}
