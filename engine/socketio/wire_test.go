package socketio_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// patience bounds every wait of the tests.
const patience = 10 * time.Second

// quiet are options for servers that tests make fail on purpose.
func quiet(o socketio.Options) socketio.Options {
	o.Logger = slog.New(slog.DiscardHandler)
	o.Loops = 2
	return o
}

// start serves on a free port until the test ends.
func start(tb testing.TB, v *socketio.Server) string {
	tb.Helper()
	if err := v.Listen("127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := v.Shutdown(ctx); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
	})
	return v.Addr().String()
}

// peer is a client that speaks Engine.IO over WebSocket by hand.
type peer struct {
	testing.TB
	conn net.Conn
	rw   io.ReadWriter
	open string // the open packet
}

func dial(tb testing.TB, addr string) *peer { return dialWith(tb, addr, "", nil) }

func dialWith(tb testing.TB, addr, query string, header ws.HandshakeHeader) *peer {
	tb.Helper()
	return dialURL(tb, "ws://"+addr+"/socket.io/?EIO=4&transport=websocket"+query, header)
}

func dialURL(tb testing.TB, url string, header ws.HandshakeHeader) *peer {
	tb.Helper()
	d := ws.Dialer{Timeout: patience, Header: header}
	conn, br, _, err := d.Dial(context.Background(), url)
	if err != nil {
		tb.Fatal(err)
	}
	p := &peer{TB: tb, conn: conn}
	p.rw = conn
	if br != nil {
		p.rw = struct {
			io.Reader
			io.Writer
		}{br, conn}
	}
	tb.Cleanup(func() { _ = conn.Close() })
	p.open = p.read()
	return p
}

// join connects to the default namespace and returns the socket's id.
func join(tb testing.TB, addr string) (*peer, string) {
	tb.Helper()
	p := dial(tb, addr)
	p.send("40")
	return p, p.sid("40")
}

var sidReply = regexp.MustCompile(`^\{"sid":"([A-Za-z0-9_-]{20})"\}$`)

// sid reads the answer to CONNECT.
func (p *peer) sid(prefix string) string {
	p.Helper()
	got := p.read()
	rest, ok := strings.CutPrefix(got, prefix)
	m := sidReply.FindStringSubmatch(rest)
	if !ok || m == nil {
		p.Fatalf("answer to CONNECT = %q, want %s{\"sid\":…}", got, prefix)
	}
	return m[1]
}

// send sends Engine.IO packets: a Socket.IO packet has its '4' in front.
func (p *peer) send(packets ...string) {
	p.Helper()
	for _, s := range packets {
		if err := wsutil.WriteClientText(p.conn, []byte(s)); err != nil {
			p.Fatal(err)
		}
	}
}

// trySend is send to a connection that may be closed.
func (p *peer) trySend(packet string) error {
	return wsutil.WriteClientText(p.conn, []byte(packet))
}

func (p *peer) sendBinary(data ...byte) {
	p.Helper()
	if err := wsutil.WriteClientBinary(p.conn, data); err != nil {
		p.Fatal(err)
	}
}

// next returns the next message, heartbeats answered; an error when the
// connection is closed.
func (p *peer) next() (string, error) {
	for {
		s, err := p.message()
		if err != nil || s != "2" {
			return s, err
		}
		if err := wsutil.WriteClientText(p.conn, []byte("3")); err != nil {
			return "", err
		}
	}
}

func (p *peer) message() (string, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	return p.rawMessage()
}

// rawMessage is message with the deadline that is set.
func (p *peer) rawMessage() (string, error) {
	data, op, err := wsutil.ReadServerData(p.rw)
	if err != nil {
		return "", err
	}
	if op == ws.OpBinary {
		return "binary:" + string(data), nil
	}
	return string(data), nil
}

func (p *peer) read() string {
	p.Helper()
	s, err := p.next()
	if err != nil {
		p.Fatalf("read: %v", err)
	}
	return s
}

func (p *peer) expect(want ...string) {
	p.Helper()
	for _, w := range want {
		if got := p.read(); got != w {
			p.Fatalf("got %q, want %q", got, w)
		}
	}
}

// expectClosed reads until the connection is closed, which it must be.
func (p *peer) expectClosed() {
	p.Helper()
	for {
		s, err := p.next()
		var timeout net.Error
		switch {
		case err == nil:
			p.Logf("before the close: %q", s)
		case errors.As(err, &timeout) && timeout.Timeout():
			p.Fatal("still open")
		default:
			return
		}
	}
}

// receive takes the next value from c.
func receive[T any](tb testing.TB, c <-chan T) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		tb.Fatal("nothing came")
		panic("unreachable")
	}
}

// eventually waits for a condition that nothing signals.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			tb.Fatalf("not in time: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
