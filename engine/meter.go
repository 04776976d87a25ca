package engine

import "time"

// What a session may send per second is watched only while it sends: its meter is in a
// table of its loop, and leaves it when the session has been quiet for long enough.

// meter is how much a session has sent lately.
type meter struct {
	messages, bytes level
	from            *rules // that the next two are of
	exempt          bool   // the session's peer is in Limits.Exempt
	peer            *peer  // held; nil where nothing is counted for it
	over            bool   // the last one was too much
}

// charge counts a packet of n bytes. false: the session was closed for it.
func (s *Session) charge(m *rules, n int) bool {
	l := s.loop
	e := l.metered[s]
	if e == nil {
		e = new(meter)
		l.metered[s] = e
		l.dueBy(l.now + sweepEvery)
	}
	if e.from != m { // the first one, or the Limits were replaced
		s.measure(e, m)
	}
	limit := e.take(m, l.now, n)
	first := limit != 0 && !e.over
	e.over = limit != 0
	switch {
	case limit == 0:
		return true
	case !m.DropOver:
		s.exceed(limit)
		return false
	case first:
		l.limited(Limited{Limit: limit, Peer: s.host(), Session: s, Dropped: true})
	default:
		l.stats.limits[limit].Add(1)
	}
	return true
}

// measure has e count by these rules, from nothing: see peers.forgive.
func (s *Session) measure(e *meter, m *rules) {
	srv, ip := s.loop.srv, s.addr()
	srv.peers.letGo(e.peer)
	*e = meter{from: m, exempt: m.exempt.has(ip)}
	if ip = srv.peerOfLimits(m, ip); m.shared && ip.IsValid() {
		e.peer = srv.peers.hold(m, ip, s.loop.now)
	}
}

// take counts a packet of n bytes, or says which limit it meets.
func (e *meter) take(m *rules, now uint64, n int) (met Limit) {
	switch {
	case e.exempt:
		return 0
	case !e.messages.take(&m.messages, now, 1):
		return LimitMessages
	case !e.bytes.take(&m.bytes, now, n):
		return LimitBytes
	case e.peer == nil:
		return 0
	case !e.peer.said.take(&m.allMessages, now, 1):
		return LimitMessagesPerIP
	case !e.peer.sent.take(&m.allBytes, now, n):
		return LimitBytesPerIP
	}
	return 0
}

// DropsOver reports that messages may be over a limit, and are to be dropped then. Safe for
// concurrent use.
func (s *Server) DropsOver() bool {
	m := s.rules.Load()
	return m.metered && m.DropOver
}

// OverLimit reports that the message being received is over one of the Limits of messages
// and bytes, and to be dropped (Limits.DropOver). To be called by the Receiver, on
// the session's loop.
func (s *Session) OverLimit() bool {
	if !s.loop.srv.DropsOver() {
		return false
	}
	e := s.loop.metered[s]
	return e != nil && e.over
}

// Incomplete says that the floor above waits for more of a packet, or no longer: it has
// Limits.MessageTimeout. To be called by the Receiver, on the session's loop.
func (s *Session) Incomplete(waits bool) {
	l := s.loop
	switch d := l.srv.rules.Load().MessageTimeout; {
	case !waits:
		delete(l.incomplete, s)
	case d > 0 && !s.has(flagClosed):
		l.incomplete[s] = l.now + ticks(d)
		l.dueBy(l.now + sweepEvery)
	}
}

// sweepEvery is how often the loop looks through the two tables, in ticks.
const sweepEvery = uint64(time.Second / tickLength)

// sweep closes sessions whose packets do not come to an end, and forgets who is quiet.
// Called by the tick.
func (l *loop) sweep() {
	if len(l.metered)+len(l.incomplete) == 0 {
		return
	}
	defer l.dueBy(l.now + sweepEvery)
	if l.now < l.swept+sweepEvery {
		return
	}
	l.swept = l.now
	for s, by := range l.incomplete {
		if l.now >= by {
			s.exceed(LimitMessageTime)
		}
	}
	for s, e := range l.metered {
		if e.messages.isFull(l.now) && e.bytes.isFull(l.now) {
			l.unmeter(s)
		}
	}
}

// unwatch forgets a session that is closed.
func (l *loop) unwatch(s *Session) {
	l.unmeter(s)
	delete(l.incomplete, s)
	l.timePong(s, false)
}

// unmeter forgets what a session has sent.
func (l *loop) unmeter(s *Session) {
	if e := l.metered[s]; e != nil {
		l.srv.peers.letGo(e.peer)
		delete(l.metered, s)
	}
}
