package main

import (
	"errors"
	"syscall"
	"unsafe"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

var errClosed = errors.New("bare: closed")

// conn is one connection: at first a request head, then frames.
type conn struct {
	loop     *loop
	fd       int
	head     []byte // of a request that is not complete
	scanned  int    // bytes of it that were looked at
	upgraded bool
	closed   bool
	reader   ws.Reader
	rest     []byte // what the kernel did not take
}

// read takes what has come. The loop is level-triggered, so one call is enough.
func (c *conn) read() {
	in := c.loop.in
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(in))), uintptr(len(in)))
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
	case errno != 0 || n == 0:
		c.close()
	case c.upgraded:
		c.feed(in[:n])
	default:
		c.head = append(c.head, in[:n]...)
		c.upgrade()
	}
}

func (c *conn) feed(b []byte) {
	if err := c.reader.Feed(b, &c.loop.limits, c); err != nil {
		c.close()
	}
}

// upgrade answers the request once its head is complete.
func (c *conn) upgrade() {
	q := &c.loop.request
	n, err := http1.ParseHead(c.head, c.scanned, q)
	if err != nil {
		c.close()
		return
	}
	if c.scanned = len(c.head); n == 0 {
		return
	}
	h := ws.Handshake{
		Upgrade: q.Get("Upgrade"), Connection: q.Get("Connection"),
		Version: q.Get("Sec-WebSocket-Version"), Key: q.Get("Sec-WebSocket-Key"),
	}
	if h.Check() != nil {
		c.close()
		return
	}
	c.write(h.AppendAccept(nil, nil))
	early := c.head[n:]
	c.upgraded, c.head = true, nil
	if c.closed {
		return
	}
	c.loop.room.Add(c)
	if len(early) > 0 {
		c.feed(early)
	}
}

// write sends b, or keeps what the kernel does not take until it does. The scheduler
// is not told: the descriptor does not block.
func (c *conn) write(b []byte) {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, b...)
		return
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	switch {
	case errno == 0 && int(n) == len(b):
	case errno == syscall.EAGAIN:
		c.keep(b)
	case errno != 0:
		c.close()
	default:
		c.keep(b[n:])
	}
}

func (c *conn) keep(rest []byte) {
	c.rest = append(c.rest, rest...)
	if err := c.loop.rewatch(c.fd, unix.EPOLLIN|unix.EPOLLOUT); err != nil {
		c.close()
	}
}

func (c *conn) flush() {
	b := c.rest
	c.rest = nil
	c.write(b)
	if len(c.rest) == 0 && !c.closed {
		if err := c.loop.rewatch(c.fd, unix.EPOLLIN); err != nil {
			c.close()
		}
	}
}

func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	c.loop.room.Remove(c)
	c.loop.conns[c.fd] = nil
	_ = unix.Close(c.fd)
}

// Message implements ws.Sink.
func (c *conn) Message(_ ws.OpCode, message []byte) error {
	switch kind, text := undertest.Ask(message); kind {
	case undertest.Broadcast:
		c.loop.broadcast(text)
	case undertest.Echo:
		c.send(ws.OpText, text)
	}
	return c.state()
}

// Ping implements ws.Sink.
func (c *conn) Ping(payload []byte) error {
	c.send(ws.OpPong, payload)
	return c.state()
}

// Pong implements ws.Sink.
func (c *conn) Pong([]byte) error { return nil }

// Closed implements ws.Sink.
func (c *conn) Closed(ws.StatusCode, []byte) error { return errClosed }

func (c *conn) send(op ws.OpCode, payload []byte) {
	c.loop.frame = ws.AppendFrame(c.loop.frame[:0], op, payload)
	c.write(c.loop.frame)
}

func (c *conn) state() error {
	if c.closed {
		return errClosed
	}
	return nil
}
