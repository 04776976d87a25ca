package engine

import (
	"net/http"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/panjf2000/gnet/v2"
)

// callbacks is the server as gnet sees it. This is the only place that meets
// gnet's untyped connection context.
type callbacks struct {
	gnet.BuiltinEventEngine
	srv *Server
}

// OnBoot is told that the listeners are bound.
func (k *callbacks) OnBoot(e gnet.Engine) gnet.Action {
	k.srv.gnet = e
	close(k.srv.booted)
	return gnet.None
}

// OnOpen takes a connection: one that was accepted, or one that moved here and
// brings bytes along.
func (k *callbacks) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	s := k.srv
	moved, _ := gc.Context().(*arrival)
	if moved != nil {
		gc.SetSafeContext(nil)
	}
	if moved == nil && s.full(gc.Fd()) {
		s.refuseConn(gc)
		return nil, gnet.Close
	}
	l := s.loopOf(gc.EventLoop())
	l.enter()
	defer l.leave()
	c := newConn(l, gc)
	defer l.recoverFor(c)
	gc.SetContext(c)
	c.flags |= connCounted
	s.gauges.connections.Add(1)
	l.stats.accepted.Add(1)
	_ = gc.SetKeepAlivePeriod(keepAlive)
	c.http.waits = waitHead
	c.expire(ticks(s.opts.HeaderTimeout))
	if moved != nil {
		c.feedHTTP(moved.bytes)
	}
	return nil, gnet.None
}

// keepAlive is TCP's own, for peers that vanish before there is a heartbeat.
const keepAlive = 60 * time.Second

// OnTraffic takes what was read. Everything is consumed here: gnet's own inbound
// buffer stays empty, and Next never copies.
func (k *callbacks) OnTraffic(gc gnet.Conn) gnet.Action {
	c, ok := gc.Context().(*conn)
	if !ok {
		return gnet.Close
	}
	b, _ := gc.Next(-1)
	l := c.loop
	l.enter()
	defer l.leave()
	defer l.recoverFor(c)
	switch {
	case len(b) == 0 || c.flags&(connClosed|connDoomed) != 0:
	case c.ws != nil:
		c.feedWS(b)
	case c.open():
		c.feedHTTP(b)
	}
	return gnet.None
}

// OnClose is told that a connection is gone, whoever closed it.
func (k *callbacks) OnClose(gc gnet.Conn, _ error) gnet.Action {
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
	c.closed()
	return gnet.None
}

// recoverFor turns a panic into the end of one connection and its session.
// Deferred around everything that calls the floor above.
func (l *loop) recoverFor(c *conn) {
	p := recover()
	if p == nil {
		return
	}
	l.srv.panicked(l, p)
	if c == nil {
		return
	}
	if s := c.session; s != nil {
		s.close(ReasonForcedClose, byServer)
	}
	c.doom()
}

// full reports that no further connection may come in. The descriptor's number
// tells how many the whole process has open: numbers are given out lowest first.
func (s *Server) full(fd int) bool {
	return s.draining.Load() && !s.owesFarewell() || fd >= s.maxFD || int(s.gauges.connections.Load()) >= s.opts.MaxConnections
}

// owesFarewell reports that somebody is still to be told that the server stops.
func (s *Server) owesFarewell() bool {
	return s.gauges.sessions() > 0 || s.gauges.lingering.Load() > 0
}

// crowded reports that there are as many sessions as there may be connections: one
// connection could open any number of polling sessions otherwise.
func (s *Server) crowded() bool {
	return s.gauges.sessions() >= int64(s.opts.MaxConnections)
}

// refuseConn answers a connection there is no room for.
func (s *Server) refuseConn(gc gnet.Conn) {
	s.gauges.refused.Add(1)
	r := http1.Response{Status: http.StatusServiceUnavailable, Header: retryAfter, Close: true}
	_, _ = writeNow(gc.Fd(), r.AppendTo(nil))
}
