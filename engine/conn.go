package engine

import (
	"syscall"

	"github.com/fanfare-go/fanfare/engine/internal/wheel"
	"github.com/fanfare-go/fanfare/ws"
	"github.com/panjf2000/gnet/v2"
)

// conn is one TCP connection. It is the only owner of its gnet.Conn, which must
// not be written to after it was closed: gnet would write to whichever client has
// the descriptor's number by then. Loop-only.
//
// Budget: 96 bytes (a size class), plus 48 for what it speaks at the moment; held
// by a test.
type conn struct {
	gc      gnet.Conn // gnet's, or the tlsLayer around it
	loop    *loop     // immutable
	timer   wheel.Links[conn]
	http    *httpState // while it speaks HTTP
	ws      *wsState   // while it speaks WebSocket
	session *Session   // whose poll it holds, whose POST it reads, or whose WebSocket it is
	out     *outQueue  // while it cannot take more
	fd      int32      // of gc, for writes that bypass gnet's buffer
	index   int32      // in loop.conns
	flags   connFlag
	form    form // of what it is sent, while it speaks WebSocket
}

// wsState is what a connection needs while it speaks WebSocket.
type wsState struct {
	reader ws.Reader
	second uint16 // of the latest ping
	pings  uint16 // in that second
}

type connFlag uint16

const (
	connClosed     connFlag = 1 << iota // gnet has closed it, or is about to: not a byte more
	connClosing                         // everything was said; waits for the peer, or to drain
	connDoomed                          // in loop.doomed
	connCounted                         // counts against MaxConnections
	connAnswered                        // in loop.answered
	connReturned                        // net/http gave it back, and no request of its was served here yet
	connHalf                            // our half is to be closed behind what waits
	connShaking                         // its TLS handshake is in progress
	connSecure                          // it speaks TLS
	connPeer                            // counts against its peer's ConnectionsPerIP
	connMidMessage                      // its timer watches the message that is incomplete
	connProxied                         // the header of the PROXY protocol is to come
)

func newConn(l *loop, gc gnet.Conn) *conn {
	c := &conn{gc: gc, loop: l, fd: int32(gc.Fd()), index: int32(len(l.conns)), http: newHTTPState()}
	l.conns = append(l.conns, c)
	return c
}

// forget takes a closed connection off the loop's lists.
func (l *loop) forget(c *conn) {
	l.connTimers.Disarm(c)
	last := len(l.conns) - 1
	l.conns[c.index] = l.conns[last]
	l.conns[c.index].index = c.index
	l.conns[last] = nil
	l.conns = l.conns[:last]
}

// WheelLinks lets the loop's timing wheel hold connections.
func (c *conn) WheelLinks() *wheel.Links[conn] { return &c.timer }

func (c *conn) open() bool { return c.flags&(connClosed|connClosing|connDoomed) == 0 }

// write sends b, or hands what the kernel does not take now to gnet's buffer. The
// caller bounds what may pile up there. b may be reused at once.
func (c *conn) write(b []byte) {
	if c.flags&connSecure != 0 {
		c.writeSealed(b)
	} else {
		c.writeRaw(b)
	}
}

// push sends what the kernel takes of b at once, and reports how much that was. Over
// TLS all of b is sealed and counts as sent, and gnet has what the kernel did not
// take; ok is false when the connection is broken.
func (c *conn) push(b []byte) (n int, ok bool) {
	if c.flags&connSecure == 0 {
		return writeNow(int(c.fd), b)
	}
	c.writeSealed(b)
	return len(b), c.flags&(connClosed|connDoomed) == 0
}

// writeRaw is write for bytes as they go over the wire.
func (c *conn) writeRaw(b []byte) {
	if c.flags&(connClosed|connDoomed) != 0 {
		return
	}
	n := 0
	if c.gc.OutboundBuffered() == 0 {
		var ok bool
		if n, ok = writeNow(int(c.fd), b); !ok {
			c.doom()
			return
		}
	}
	if n < len(b) {
		c.spill(b[n:])
	}
}

// spill gives b to gnet, which copies it and sends it when the kernel can take
// more. A failing write closes the connection from inside.
func (c *conn) spill(b []byte) {
	if _, err := c.raw().Write(b); err != nil {
		c.doom()
	}
}

// doom has the connection closed at the end of the turn, not here: the caller may
// be in the middle of a walk over its loop's members.
func (c *conn) doom() {
	if c.flags&(connClosed|connDoomed) == 0 {
		c.flags |= connDoomed
		c.loop.doomed = append(c.loop.doomed, c)
	}
}

// finish closes the connection as soon as what was written has left.
func (c *conn) finish() {
	if !c.open() {
		return
	}
	c.flags |= connClosing
	if c.out == nil && c.gc.OutboundBuffered() == 0 {
		c.doom()
		return
	}
	c.block()
}

// hangUp ends an HTTP connection after its last answer: our half is closed, and
// what the peer is still sending is dropped, until it closes its half too, or for
// CloseTimeout. To close at once would reset the connection, and with it the answer
// (RFC 9112 section 9.6).
func (c *conn) hangUp() {
	c.flags |= connClosing
	if s := c.session; s != nil {
		c.session = nil
		s.connGone(c)
	}
	if !c.takes() {
		c.loop.connTimers.Disarm(c) // until the answer has left, MaxBlocked watches
		c.block()
		return
	}
	c.closeHalf()
	c.expire(ticks(c.loop.srv.opts.CloseTimeout))
}

// closeHalf lets the peer see the end behind what was written, and what waits.
func (c *conn) closeHalf() {
	if c.out != nil {
		c.flags |= connHalf
		return
	}
	if c.flags&connSecure != 0 && c.takes() {
		if c.writeRaw(c.closeNotify()); !c.takes() {
			c.flags |= connHalf
			c.block()
			return
		}
	}
	if c.takes() {
		_ = syscall.Shutdown(int(c.fd), syscall.SHUT_WR)
	}
}

// shut closes the connection now. OnClose runs before it returns.
func (c *conn) shut() {
	if c.flags&connClosed != 0 {
		return
	}
	if c.flags&connSecure != 0 && c.gc.OutboundBuffered() == 0 {
		_, _ = writeNow(int(c.fd), c.closeNotify())
	}
	_ = c.loop.el.Close(c.raw())
}

// expire arms the connection's one timer, ticks from now.
func (c *conn) expire(ticks uint64) {
	c.loop.armConn(c, c.loop.now+ticks)
}

// timeout is called when the connection's timer ran out: whatever it was waiting
// for did not come in time.
func (c *conn) timeout() {
	if c.flags&connMidMessage != 0 && c.open() {
		c.exceed(LimitMessageTime)
		return
	}
	if c.flags&connProxied != 0 {
		c.loop.stats.proxyFailed.Add(1)
	}
	if c.http != nil && c.http.post != nil && c.bodyFlows() {
		return
	}
	if c.http != nil && c.http.isParked() {
		c.loop.stats.unjudged.Add(1)
		c.busy()
		return
	}
	if c.session != nil && c.http != nil && c.http.post != nil {
		c.session.close(ReasonTransportError, byServer) // a body that dripped
	}
	if c.ws != nil && c.open() {
		c.badProbe()
		return
	}
	c.shut()
}

// closed is told that the descriptor is gone.
func (c *conn) closed() {
	c.flags |= connClosed
	c.loop.forget(c)
	if c.flags&connShaking != 0 {
		c.loop.stats.tlsFailed.Add(1)
		c.secure().shake.abort()
	}
	c.unblock()
	if c.form&formDeflated != 0 {
		c.loop.srv.deflation.clients.Add(-1)
	}
	if c.http != nil {
		c.http.reset()
	}
	if c.ws != nil {
		c.ws.reader.Reset()
	}
	if s := c.session; s != nil {
		c.session = nil
		s.connGone(c)
	}
}
