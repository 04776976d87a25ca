package engine

import (
	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/fanfare-go/fanfare/ws"
)

// The upgrade (facts 34-40): the client opens a WebSocket with the session's id,
// sends 2probe, gets 3probe; we release its poll; it sends 5, and from then on
// everything goes over the WebSocket. Until the 5 the session stays on polling, and
// every GET is released at once: one noop is not enough, the client may poll again
// before it sees 3probe (fact 35).

// probeWebSocket answers a WebSocket and lets it probe s.
func (c *conn) probeWebSocket(s *Session, answer []byte) {
	if c.write(answer); c.flags&connClosed == 0 {
		s.probedBy(c)
	}
}

// probedBy takes a WebSocket that wants to become the session's transport. One at
// a time, and only while the session polls: others are closed, and harm nobody
// (fact 8).
func (s *Session) probedBy(c *conn) {
	if s.has(flagClosed|flagWebSocket) || s.poll.probe != nil {
		c.bye(ws.CloseFrame)
		return
	}
	s.poll.probe, c.session = c, s
	c.expire(ticks(s.loop.srv.opts.UpgradeTimeout))
}

// probing takes one packet of the WebSocket that probes.
func (c *conn) probing(p packet.Packet, err error) {
	s := c.session
	switch {
	case err != nil || p.Binary:
		c.badProbe()
	case p.Type == packet.Ping && string(p.Data) == "probe":
		c.writeControl(probeFrame)
		s.poll.flags |= pollProbed
		s.releaseGet()
	case p.Type == packet.Upgrade && s.poll.flags&pollProbed == 0:
		c.badProbe()
	case p.Type == packet.Upgrade && s.has(flagClosed): // fact 39
		c.writeAll(s.poll.frames)
		s.remove()
	case p.Type == packet.Upgrade:
		s.upgrade(c)
	default:
		c.badProbe()
	}
}

// badProbe closes the probing WebSocket; the session survives (fact 37).
func (c *conn) badProbe() {
	c.loop.stats.upgradesFailed.Add(1)
	c.leaveSession()
	c.bye(ws.CloseFrame)
}

// leaveSession undoes probedBy.
func (c *conn) leaveSession() {
	if s := c.session; s != nil && s.poll != nil && s.poll.probe == c {
		s.poll.probe = nil
		s.poll.flags &^= pollProbed
	}
	c.session = nil
}

// upgrade makes the probing WebSocket the session's transport and sends what was
// queued for polling over it.
func (s *Session) upgrade(c *conn) {
	l, p := s.loop, s.poll
	l.connTimers.Disarm(c)
	s.conn = c
	t := c.socketTransport()
	s.setSocket(t)
	s.noteForm()
	l.srv.gauges.polling.Add(-1)
	l.srv.gauges.of(t).Add(1)
	l.stats.upgrades.Add(1)
	c.writeAll(p.frames)
	s.dropQueue()
	c.markWaiting(c.out != nil)
	if post := p.post; post != nil {
		post.doom() // a body in progress has no session to go to
		post.session = nil
	}
	s.poll = nil
	if s.has(flagClosed) {
		return
	}
	if s.has(flagEIO3) && p.flags&pollPing != 0 {
		c.writeControl(pongFrame) // which no poll came for
	}
	if s.has(flagAwaitingPong) || p.flags&pollPing != 0 { // fact 40
		s.expect()
	}
}
