package engine

import "github.com/fanfare-go/fanfare/ws"

// A WebSocket client that sends the beginning of a message and never its end holds a
// buffer for nothing; one that sends pings without end has each of them read.

// watchMessage arms the connection's timer while a message is incomplete. completed
// says that one came to its end in this read: what is incomplete now is another.
func (c *conn) watchMessage(completed bool) {
	l := c.loop
	d := l.srv.rules.Load().MessageTimeout
	if d < 0 || !c.open() || c.session == nil || c.session.conn != c { // closing, or probing, which has its own time
		return
	}
	partial, watched := c.ws.reader.Partial(), c.flags&connMidMessage != 0
	switch {
	case !partial && watched:
		c.flags &^= connMidMessage
		l.connTimers.Disarm(c)
	case partial && (!watched || completed):
		c.flags |= connMidMessage
		c.expire(ticks(d))
	}
}

// pinged counts a ping; false where the client sends more than it may.
func (c *conn) pinged() bool {
	most := c.loop.srv.rules.Load().PingRate
	if most < 0 {
		return true
	}
	w := c.ws
	if second := uint16(c.loop.now / ticksPerSecond); second != w.second {
		w.second, w.pings = second, 0
	}
	if int(w.pings) >= most {
		return false
	}
	w.pings++
	return true
}

const ticksPerSecond = 100

// exceed closes a WebSocket whose client met a limit, and its session.
func (c *conn) exceed(m Limit) {
	s := c.session
	if s != nil && s.conn == c {
		s.exceed(m)
		return
	}
	c.loop.limited(Limited{Limit: m, Peer: c.host(), Session: s})
	c.leaveSession()
	c.byeFor(m)
}

// byeFor says goodbye to a client, and why.
func (c *conn) byeFor(m Limit) {
	c.bye(ws.AppendClose(nil, ws.StatusPolicyViolation, m.String()))
}
