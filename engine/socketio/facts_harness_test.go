package socketio_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
)

// wire is a client that speaks Engine.IO by hand, over either transport.
type wire interface {
	testing.TB
	send(packets ...string)     // one after the other
	together(packets ...string) // so that the server reads them at once
	sendBinary(data ...byte)
	read() string
	expect(want ...string)
	rest() []string // what comes before the connection is closed, which it must be
	vanish()        // hang up without a word
}

var (
	_ wire = (*peer)(nil)
	_ wire = (*poller)(nil)
)

// overBoth runs a test over WebSocket and over polling.
func overBoth(t *testing.T, test func(t *testing.T, dial func(tb testing.TB, addr string) wire)) {
	t.Run("websocket", func(t *testing.T) {
		test(t, func(tb testing.TB, addr string) wire { return dial(tb, addr) })
	})
	t.Run("polling", func(t *testing.T) {
		test(t, func(tb testing.TB, addr string) wire { return dialPolling(tb, addr) })
	})
}

// enter sends a CONNECT packet and returns the id that the answer gives. The
// answer begins with prefix.
func enter(c wire, packet, prefix string) string {
	c.Helper()
	c.send(packet)
	return admitted(c, prefix)
}

// admitted reads the answer to a CONNECT packet.
func admitted(c wire, prefix string) string {
	c.Helper()
	got := c.read()
	rest, ok := strings.CutPrefix(got, prefix)
	m := sidReply.FindStringSubmatch(rest)
	if !ok || m == nil {
		c.Fatalf("answer to CONNECT = %q, want %s{\"sid\":…}", got, prefix)
	}
	return m[1]
}

// closesSilently requires that the connection closes and nothing comes before.
func closesSilently(c wire) {
	c.Helper()
	if rest := c.rest(); len(rest) > 0 {
		c.Errorf("before the close: %q", rest)
	}
}

// together sends packets in one write.
func (p *peer) together(packets ...string) {
	p.Helper()
	var b strings.Builder
	for _, s := range packets {
		f := ws.MaskFrameInPlace(ws.NewTextFrame([]byte(s)))
		if err := ws.WriteFrame(&b, f); err != nil {
			p.Fatal(err)
		}
	}
	p.raw(b.String())
}

// raw sends bytes as they are.
func (p *peer) raw(bytes string) {
	p.Helper()
	if _, err := io.WriteString(p.conn, bytes); err != nil {
		p.Fatal(err)
	}
}

func (p *peer) rest() (packets []string) {
	p.Helper()
	for {
		s, err := p.next()
		var timeout net.Error
		switch {
		case err == nil:
			packets = append(packets, s)
		case errors.As(err, &timeout) && timeout.Timeout():
			p.Fatal("still open")
		default:
			return packets
		}
	}
}

func (p *peer) vanish() { _ = p.conn.Close() }

// reset closes the connection with a RST.
func (p *peer) reset() {
	_ = p.conn.(*net.TCPConn).SetLinger(0)
	_ = p.conn.Close()
}

// line is one HTTP connection.
type line struct {
	testing.TB
	net.Conn
	br *bufio.Reader
}

func dialLine(tb testing.TB, addr string) *line {
	tb.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &line{TB: tb, Conn: conn, br: bufio.NewReader(conn)}
}

// ask sends a request, or a part of one.
func (l *line) ask(bytes string) {
	l.Helper()
	if _, err := io.WriteString(l.Conn, bytes); err != nil {
		l.Fatal(err)
	}
}

// answer reads a response.
func (l *line) answer() (status int, body string) {
	l.Helper()
	_ = l.SetReadDeadline(time.Now().Add(patience))
	r, err := http.ReadResponse(l.br, nil)
	if err != nil {
		l.Fatalf("reading a response: %v", err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		l.Fatalf("reading a body: %v", err)
	}
	return r.StatusCode, string(b)
}

// poller is a client that polls by hand: one connection for its GETs, one for its POSTs.
type poller struct {
	testing.TB
	addr, sid string
	get, post *line
	held      bool     // a GET is out
	unread    []string // packets of the last answer
}

// separator stands between the packets of a payload (fact 15).
const separator = "\x1e"

func dialPolling(tb testing.TB, addr string) *poller {
	tb.Helper()
	q := &poller{TB: tb, addr: addr, get: dialLine(tb, addr), post: dialLine(tb, addr)}
	q.hold()
	open := q.packet()
	_, rest, _ := strings.Cut(open, `"sid":"`)
	if q.sid, _, _ = strings.Cut(rest, `"`); q.sid == "" {
		tb.Fatalf("open packet = %q", open)
	}
	tb.Cleanup(q.goodbye)
	return q
}

// goodbye ends the session, if it is still there, and takes the server's farewell,
// whatever state the poller's connections are in: a Shutdown would wait for that poll.
func (q *poller) goodbye() {
	for _, request := range []string{q.postRequest("1"), q.getRequest()} {
		conn, err := net.DialTimeout("tcp", q.addr, patience)
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, request); err == nil {
			_, _ = conn.Read(make([]byte, 1))
		}
		_ = conn.Close()
	}
}

// target is the request line's, for this session once it is open.
func (q *poller) target() string {
	t := "/socket.io/?EIO=4&transport=polling"
	if q.sid != "" {
		t += "&sid=" + q.sid
	}
	return t
}

func (q *poller) getRequest() string {
	return "GET " + q.target() + " HTTP/1.1\r\nHost: " + q.addr + "\r\n\r\n"
}

func (q *poller) postRequest(body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", q.target(), q.addr, len(body), body)
}

// hold sends a GET, if none is out.
func (q *poller) hold() {
	q.Helper()
	if !q.held {
		q.get.ask(q.getRequest())
		q.held = true
	}
}

func (q *poller) together(packets ...string) {
	q.Helper()
	q.post.ask(q.postRequest(strings.Join(packets, separator)))
	if status, body := q.post.answer(); status != 200 || body != "ok" {
		q.Fatalf("POST %.80q: %d %s", packets, status, body)
	}
}

func (q *poller) send(packets ...string) {
	q.Helper()
	for _, s := range packets {
		q.together(s)
	}
}

func (q *poller) sendBinary(data ...byte) {
	q.Helper()
	q.send("b" + base64.StdEncoding.EncodeToString(data))
}

// packet returns the next Engine.IO packet, or what was answered in place of a payload.
func (q *poller) packet() string {
	q.Helper()
	for len(q.unread) == 0 {
		q.hold()
		status, body := q.get.answer()
		q.held = false
		if status != 200 {
			return body
		}
		q.unread = strings.Split(body, separator)
	}
	s := q.unread[0]
	q.unread = q.unread[1:]
	return s
}

// unknownSession answers those whose session is over.
const unknownSession = `{"code":1,"message":"Session ID unknown"}`

// next returns the next message, heartbeats answered; false when the session is over.
func (q *poller) next() (string, bool) {
	q.Helper()
	for {
		switch s := q.packet(); {
		case s == "1" || s == unknownSession:
			return s, false
		case s == "2":
			q.send("3")
		case s == "6":
		case strings.HasPrefix(s, "b"):
			b, err := base64.StdEncoding.DecodeString(s[1:])
			if err != nil {
				q.Fatalf("binary packet %q: %v", s, err)
			}
			return "binary:" + string(b), true
		default:
			return s, true
		}
	}
}

func (q *poller) read() string {
	q.Helper()
	s, ok := q.next()
	if !ok {
		q.Fatalf("the session is over: %s", s)
	}
	return s
}

func (q *poller) expect(want ...string) {
	q.Helper()
	for _, w := range want {
		if got := q.read(); got != w {
			q.Fatalf("got %q, want %q", got, w)
		}
	}
}

func (q *poller) rest() (packets []string) {
	q.Helper()
	for {
		s, ok := q.next()
		if !ok {
			return packets
		}
		packets = append(packets, s)
	}
}

// vanish hangs up while a poll waits: without one, nobody would notice.
func (q *poller) vanish() {
	q.hold()
	_ = q.get.Close()
}

// upgrade takes the session to WebSocket (fact 34).
func (q *poller) upgrade() *peer {
	q.Helper()
	d := ws.Dialer{Timeout: patience}
	url := "ws://" + q.addr + strings.Replace(q.target(), "transport=polling", "transport=websocket", 1)
	conn, _, _, err := d.Dial(q.Context(), url)
	if err != nil {
		q.Fatal(err)
	}
	q.Cleanup(func() { _ = conn.Close() })
	p := &peer{TB: q.TB, conn: conn, rw: conn}
	p.send("2probe")
	p.expect("3probe")
	p.send("5")
	return p
}

// end is the end of a socket as OnDisconnect sees it.
type end struct {
	namespace, id string
	reason        socketio.Reason
}

// watched is a server whose namespaces "/" and "/other" echo, and tell of the end
// of their sockets. A healthy client of it must come through whatever others do.
type watched struct {
	*socketio.Server
	addr    string
	ends    chan end
	joined  chan *socketio.Socket
	control *peer
	echoes  int
}

func watch(tb testing.TB, o socketio.Options) *watched {
	tb.Helper()
	w := &watched{Server: socketio.New(quiet(o)), ends: make(chan end, 1000), joined: make(chan *socketio.Socket, 1000)}
	w.tell()
	w.addr = start(tb, w.Server)
	w.control, _ = join(tb, w.addr)
	receive(tb, w.joined)
	return w
}

// tell makes the namespaces, and has them tell of their sockets.
func (w *watched) tell() {
	for _, n := range []*socketio.Namespace{w.Of("/"), w.Of("/other")} {
		n.OnConnect(func(_ ctxt, s *socketio.Socket) error { s.Handshake(); w.joined <- s; return nil })
		n.OnDisconnect(func(_ ctxt, s *socketio.Socket, r socketio.Reason) {
			w.ends <- end{s.Namespace().Name(), s.ID(), r}
		})
		socketio.OnAck(n, "echo", func(_ ctxt, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) { return a, nil })
	}
}

// holds has q send a GET and waits until the server holds it. The GETs of a poller
// come in on the connection that opened its session, so they never move.
func (w *watched) holds(q *poller) {
	q.Helper()
	before := w.Stats().Engine.Requests
	q.hold()
	eventually(q, "the GET is held", func() bool { return w.Stats().Engine.Requests > before })
}

// enters has c join both namespaces and returns its sockets.
func (w *watched) enters(c wire) (root, other *socketio.Socket) {
	c.Helper()
	return w.socket(c, enter(c, "40", "40")), w.socket(c, enter(c, "40/other", "40/other,"))
}

// socket takes the sockets that have joined up to the one with that id.
func (w *watched) socket(c wire, id string) *socketio.Socket {
	c.Helper()
	for {
		if s := receive(c, w.joined); s.ID() == id {
			return s
		}
	}
}

// ending is the end of s for that reason.
func ending(s *socketio.Socket, r socketio.Reason) end { return end{s.Namespace().Name(), s.ID(), r} }

// echoes requires that the server answers c in the default namespace.
func echoes(c wire, id int) {
	c.Helper()
	c.send(fmt.Sprintf(`42%d["echo","there?"]`, id))
	c.expect(fmt.Sprintf(`43%d["there?"]`, id))
}

// healthy requires that the control client is served, and was not told anything.
func (w *watched) healthy(t *testing.T) {
	t.Helper()
	control := *w.control
	control.TB = t
	w.echoes++
	echoes(&control, w.echoes)
}

// ended requires these ends, in any order. Others' are passed over.
func (w *watched) ended(t *testing.T, want ...end) {
	t.Helper()
	for len(want) > 0 {
		got := receive(t, w.ends)
		i := slices.IndexFunc(want, func(e end) bool { return e.id == got.id })
		switch {
		case i < 0:
		case got != want[i]:
			t.Fatalf("ended: %v, want %v", got, want[i])
		default:
			want = slices.Delete(want, i, i+1)
		}
	}
}

// shutdown begins a Shutdown, which waits until its clients have hung up.
func (w *watched) shutdown() <-chan error {
	done := make(chan error, 1)
	go func() { done <- w.Shutdown(context.Background()) }()
	return done
}
