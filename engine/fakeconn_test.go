package engine_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/gobwas/ws/wsutil"
	"github.com/panjf2000/gnet/v2"
)

// fakeLoop stands in for one of gnet's event loops: it looks at its self-pipe when
// the test says so, on the test's goroutine.
type fakeLoop struct {
	gnet.EventLoop // nil: what is not written below is not used by the engine
	callbacks      gnet.EventHandler
	self           *fakeConn    // the loop's end of its self-pipe
	heard          [64]byte     // what runOne reads from it
	freed          func(fd int) // called when a descriptor's number is free again; nil for nothing
}

// Enroll takes the loop's connection to itself, at once.
func (l *fakeLoop) Enroll(ctx context.Context, nc net.Conn) (<-chan gnet.RegisteredResult, error) {
	rc, err := nc.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &fakeConn{loop: l, ctx: gnet.FromContext(ctx), peer: -1}
	err2 := rc.Control(func(fd uintptr) { c.fd, err = syscall.Dup(int(fd)) })
	_ = nc.Close()
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	l.self = c
	l.callbacks.OnOpen(c)
	done := make(chan gnet.RegisteredResult, 1)
	done <- gnet.RegisteredResult{Conn: c}
	return done, nil
}

// runOne does a turn; false when nobody has asked for one.
func (l *fakeLoop) runOne() bool {
	if l.self == nil || l.self.closed {
		return false
	}
	n, _ := syscall.Read(l.self.fd, l.heard[:])
	if n <= 0 {
		return false
	}
	l.self.deliver(l.heard[:n])
	return true
}

// Close is gnet's: OnClose first, then one attempt at what is buffered, then the
// descriptor goes, and its number is free for the next connection.
func (l *fakeLoop) Close(gc gnet.Conn) error {
	c := gc.(*fakeConn)
	if c.closed {
		return nil
	}
	c.closed = true
	l.callbacks.OnClose(c, nil)
	c.flush()
	c.out = nil
	err := syscall.Close(c.fd)
	if l.freed != nil {
		l.freed(c.fd)
	}
	return err
}

// fakeConn is a gnet.Conn on one end of a socket pair; the test holds the other.
type fakeConn struct {
	gnet.Conn // nil: what is not written below is not used by the engine
	loop      *fakeLoop
	fd, peer  int
	ctx, safe any
	in        []byte // what Next returns
	out       []byte // what gnet would hold for a peer that takes no more
	writes    int    // calls of Write, after close too
	closed    bool
	keepAlive time.Duration
	got       bytes.Buffer // what the peer has read and not looked at
}

func (c *fakeConn) EventLoop() gnet.EventLoop                { return c.loop }
func (c *fakeConn) Context() any                             { return c.ctx }
func (c *fakeConn) SetContext(ctx any)                       { c.ctx = ctx }
func (c *fakeConn) SetSafeContext(ctx any)                   { c.safe = ctx }
func (c *fakeConn) SafeContext() any                         { return c.safe }
func (c *fakeConn) Fd() int                                  { return c.fd }
func (c *fakeConn) Dup() (int, error)                        { return syscall.Dup(c.fd) }
func (c *fakeConn) LocalAddr() net.Addr                      { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (c *fakeConn) RemoteAddr() net.Addr                     { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (c *fakeConn) SetKeepAlivePeriod(d time.Duration) error { c.keepAlive = d; return nil }
func (c *fakeConn) OutboundBuffered() int                    { return len(c.out) }
func (c *fakeConn) Next(int) (b []byte, err error)           { b, c.in = c.in, nil; return b, nil }

// Write is gnet's: straight to the descriptor, whoever has it by now; what does
// not fit is kept; a hard error closes the connection from inside.
func (c *fakeConn) Write(b []byte) (int, error) {
	c.writes++
	if len(c.out) > 0 {
		c.out = append(c.out, b...)
		return len(b), nil
	}
	n, err := syscall.Write(c.fd, b)
	if errors.Is(err, syscall.EAGAIN) {
		n, err = 0, nil
	}
	if err != nil {
		_ = c.loop.Close(c)
		return 0, err
	}
	c.out = append(c.out, b[n:]...)
	return len(b), nil
}

// flush is what gnet does when the descriptor takes bytes again.
func (c *fakeConn) flush() {
	for len(c.out) > 0 {
		n, err := syscall.Write(c.fd, c.out)
		if err != nil {
			return
		}
		c.out = c.out[n:]
	}
}

// deliver lets the loop read b from the connection.
func (c *fakeConn) deliver(b []byte) {
	if c.closed {
		return
	}
	c.in = b
	if c.loop.callbacks.OnTraffic(c) == gnet.Close {
		_ = c.loop.Close(c)
	}
}

// drain reads all that has arrived at the peer; false when the server has closed.
func (c *fakeConn) drain() (open bool) {
	var b [64 << 10]byte
	for {
		n, err := syscall.Read(c.peer, b[:])
		switch {
		case n > 0:
			c.got.Write(b[:n])
		case errors.Is(err, syscall.EAGAIN):
			return true
		default:
			return false
		}
	}
}

// frames returns the frames the peer has got by now.
func (c *fakeConn) frames() []frame {
	c.drain()
	var all []frame
	for {
		r := bytes.NewReader(c.got.Bytes())
		f, err := readFrame(r)
		if err != nil {
			return all
		}
		c.got.Next(c.got.Len() - r.Len())
		all = append(all, f)
	}
}

// texts returns the text messages the peer has got by now.
func (c *fakeConn) texts() (all []string) {
	for _, f := range c.frames() {
		all = append(all, f.String())
	}
	return all
}

// vanish closes the peer's end without the loop noticing yet.
func (c *fakeConn) vanish() {
	if c.peer >= 0 {
		_ = syscall.Close(c.peer)
		c.peer = -1
	}
}

// fakes is a server on fake loops, under a clock that the test moves.
type fakes struct {
	*fixture
	loops []*fakeLoop
	conns []*fakeConn
	stop  func() // ends what runs beside the loops, once
}

// startFake makes a server on n fake loops.
func startFake(t testing.TB, n int, o engine.Options, tune ...func(*fixture)) *fakes {
	t.Helper()
	f := &fixture{t: t, all: make(map[string]*recorder)}
	f.came = sync.NewCond(&f.mu)
	for _, fn := range tune {
		fn(f)
	}
	if o.Accept == nil {
		o.Accept = f.accept
	}
	o.Logger = slog.New(slog.DiscardHandler)
	srv, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.srv = srv
	k := &fakes{fixture: f, stop: sync.OnceFunc(srv.StopBackground)}
	callbacks := srv.Unlistened(1 << 20)
	for range n {
		k.loops = append(k.loops, &fakeLoop{callbacks: callbacks})
	}
	t.Cleanup(k.close)
	return k
}

// close does away with every connection and ends the loops.
func (k *fakes) close() {
	defer k.end()
	for _, c := range k.conns {
		_ = c.loop.Close(c)
		c.vanish()
	}
	k.run()
}

func (k *fakes) end() {
	k.stop()
	for _, l := range k.loops {
		if l.self != nil {
			_ = l.Close(l.self)
		}
	}
}

// connect opens a connection on a loop. A server that refuses closes it at once.
func (k *fakes) connect(loop int) *fakeConn {
	k.t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, fd := range pair {
		if err := syscall.SetNonblock(fd, true); err != nil {
			k.t.Fatal(err)
		}
	}
	l := k.loops[loop]
	c := &fakeConn{loop: l, fd: pair[0], peer: pair[1]}
	k.conns = append(k.conns, c)
	if _, action := l.callbacks.OnOpen(c); action == gnet.Close {
		_ = l.Close(c)
	}
	return c
}

// narrow makes the connection take little before it blocks.
func (c *fakeConn) narrow(t testing.TB) {
	t.Helper()
	if err := syscall.SetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096); err != nil {
		t.Fatal(err)
	}
}

// run has every loop do all its turns.
func (k *fakes) run() {
	const endless = 100_000
	for again, turns := true, 0; again; {
		again = false
		for _, l := range k.loops {
			for l.runOne() {
				if turns++; turns == endless {
					k.t.Fatal("a loop asks for one turn after another, and gets nothing done")
				}
				again = true
			}
		}
	}
}

// advance moves the clock tick by tick, as the ticker does.
func (k *fakes) advance(d time.Duration) {
	for range engine.Ticks(d) {
		k.srv.Ticking(1)
		k.run()
	}
}

func requestText(method, target, header, body string) []byte {
	return []byte(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n" + body)
}

// openWS opens a session over WebSocket on a loop.
func (k *fakes) openWS(loop int) (*fakeConn, *recorder) {
	k.t.Helper()
	c := k.connect(loop)
	c.deliver(requestText("GET", wsURL, wsHeader+"\r\n", ""))
	r := k.session(parseOpen(k.t, c.handshake(k.t)).SID)
	return c, r
}

// handshake skips the 101 and returns the first text frame.
func (c *fakeConn) handshake(t testing.TB) string {
	t.Helper()
	c.drain()
	head, rest, ok := bytes.Cut(c.got.Bytes(), []byte("\r\n\r\n"))
	if !ok || !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		t.Fatalf("no 101: %q", c.got.String())
	}
	c.got.Next(c.got.Len() - len(rest))
	texts := c.texts()
	if len(texts) == 0 {
		t.Fatal("no open packet")
	}
	return texts[0]
}

// openPolling opens a session over polling on a loop.
func (k *fakes) openPolling(loop int) (*fakeConn, *recorder) {
	k.t.Helper()
	c := k.connect(loop)
	c.deliver(requestText("GET", pollURL, "", ""))
	return c, k.session(parseOpen(k.t, c.response(k.t)).SID)
}

// response returns the body of the one response the peer has got.
func (c *fakeConn) response(t testing.TB) string {
	t.Helper()
	c.drain()
	_, body, ok := bytes.Cut(c.got.Bytes(), []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("no response: %q", c.got.String())
	}
	s := string(body)
	c.got.Reset()
	return s
}

// taken returns what the peer has got by now.
func (c *fakeConn) taken() string {
	c.drain()
	defer c.got.Reset()
	return c.got.String()
}

// sendText delivers one masked text frame.
func (c *fakeConn) sendText(s string) {
	var b bytes.Buffer
	_ = wsutil.WriteClientText(&b, []byte(s))
	c.deliver(b.Bytes())
}
