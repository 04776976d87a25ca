package engine

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/panjf2000/gnet/v2"
)

// Connections move, sessions stay. A request for a session of another loop takes
// its connection there; a request that is not Engine.IO's takes it to a standard
// http.Server, and one that is brings it back. In each case the descriptor is
// duplicated, and the bytes read so far travel along; the peer notices nothing.

// arrival is what a connection that moved to a loop brings along.
type arrival struct {
	bytes    []byte
	returned bool       // it comes from net/http, not from another loop
	tls      *tlsLayer  // nil without TLS
	from     *origin    // nil where it came over our own listener
	peer     netip.Addr // whose ConnectionsPerIP it counts against; the zero value for nobody's
}

// counts reports whether the connection that moved here counts against a peer, and notes
// whom, where that is not the network's.
func (a *arrival) counts(gc gnet.Conn) bool {
	if a.from != nil && a.peer != hostOf(gc.RemoteAddr()) {
		a.from.counted = a.peer
	}
	return a.peer.IsValid()
}

// arrive goes on where the connection left.
func (c *conn) arrive(a *arrival) {
	if a.returned {
		c.flags |= connReturned
	}
	if a.tls == nil {
		c.feedHTTP(a.bytes)
		return
	}
	c.layOn(a.tls)
	if c.feedHTTP(a.bytes); c.flags&connSecure != 0 {
		c.feedSecure(nil)
	}
}

// moveTo takes the connection, and the request at the start of b, to another loop.
func (c *conn) moveTo(l *loop, b []byte) []byte {
	nc, err := c.leaveLoop()
	if err != nil {
		return c.unmovable(err)
	}
	a := &arrival{bytes: bytes.Clone(b), tls: c.layOff(), from: originOf(c.gc), peer: c.uncount()}
	c.doom()
	l.srv.enroll(l, nc, a)
	return nil
}

// foreign serves a request that is not for the engine: with Options.Handler, or 404.
func (c *conn) foreign(b []byte) []byte {
	if c.loop.srv.opts.Handler == nil || c.flags&connReturned != 0 { // net/http took this request for the engine's: no second trip
		c.http.flags &^= httpKeepAlive
		c.answer(http1.Response{Status: http.StatusNotFound})
		return nil
	}
	return c.handOver(b)
}

// handOver takes the connection, and the request at the start of b, to net/http.
func (c *conn) handOver(b []byte) []byte {
	s := c.loop.srv
	if s.draining.Load() {
		return c.busy()
	}
	nc, err := c.leaveLoop()
	if err != nil {
		return c.unmovable(err)
	}
	k := c.layOff()
	c.doom()
	s.handed.take(nc, bytes.Clone(b), k, &arrival{from: originOf(c.gc), peer: c.uncount()})
	return nil
}

// uncount has the connection count against its peer elsewhere, if it does.
func (c *conn) uncount() (peer netip.Addr) {
	if c.flags&connPeer != 0 {
		c.flags &^= connPeer
		peer = countedFor(c.gc)
	}
	return peer
}

func (c *conn) unmovable(err error) []byte {
	c.loop.srv.opts.Logger.Warn("engine: a connection could not be moved", "error", err)
	return c.busy()
}

var errUnsent = errors.New("engine: an earlier answer is still being sent")

// leaveLoop returns a second descriptor of the connection as a net.Conn; the
// caller closes the first.
func (c *conn) leaveLoop() (net.Conn, error) {
	if c.gc.OutboundBuffered() > 0 { // a client that pipelines: its last answer would be torn
		return nil, errUnsent
	}
	fd, err := c.raw().Dup()
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "moved")
	defer func() { _ = f.Close() }()
	return net.FileConn(f) // duplicates once more, into the runtime's poller
}

// enroll gives nc to a loop, with what it brings along. Safe for concurrent use.
// gnet closes nc, whatever happens.
func (s *Server) enroll(l *loop, nc net.Conn, a *arrival) {
	if nc.RemoteAddr() == nil { // reset meanwhile: gnet would panic, and lose a descriptor
		_ = nc.Close()
		s.peers.leave(a.peer, s.clock.now())
		return
	}
	stripZones(nc)
	ctx := gnet.NewContext(context.Background(), a)
	s.gauges.moving.Add(1)
	arrived, err := l.el.Enroll(ctx, nc)
	if err != nil {
		_ = nc.Close()
		s.moved(a, err)
		return
	}
	go func() {
		select {
		case r := <-arrived:
			s.moved(a, r.Err)
		case <-s.done: // gnet forgets what it had not enrolled by then
			s.moved(a, nil)
		}
	}()
}

// moved is told that a move has ended, in whatever way.
func (s *Server) moved(a *arrival, err error) {
	s.gauges.moving.Add(-1)
	if err != nil {
		s.peers.leave(a.peer, s.clock.now())
		s.opts.Logger.Warn("engine: a connection could not be moved", "error", err)
	}
}

// stripZones removes IPv6 zones from the addresses: gnet would put the bytes of
// their strings, which belong to package net here, into its pool.
func stripZones(nc net.Conn) {
	for _, a := range []net.Addr{nc.LocalAddr(), nc.RemoteAddr()} {
		if t, ok := a.(*net.TCPAddr); ok {
			t.Zone = ""
		}
	}
}
