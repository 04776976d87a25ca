package engine

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/fanfare-go/fanfare/ws"
)

// farewellTicks is how long a session that was closed without a waiting poll is
// remembered for the one that comes (fact 24: 30 s).
const farewellTicks = uint64(30 * time.Second / tickLength)

// newSession opens a session for the request whose head is given.
func (c *conn) newSession(in *intent, head []byte) *Session {
	l, srv := c.loop, c.loop.srv
	s := &Session{loop: l}
	r := newRequest(head, c.peer(), l.now+ticks(srv.opts.ConnectTimeout))
	s.request.Store(r)
	if v := in.verdict; v != nil {
		r.head.values = v.values()
	}
	if v := in.verdict; v != nil && v.name != nil {
		srv.table.names.give(v.name, s)
	} else {
		srv.table.add(s)
	}
	l.enlist(s)
	l.stats.opened.Add(1)
	srv.gauges.of(in.transport).Add(1)
	if in.protocol == 3 {
		s.speakEIO3(in.base64 || c.http != nil && c.http.rare != nil && c.http.rare.jsonp)
	}
	s.startHeartbeat()
	return s
}

// openPacket is the handshake's answer (fact 1).
func (s *Session) openPacket(dst []byte, upgrades []string) []byte {
	o := &s.loop.srv.opts
	return packet.AppendOpen(dst, &packet.OpenData{
		SID: s.ID(), Upgrades: upgrades,
		PingInterval: o.PingInterval, PingTimeout: o.PingTimeout, MaxPayload: o.MaxHTTPBufferSize,
	})
}

// handshakePolling opens a session and answers its first poll.
func (c *conn) handshakePolling(q *http1.Request, in *intent, head []byte) {
	l := c.loop
	s := c.newSession(in, head)
	s.poll = new(polling)
	c.decorate(q, in, s, true)
	if s.has(flagEIO3) {
		c.answerPoll(s.openingV3(l.srv.upgrades), formPollingV3, false)
		s.accept()
		return
	}
	body := s.openPacket(l.payload[:0], l.srv.upgrades)
	if initial := l.srv.opts.InitialPacket; initial != "" {
		body = packet.AppendText(append(body, packet.Separator), packet.Message, []byte(initial))
	}
	l.payload = body
	c.answerPoll(body, formPolling, false)
	s.accept()
}

// handshakeWebSocket opens a session whose transport the connection already is.
// The open packet leaves in one write with the answer to the upgrade: a write is
// the dearest thing in a handshake.
func (c *conn) handshakeWebSocket(in *intent, head, answer []byte) {
	l := c.loop
	s := c.newSession(in, head)
	s.conn, c.session = c, s
	s.setSocket(in.transport)
	s.noteForm()
	l.payload = s.openPacket(l.payload[:0], nil)
	l.scratch = ws.AppendFrame(answer, ws.OpText, l.payload)
	if initial := l.srv.opts.InitialPacket; initial != "" {
		l.payload = packet.AppendText(l.payload[:0], packet.Message, []byte(initial))
		l.scratch = ws.AppendFrame(l.scratch, ws.OpText, l.payload)
	}
	c.writeControl(l.scratch)
	s.accept()
}

// deliver has f sent over whatever is the transport, at the end of the turn or, where
// the queue is longer than that, later. Loop-only.
func (s *Session) deliver(f *Frame, queue *heldQueue) {
	l := s.loop
	switch {
	case s.has(flagClosed):
	case s.conn == nil:
		l.spent += heldPerWrite
		s.enqueue(f)
	default:
		l.spent++
		if s.hold(f) || queue == &l.direct { // which may be in the crowd already
			queue.push(s)
		}
	}
}

// closedBy says who ends a session: it decides what the other side still gets.
type closedBy bool

const (
	byServer closedBy = false
	byPeer   closedBy = true
)

// close ends the session: its transport, its memberships, its timer; then the
// floor above is told. Loop-only.
func (s *Session) close(reason Reason, by closedBy) {
	if s.has(flagClosed) {
		return
	}
	s.uncork()
	if s.has(flagClosed) { // the write failed, and has ended it
		return
	}
	s.set(flagClosed)
	l := s.loop
	l.sessionTimers.Disarm(s)
	l.delist(s)
	l.unwatch(s)
	l.stats.closed[reason].Add(1)
	l.srv.gauges.of(s.Transport()).Add(-1)
	if s.conn != nil {
		c := s.conn
		s.conn, c.session = nil, nil
		c.bye(ws.CloseFrame)
		s.remove()
	} else {
		s.closePolling(reason, by)
	}
	s.tellClosed(reason)
}

// closePolling tells the client what polling can tell it: through the poll that
// waits, or, where the server took its leave in good order, through the next one.
func (s *Session) closePolling(reason Reason, by closedBy) {
	p := s.poll
	if p.inner != nil {
		s.closeInner(reason)
		return
	}
	if p.get != nil || p.flags&pollProbed == 0 || !reason.farewell() {
		s.dropProbe()
	} // else the client may have let go of polling: the probe gets what waits (fact 39)
	if c := p.post; c != nil && reason != ReasonServerShutdown { // fact 18: cut
		p.post, c.session = nil, nil
		c.doom()
	}
	switch {
	case p.get != nil && by == byPeer: // fact 22
		s.releaseGet()
	case p.get != nil && len(p.frames) > 0 && reason.farewell() && s.linger():
		s.answerGet(s.takePayload(s.loop.payload[:0])) // Node: the close packet has a poll of its own
		return
	case p.get != nil:
		b, k := s.takePayload(s.loop.payload[:0])
		s.answerGet(k.appendBare(b, packet.Close), k)
	case reason.farewell() && s.linger():
		return
	}
	s.remove()
}

// dropProbe closes the WebSocket that wants to take over, if there is one.
func (s *Session) dropProbe() {
	if c := s.poll.probe; c != nil {
		c.leaveSession()
		c.bye(ws.CloseFrame)
	}
}

// linger keeps a closed session for the poll that is to learn of it; false when as
// many are kept as there may be connections.
func (s *Session) linger() bool {
	srv := s.loop.srv
	if int(srv.gauges.lingering.Load()) >= srv.opts.MaxConnections {
		return false
	}
	srv.gauges.lingering.Add(1)
	s.set(flagLingering)
	if s.poll.bytes > 0 {
		s.loop.parting[s] = struct{}{}
	}
	s.loop.armSession(s, s.loop.now+farewellTicks)
	return true
}

// remove forgets a closed session for good.
func (s *Session) remove() {
	if s.has(flagGone) {
		return
	}
	s.set(flagGone)
	if s.has(flagLingering) {
		s.loop.srv.gauges.lingering.Add(-1)
		delete(s.loop.parting, s)
	}
	s.loop.sessionTimers.Disarm(s)
	s.loop.srv.table.remove(s)
	if s.poll != nil {
		s.dropProbe()
		s.dropQueue()
	}
}

// connGone is told that a connection the session was using is closed.
func (s *Session) connGone(c *conn) {
	switch p := s.poll; {
	case s.conn == c:
		s.lost(c, ReasonTransportClose)
	case p == nil:
	case p.probe == c:
		p.probe = nil
		p.flags &^= pollProbed
	case p.get == c: // fact 23
		p.get = nil
		s.close(ReasonTransportError, byPeer)
	case p.post == c:
		p.post = nil
		s.close(ReasonTransportError, byPeer)
	}
}

// lost ends the session whose WebSocket c was; a lost probe costs the probe only.
func (s *Session) lost(c *conn, reason Reason) {
	if s.poll != nil && s.poll.probe == c {
		c.leaveSession()
		return
	}
	s.close(reason, byPeer)
}
