package engine

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// TLS on the loop. A goroutine does the handshake, because crypto/tls cannot be
// resumed in the middle of one (tlshandshake.go). From then on the loop itself calls
// crypto/tls: Read finds the bytes that gnet has lent, and returns errDry, a temporary
// error, when there are no more of them. crypto/tls keeps what it has of a record and
// goes on with it the next time; that is how read deadlines work. Write seals into a
// buffer of the loop, and never fails: after a failed one crypto/tls would refuse
// every further one.
//
// What waits for a blocked client waits as plaintext, as references to frames that
// others share. It is sealed when it leaves, so records are in order by construction.

// tlsLayer is what a connection over TLS has in the place of its gnet.Conn. It goes
// with the connection to another loop, to net/http and back. One goroutine at a time
// uses it: the loop, the one that shakes hands, or net/http's.
type tlsLayer struct {
	gnet.Conn               // of the loop that it is on; nil elsewhere
	loop      *loop         // that it is on; nil elsewhere
	tls       *tls.Conn     // immutable; nil until its handshake begins
	in        []byte        // read from the peer, not yet taken by tls: lent by gnet, or a copy on the move
	shake     *tlsHandshake // until it is over
	nc        net.Conn      // while net/http serves it
}

const (
	// maxSealed is how much is sealed at a time, in bytes: what a cork holds.
	maxSealed = 64 << 10
	// maxRecord is the plaintext of the largest record, in bytes (RFC 8446 section 5.1).
	maxRecord = 16 << 10
)

// secure is the connection's layer, which it has while connSecure or connShaking is set.
func (c *conn) secure() *tlsLayer { return c.gc.(*tlsLayer) }

// raw is gnet's own connection.
func (c *conn) raw() gnet.Conn {
	if k, ok := c.gc.(*tlsLayer); ok {
		return k.Conn
	}
	return c.gc
}

// feedSecure takes what was read of a connection over TLS.
func (c *conn) feedSecure(b []byte) {
	k := c.secure()
	if len(k.in) == 0 {
		k.in = b
	} else {
		k.in = append(k.in, b...)
	}
	for c.flags&(connSecure|connClosed|connDoomed) == connSecure {
		n, err := c.unseal(k)
		if n > 0 {
			c.feed(c.loop.plain[:n])
		}
		if err != nil {
			c.unsealed(err)
			return
		}
	}
}

// unseal reads one record into the loop's buffer, and sends what crypto/tls answered.
func (c *conn) unseal(k *tlsLayer) (n int, err error) {
	l := c.loop
	if l.plain == nil {
		l.plain = make([]byte, maxRecord)
	}
	l.sealed = l.sealed[:0]
	n, err = k.tls.Read(l.plain)
	if len(l.sealed) > 0 {
		if c.gc.OutboundBuffered() > 2*l.srv.opts.HighWaterMark { // it asks for new keys again and again, and takes none
			c.tooSlow(SlowBytes)
			return 0, errDry
		}
		c.writeRaw(l.sealed)
	}
	return n, err
}

// unsealed is told why there is no further record.
func (c *conn) unsealed(err error) {
	switch {
	case c.flags&connSecure == 0: // it went elsewhere with its last record
	case err != errDry:
		if err != io.EOF { // which is the peer's goodbye
			c.loop.stats.tlsFaults.Add(1)
		}
		c.doom()
	}
}

// writeSealed sends b in as many records as it needs.
func (c *conn) writeSealed(b []byte) {
	k, l := c.secure(), c.loop
	for len(b) > 0 && c.flags&(connClosed|connDoomed) == 0 {
		n := min(len(b), maxSealed)
		l.sealed = l.sealed[:0]
		if _, err := k.tls.Write(b[:n]); err != nil {
			c.doom() // it has said goodbye, or the peer has violated the protocol
			return
		}
		c.writeRaw(l.sealed)
		b = b[n:]
	}
}

// closeNotify is the last record, once.
func (c *conn) closeNotify() []byte {
	c.loop.sealed = c.loop.sealed[:0]
	_ = c.secure().tls.CloseWrite()
	return c.loop.sealed
}

// layOn makes the connection speak TLS with what k knows, and goes on with what it
// brings along.
func (c *conn) layOn(k *tlsLayer) {
	k.Conn, k.loop, k.nc = c.raw(), c.loop, nil
	c.gc = k
	c.flags |= connSecure
}

// layOff ends TLS on this connection, which is about to go elsewhere; nil where there
// was none. Not a byte may be written to it from now on.
func (c *conn) layOff() *tlsLayer {
	if c.flags&connSecure == 0 {
		return nil
	}
	k := c.secure()
	k.in = append([]byte(nil), k.in...)
	c.gc, k.Conn, k.loop = k.Conn, nil, nil
	c.flags &^= connSecure
	return k
}

// tlsState describes the connection's TLS; nil without it.
func (c *conn) tlsState() *tls.ConnectionState {
	if c.flags&connSecure == 0 {
		return nil
	}
	state := c.secure().tls.ConnectionState()
	return &state
}

// tlsPipe is a tlsLayer as crypto/tls sees it: what is below it.
type tlsPipe tlsLayer

// errDry says that all that has arrived so far was read.
var errDry net.Error = dryError{}

type dryError struct{}

func (dryError) Error() string   { return "engine: nothing more has arrived" }
func (dryError) Timeout() bool   { return true }
func (dryError) Temporary() bool { return true }

func (p *tlsPipe) Read(b []byte) (int, error) {
	switch {
	case p.shake != nil:
		return p.shake.read(b)
	case len(p.in) > 0:
		n := copy(b, p.in)
		if p.in = p.in[n:]; len(p.in) == 0 {
			p.in = nil
		}
		return n, nil
	case p.nc != nil:
		return p.nc.Read(b)
	}
	return 0, errDry
}

func (p *tlsPipe) Write(b []byte) (int, error) {
	switch {
	case p.shake != nil:
		return p.shake.write(b)
	case p.nc != nil:
		return p.nc.Write(b)
	case p.loop == nil:
		return 0, net.ErrClosed
	}
	p.loop.sealed = append(p.loop.sealed, b...)
	return len(b), nil
}

// Close closes what net/http has; on a loop, the loop closes.
func (p *tlsPipe) Close() error {
	if p.nc != nil {
		return p.nc.Close()
	}
	return nil
}

// LocalAddr is asked for during the handshake, and by net/http.
func (p *tlsPipe) LocalAddr() net.Addr {
	switch {
	case p.nc != nil:
		return p.nc.LocalAddr()
	case p.shake != nil:
		return net.TCPAddrFromAddrPort(p.shake.local)
	}
	return &net.TCPAddr{}
}

// RemoteAddr is asked for during the handshake, and by net/http.
func (p *tlsPipe) RemoteAddr() net.Addr {
	switch {
	case p.nc != nil:
		return p.nc.RemoteAddr()
	case p.shake != nil:
		return net.TCPAddrFromAddrPort(p.shake.remote)
	}
	return &net.TCPAddr{}
}

func (p *tlsPipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *tlsPipe) SetReadDeadline(t time.Time) error {
	if p.nc != nil {
		return p.nc.SetReadDeadline(t)
	}
	return nil
}

func (p *tlsPipe) SetWriteDeadline(t time.Time) error {
	if p.nc != nil {
		return p.nc.SetWriteDeadline(t)
	}
	return nil
}

// addrPort copies an address: gnet takes its own back when the connection closes.
func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}
