package socketio_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
)

// The reasons of a disconnect, each in every way that leads to it, as the user's
// OnDisconnect sees them in two namespaces of one connection.

// farewell is a way in which a client of type C ends.
type farewell[C wire] struct {
	name  string
	want  socketio.Reason
	do    func(c C, s *socketio.Socket) // s is the client's socket in "/"
	stays bool                          // in the other namespace
	holds bool                          // a poll must wait
}

const kibibyte = 1024

// small are limits that tests can reach.
var small = socketio.Options{MaxHTTPBufferSize: 10 * kibibyte, HighWaterMark: 64 * kibibyte}

func TestReasonsOverWebSocket(t *testing.T) {
	t.Parallel()
	w := watch(t, small)
	socketio.On(w, "panic", func(ctxt, *socketio.Socket, struct{}) error { panic("oh") })
	ways := append(commonWays[*peer](), []farewell[*peer]{
		{name: "FIN", want: socketio.ReasonTransportClose, do: func(p *peer, _ *socketio.Socket) { p.vanish() }},
		{name: "RST", want: socketio.ReasonTransportClose, do: func(p *peer, _ *socketio.Socket) { p.reset() }},
		{name: "FIN in a frame", want: socketio.ReasonTransportClose, do: func(p *peer, _ *socketio.Socket) {
			p.raw("\x81\x84abcd42")
			p.vanish()
		}},
		{name: "close frame", want: socketio.ReasonTransportClose, do: sendFrame(ws.NewCloseFrame(nil))},
		{name: "close frame 1000", want: socketio.ReasonTransportClose, do: sendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")))},
		{name: "close frame 1001", want: socketio.ReasonTransportClose, do: sendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "")))},
		{name: "unmasked frame", want: socketio.ReasonTransportError, do: func(p *peer, _ *socketio.Socket) { p.raw("\x81\x0242") }},
		{name: "reserved opcode", want: socketio.ReasonTransportError, do: sendFrame(ws.NewFrame(0x3, true, []byte("42")))},
		{name: "reserved bit", want: socketio.ReasonTransportError, do: sendFrame(withRSV(ws.NewTextFrame([]byte("42"))))},
		{name: "continuation of nothing", want: socketio.ReasonTransportError, do: sendFrame(ws.NewFrame(ws.OpContinuation, true, nil))},
		{name: "invalid UTF-8", want: socketio.ReasonTransportError, do: sendFrame(ws.NewTextFrame([]byte("42[\"\xff\"]")))},
		{name: "message over the limit", want: socketio.ReasonTransportError, do: func(p *peer, _ *socketio.Socket) {
			p.send(`42["x","` + strings.Repeat("y", 10*kibibyte) + `"]`)
		}},
		{name: "takes nothing", want: socketio.ReasonTransportError, do: func(_ *peer, s *socketio.Socket) {
			for s.Emit("x", strings.Repeat("y", 32*kibibyte)) == nil {
			}
		}},
	}...)
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) { goes(t, w, way, dial(t, w.addr)) })
	}
}

func TestReasonsOverPolling(t *testing.T) {
	t.Parallel()
	w := watch(t, small)
	socketio.On(w, "panic", func(ctxt, *socketio.Socket, struct{}) error { panic("oh") })
	post := func(headers, body string) func(*poller, *socketio.Socket) {
		return func(q *poller, _ *socketio.Socket) {
			q.post.ask("POST " + q.target() + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body)
		}
	}
	ways := append(commonWays[*poller](), []farewell[*poller]{
		{name: "posts a close packet", want: socketio.ReasonTransportClose, do: says[*poller]("1")},
		{name: "poll aborted", want: socketio.ReasonTransportError, holds: true, do: func(q *poller, _ *socketio.Socket) { _ = q.get.Close() }},
		{name: "poll reset", want: socketio.ReasonTransportError, holds: true, do: func(q *poller, _ *socketio.Socket) {
			p := peer{conn: q.get.Conn}
			p.reset()
		}},
		{name: "second poll", want: socketio.ReasonTransportError, holds: true, do: func(q *poller, _ *socketio.Socket) { q.post.ask(q.getRequest()) }},
		{name: "POST aborted", want: socketio.ReasonTransportError, do: func(q *poller, s *socketio.Socket) {
			post("Content-Length: 10\r\n", "42")(q, s)
			_ = q.post.Close()
		}},
		{name: "second POST", want: socketio.ReasonTransportError, do: func(q *poller, s *socketio.Socket) {
			post("Content-Length: 10\r\n", "42")(q, s)
			q.post = dialLine(q, q.addr) // whichever of the two comes first
			post("Content-Length: 10\r\n", "42")(q, s)
		}},
		{name: "octet-stream", want: socketio.ReasonTransportError, do: post("Content-Type: application/octet-stream\r\nContent-Length: 2\r\n", "42")},
		{name: "broken chunks", want: socketio.ReasonTransportError, do: post("Transfer-Encoding: chunked\r\n", "2\r\n42no end")},
		{name: "does not poll", want: socketio.ReasonTransportError, do: func(_ *poller, s *socketio.Socket) {
			for s.Emit("x", strings.Repeat("y", 32*kibibyte)) == nil {
			}
		}},
		{name: "invalid UTF-8", want: socketio.ReasonParseError, do: says[*poller]("42[\"\xff\"]")},
	}...)
	for _, way := range ways {
		t.Run(way.name+", a poll waits", func(t *testing.T) {
			way := way
			way.holds = true
			goes(t, w, way, dialPolling(t, w.addr))
		})
		if !way.holds {
			t.Run(way.name, func(t *testing.T) { goes(t, w, way, dialPolling(t, w.addr)) })
		}
	}
}

// commonWays are the ways that do not depend on the transport.
func commonWays[C wire]() []farewell[C] {
	return []farewell[C]{
		{name: "leaves", want: socketio.ReasonClientNamespaceDisconnect, do: says[C]("41"), stays: true},
		{name: "Disconnect(false)", want: socketio.ReasonServerNamespaceDisconnect, do: func(_ C, s *socketio.Socket) { s.Disconnect(false) }, stays: true},
		{name: "Disconnect(true)", want: socketio.ReasonServerNamespaceDisconnect, do: func(_ C, s *socketio.Socket) { s.Disconnect(true) }},
		{name: "panic", want: socketio.ReasonServerNamespaceDisconnect, do: says[C](`42["panic"]`)},
		{name: "no event", want: socketio.ReasonForcedClose, do: says[C]("4x")},
		{name: "bad JSON", want: socketio.ReasonForcedClose, do: says[C](`42["x"`)},
		{name: "stray binary", want: socketio.ReasonForcedClose, do: says[C]("bAQID")},
		{name: "no packet", want: socketio.ReasonParseError, do: says[C]("x")},
		{name: "unknown packet", want: socketio.ReasonParseError, do: says[C]("7")},
		{name: "empty packet", want: socketio.ReasonParseError, do: says[C]("")},
		{name: "bad base64", want: socketio.ReasonParseError, do: says[C]("b!!")},
		{name: "wrong heartbeat direction", want: socketio.ReasonTransportError, do: says[C]("2")},
	}
}

// says sends one packet.
func says[C wire](packet string) func(C, *socketio.Socket) {
	return func(c C, _ *socketio.Socket) { c.send(packet) }
}

func sendFrame(f ws.Frame) func(*peer, *socketio.Socket) {
	return func(p *peer, _ *socketio.Socket) {
		p.Helper()
		if err := ws.WriteFrame(p.conn, ws.MaskFrame(f)); err != nil {
			p.Fatal(err)
		}
	}
}

func withRSV(f ws.Frame) ws.Frame {
	f.Header.Rsv = ws.Rsv(true, false, false)
	return f
}

// goes has a client with two sockets end in one way.
func goes[C wire](t *testing.T, w *watched, way farewell[C], c C) {
	root, other := w.enters(c)
	if q, ok := any(c).(*poller); ok && way.holds {
		w.holds(q)
	}
	way.do(c, root)
	want := []end{ending(root, way.want)}
	if !way.stays {
		want = append(want, ending(other, way.want))
	}
	w.ended(t, want...)
	if way.stays {
		if way.want == socketio.ReasonServerNamespaceDisconnect {
			c.expect("41")
		}
		c.send(`42/other,1["echo"]`)
		c.expect(`43/other,1[]`)
	}
	w.healthy(t)
}

func TestReasonsAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	w := watch(t, small)
	for _, way := range []farewell[*peer]{
		{name: "FIN", want: socketio.ReasonTransportClose, do: func(p *peer, _ *socketio.Socket) { p.vanish() }},
		{name: "leaves", want: socketio.ReasonClientNamespaceDisconnect, do: says[*peer]("41")},
		{name: "Disconnect(true)", want: socketio.ReasonServerNamespaceDisconnect, do: func(_ *peer, s *socketio.Socket) { s.Disconnect(true) }},
		{name: "no event", want: socketio.ReasonForcedClose, do: says[*peer]("4x")},
		{name: "no packet", want: socketio.ReasonParseError, do: says[*peer]("x")},
		{name: "unmasked frame", want: socketio.ReasonTransportError, do: func(p *peer, _ *socketio.Socket) { p.raw("\x81\x0242") }},
	} {
		t.Run(way.name, func(t *testing.T) {
			q := dialPolling(t, w.addr)
			root := w.socket(q, enter(q, "40", "40"))
			p := q.upgrade()
			echoes(p, 1)
			if root.Transport() != socketio.WebSocket {
				t.Error("not upgraded")
			}
			way.do(p, root)
			w.ended(t, ending(root, way.want))
			w.healthy(t)
		})
	}
}

// While the silent clients time out, one that answers is served.
func TestReasonPingTimeout(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{PingInterval: 100 * time.Millisecond, PingTimeout: 200 * time.Millisecond}))
	w := &watched{Server: io, ends: make(chan end, 10), joined: make(chan *socketio.Socket, 10)}
	w.tell()
	w.addr = start(t, io)
	mute, poll, held := dial(t, w.addr), dialPolling(t, w.addr), dialPolling(t, w.addr)
	var want []end
	for _, c := range []wire{mute, poll, held} {
		a, b := w.enters(c)
		want = append(want, ending(a, socketio.ReasonPingTimeout), ending(b, socketio.ReasonPingTimeout))
	}
	held.hold()
	healthy, _ := join(t, w.addr)
	over, stop := make(chan bool), make(chan bool)
	go func() {
		defer close(over)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if healthy.trySend(fmt.Sprintf(`42%d["echo"]`, n)) != nil {
				t.Error("the healthy client was closed")
				return
			}
			if got, err := healthy.next(); err != nil || got != fmt.Sprintf(`43%d[]`, n) {
				t.Errorf("the healthy client got %q, %v", got, err)
				return
			}
		}
	}()
	w.ended(t, want...)
	close(stop)
	<-over
}

func TestReasonServerShuttingDown(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	p, poll, held := dial(t, w.addr), dialPolling(t, w.addr), dialPolling(t, w.addr)
	var want []end
	for _, c := range []wire{p, poll, held} {
		a, b := w.enters(c)
		want = append(want, ending(a, socketio.ReasonServerShuttingDown), ending(b, socketio.ReasonServerShuttingDown))
	}
	w.holds(held)
	down := w.shutdown()
	w.ended(t, want...)
	for _, c := range []wire{p, poll, held, w.control} {
		closesSilently(c)
		c.vanish()
	}
	if err := receive(t, down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// "forced server close" is the engine's word for who joined nothing in time. No
// socket ends with it: there is none (fact 46). Violations are "forced close" on
// both transports, where Node says "forced server close" if a client is between
// two polls.
func TestReasonForcedServerCloseIsNobodys(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{ConnectTimeout: timeoutForTests})
	w.Of("/slow").Use(func(ctx ctxt, _ *socketio.Socket) error { <-ctx.Done(); return context.Cause(ctx) })
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		c.send("40/slow")
		closesSilently(c)
	})
	count := 0
	for reason, n := range w.Stats().Engine.Closed {
		if reason.String() == string(socketio.ReasonForcedServerClose) {
			count += int(n)
		}
	}
	if count != 2 || len(w.ends) > 0 {
		t.Errorf("%d closed, %d told", count, len(w.ends))
	}
	w.healthy(t)
}
