package engine_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/packet"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// patience is how long a test waits for what must happen: never reached by a
// passing test.
const patience = 20 * time.Second

// recorder is a Receiver that echoes, joins and reports what it is told to.
type recorder struct {
	s        *engine.Session
	texts    chan string
	binaries chan []byte
	closed   chan engine.Reason
	onText   func(r *recorder, text string) error
}

func (r *recorder) Text(b []byte) error {
	if r.onText != nil {
		return r.onText(r, string(b))
	}
	r.texts <- string(b)
	return nil
}

func (r *recorder) Binary(b []byte) error {
	r.binaries <- append([]byte(nil), b...)
	return nil
}

func (r *recorder) Closed(reason engine.Reason) { r.closed <- reason }

// fixture is a running server and the sessions it accepted.
type fixture struct {
	t      testing.TB
	srv    *engine.Server
	addr   string
	mu     sync.Mutex
	came   *sync.Cond // on mu: all has grown
	all    map[string]*recorder
	onText func(r *recorder, text string) error
	served chan error
	secure bool // the server speaks TLS
	way    way
	tls    *tls.Config // of the clients; nil for plain TCP
}

// start runs a server on a free port until the test ends.
func start(t testing.TB, o engine.Options, tune ...func(*fixture)) *fixture {
	t.Helper()
	f := &fixture{t: t, all: make(map[string]*recorder), served: make(chan error, 1)}
	f.came = sync.NewCond(&f.mu)
	for _, fn := range tune {
		fn(f)
	}
	if o.Accept == nil {
		o.Accept = f.accept
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if everythingOverTLS && o.TLS == nil && !f.way.mounted {
		o.TLS = serverTLS(t)
	}
	if f.way.hooked {
		askEverything(&o)
	}
	f.secure = o.TLS != nil && !f.way.mounted
	srv, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if f.way.hooked {
		hookEverything(srv)
	}
	if f.srv = srv; f.way.mounted {
		err = srv.Start()
	} else {
		err = srv.Listen("127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	if f.way.mounted {
		f.mount(srv)
	} else {
		f.addr = srv.Addr().String()
	}
	go func() { f.served <- srv.Serve() }()
	t.Cleanup(f.stop)
	return f
}

// stop does not wait for the polling clients that the test has left behind.
func (f *fixture) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.srv.ShutdownWithin(ctx, 50*time.Millisecond); err != nil {
		f.t.Errorf("Shutdown: %v", err)
	}
	if err := receive(f.t, f.served); err != nil {
		f.t.Errorf("Serve: %v", err)
	}
}

func (f *fixture) accept(s *engine.Session) engine.Receiver {
	r := &recorder{s: s, onText: f.onText, texts: make(chan string, 1024), binaries: make(chan []byte, 100), closed: make(chan engine.Reason, 2)}
	s.Established()
	f.mu.Lock()
	f.all[s.ID()] = r
	f.came.Broadcast()
	f.mu.Unlock()
	return r
}

// session waits until the server has accepted the session: the client may know of
// it a moment earlier.
func (f *fixture) session(sid string) *recorder {
	f.t.Helper()
	late := time.AfterFunc(patience, f.came.Broadcast)
	defer late.Stop()
	deadline := time.Now().Add(patience)
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.all[sid] == nil {
		if time.Now().After(deadline) {
			f.t.Fatalf("session %q was not accepted", sid)
		}
		f.came.Wait()
	}
	return f.all[sid]
}

// reason waits for the end of a session.
func (r *recorder) reason(t testing.TB) engine.Reason {
	t.Helper()
	return receive(t, r.closed)
}

// receive waits for a value.
func receive[T any](t testing.TB, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

// text makes a frame with one text message.
func text(s string) *engine.Frame {
	f := engine.NewFrame(len(s))
	f.End(append(f.Begin(), s...))
	return f
}

// send sends a text to a session.
func (r *recorder) send(s string) {
	f := text(s)
	r.s.Send(f)
	f.Release()
}

// rawConn is a TCP client that speaks what it is told to.
type rawConn struct {
	net.Conn
	t  testing.TB
	br *bufio.Reader
	in bool // to a mounted server
}

func (f *fixture) dial() *rawConn {
	f.t.Helper()
	nc := f.reach()
	_ = nc.SetDeadline(time.Now().Add(patience))
	f.t.Cleanup(func() { _ = nc.Close() })
	if f.secure {
		nc = tls.Client(nc, clientTLS())
	}
	return &rawConn{Conn: nc, t: f.t, br: bufio.NewReader(nc), in: f.way.mounted}
}

// tcp is the connection, below TLS where there is that.
func (c *rawConn) tcp() *net.TCPConn {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		return secure.NetConn().(*net.TCPConn)
	}
	return c.Conn.(*net.TCPConn)
}

func (c *rawConn) write(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatal(err)
	}
}

// response is an HTTP answer with its body read.
type response struct {
	*http.Response
	body string
}

// read reads one HTTP response.
func (c *rawConn) read(method string) response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("reading a response: %v", err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response{resp, string(b)}
}

// eof requires that the server closes the connection.
func (c *rawConn) eof() {
	c.t.Helper()
	if n, err := io.Copy(io.Discard, c.br); n > 0 {
		c.t.Fatalf("%d bytes more instead of the end (%v)", n, err)
	}
}

// request sends a request with the given further header lines and body.
func (c *rawConn) request(method, target, body string, header ...string) {
	c.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, c.RemoteAddr())
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	if body != "" || method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	c.write(b.String() + "\r\n" + body)
}

func (c *rawConn) do(method, target, body string, header ...string) response {
	c.t.Helper()
	c.request(method, target, body, header...)
	return c.read(method)
}

const (
	pollURL = "/socket.io/?EIO=4&transport=polling"
	wsURL   = "/socket.io/?EIO=4&transport=websocket"
)

// opened is the open packet.
type opened struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseOpen(t testing.TB, s string) (o opened) {
	t.Helper()
	if s == "" || s[0] != '0' {
		t.Fatalf("not an open packet: %q", s)
	}
	if err := json.Unmarshal([]byte(s[1:]), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// openPolling opens a session over polling.
func (f *fixture) openPolling() (*rawConn, opened) {
	f.t.Helper()
	c := f.dial()
	return c, parseOpen(f.t, c.do("GET", pollURL, "").body)
}

// wsConn is a raw WebSocket client.
type wsConn struct{ *rawConn }

const wsHeader = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

// upgradeWS asks for a WebSocket and requires the 101.
func (f *fixture) upgradeWS(target string) *wsConn {
	f.t.Helper()
	c := f.dial()
	if r := c.do("GET", target, "", wsHeader); r.StatusCode != 101 {
		f.t.Fatalf("upgrade: %s: %q", r.Status, r.body)
	}
	return &wsConn{c}
}

// openWS opens a session over WebSocket.
func (f *fixture) openWS() (*wsConn, opened) {
	f.t.Helper()
	c := f.upgradeWS(wsURL)
	return c, parseOpen(f.t, c.text())
}

// text reads one text frame.
func (c *wsConn) text() string {
	c.t.Helper()
	h, err := gobwas.ReadHeader(c.br)
	if err != nil {
		c.t.Fatalf("reading a frame: %v", err)
	}
	b := make([]byte, h.Length)
	if _, err := io.ReadFull(c.br, b); err != nil {
		c.t.Fatal(err)
	}
	if h.OpCode != gobwas.OpText {
		c.t.Fatalf("frame %v %q instead of text", h.OpCode, b)
	}
	return string(b)
}

// closeCode reads until the close frame: 1005 when it carries no code.
func (c *wsConn) closeCode() gobwas.StatusCode {
	c.t.Helper()
	for {
		h, err := gobwas.ReadHeader(c.br)
		if err != nil {
			c.t.Fatalf("the end without a close frame: %v", err)
		}
		b := make([]byte, h.Length)
		if _, err := io.ReadFull(c.br, b); err != nil {
			c.t.Fatal(err)
		}
		if h.OpCode == gobwas.OpClose {
			if len(b) == 0 {
				return gobwas.StatusNoStatusRcvd
			}
			code, _ := gobwas.ParseCloseFrameData(b)
			return code
		}
	}
}

func (c *wsConn) sendText(s string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c, []byte(s)); err != nil {
		c.t.Fatal(err)
	}
}

// sep joins the packets of a polling payload.
var sep = string(rune(packet.Separator))
