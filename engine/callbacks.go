package engine

import (
	"time"

	"github.com/panjf2000/gnet/v2"
)

// callbacks is the server as gnet sees it. This is the only place that meets
// gnet's untyped connection context.
type callbacks struct {
	gnet.BuiltinEventEngine
	srv    *Server
	booted chan struct{} // closed by the first tick
	ticked bool          // there was one; of gnet's ticker alone
}

// OnBoot is told that the first listener is bound.
func (k *callbacks) OnBoot(e gnet.Engine) gnet.Action {
	k.srv.gnet = e
	return gnet.None
}

// OnTick is told, once, that all loops have their listeners and run; the clock is
// our own.
func (k *callbacks) OnTick() (time.Duration, gnet.Action) {
	if !k.ticked {
		k.ticked = true
		close(k.booted)
	}
	return 24 * time.Hour, gnet.None
}

// OnOpen takes a connection: one that was accepted, or one that moved here and
// brings bytes along.
func (k *callbacks) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	s := k.srv
	if _, ok := gc.Context().(*selfPipe); ok {
		return nil, gnet.None
	}
	moved, _ := gc.Context().(*arrival)
	if _, ok := gc.Context().(introduction); ok {
		s.loopOf(gc.EventLoop())
		return nil, gnet.None
	}
	if moved != nil {
		gc.SetSafeContext(moved.from.context())
	}
	if moved == nil && s.full(gc.Fd()) {
		s.refuseConn(gc)
		return nil, gnet.Close
	}
	l := s.loopOf(gc.EventLoop())
	if l == nil {
		if moved != nil {
			s.peers.leave(moved.peer, s.clock.now())
		}
		s.refuseConn(gc)
		return nil, gnet.Close
	}
	l.enter()
	defer l.leave()
	header, counted := false, false
	if moved == nil {
		var ok bool
		if header, counted, ok = l.admits(gc); !ok {
			return nil, gnet.Close
		}
	}
	c := newConn(l, gc)
	defer l.recoverFor(c)
	gc.SetContext(c)
	c.flags |= connCounted
	if counted || moved != nil && moved.counts(gc) {
		c.flags |= connPeer
	}
	s.gauges.connections.Add(1)
	l.stats.accepted.Add(1)
	if s.opts.PingInterval+s.opts.PingTimeout > keepAliveEnd {
		_ = gc.SetKeepAlivePeriod(keepAlive)
	}
	switch {
	case header:
		c.beginProxied()
	case moved == nil:
		c.begin()
	default:
		c.http.waits = waitHead
		c.expire(ticks(s.opts.HeaderTimeout))
		c.arrive(moved)
	}
	return nil, gnet.None
}

// admits decides who may come in at all. header says that the PROXY protocol's is to come
// first, counted that the connection counts against its peer.
func (l *loop) admits(gc gnet.Conn) (header, counted, ok bool) {
	s := l.srv
	if header, ok = s.greets(gc); !ok {
		l.stats.proxyRefused.Add(1)
		return false, false, false
	}
	r := s.rules.Load()
	if !r.counted {
		return header, false, true
	}
	ip := s.peerOfLimits(r, addrPort(gc.RemoteAddr()).Addr())
	counted, met := s.peers.accept(r, ip, l.now)
	if met != 0 {
		l.limited(Limited{Limit: met, Peer: ip})
		s.refuseConn(gc)
	}
	return header, counted, met == 0
}

const (
	// keepAlive is TCP's own, for servers whose heartbeat is so slow that TCP finds
	// out earlier who has vanished. Elsewhere nothing lives long enough for it: a
	// connection always has a deadline or a session, and to set it takes four system
	// calls per connection. net/http sets its own for those that move there.
	keepAlive = 60 * time.Second
	// keepAliveEnd is when it gives up: gnet has 5 probes follow, a fifth apart.
	keepAliveEnd = 2 * keepAlive
)

// OnTraffic takes what was read. Everything is consumed here: gnet's own inbound
// buffer stays empty, and Next never copies.
func (k *callbacks) OnTraffic(gc gnet.Conn) gnet.Action {
	b, _ := gc.Next(-1)
	if p, ok := gc.Context().(*selfPipe); ok {
		p.heard()
		return gnet.None
	}
	c, ok := gc.Context().(*conn)
	if !ok {
		return gnet.Close // an introduction, at its end
	}
	l := c.loop
	l.visited = true
	l.enter()
	defer l.leave()
	defer l.recoverFor(c)
	switch {
	case len(b) == 0 || c.flags&(connClosed|connDoomed) != 0:
	case c.flags&connProxied != 0:
		c.feedProxied(b)
	case c.flags&connSecure != 0:
		c.feedSecure(b)
	case c.flags&connShaking == 0:
		c.feed(b)
	case c.open():
		c.feedHandshake(b)
	}
	return gnet.None
}

// feed takes input as it was meant.
func (c *conn) feed(b []byte) {
	switch {
	case c.ws != nil:
		c.feedWS(b)
	case c.open():
		c.feedHTTP(b)
	}
}

// OnClose is told that a connection is gone, whoever closed it.
func (k *callbacks) OnClose(gc gnet.Conn, _ error) gnet.Action {
	if p, ok := gc.Context().(*selfPipe); ok {
		p.closed()
		return gnet.None
	}
	c, ok := gc.Context().(*conn)
	if !ok {
		return gnet.None
	}
	l := c.loop
	l.enter()
	defer l.leave()
	defer l.recoverFor(c)
	if c.flags&connCounted != 0 {
		l.srv.gauges.connections.Add(-1)
	}
	if c.flags&connPeer != 0 {
		l.srv.peers.leave(countedFor(gc), l.now)
	}
	c.closed()
	return gnet.None
}
