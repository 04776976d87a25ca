package engine

import "math/rand/v2"

// A session has one timer: it fires at the next heartbeat step, or earlier for the
// connect timeout. The server pings; only pongs count as life (Node 4.8).

// startHeartbeat spreads the first ping over the second half of the interval, so
// that a reconnect storm does not become a ping storm: not over the first, when the
// client is busy with its handshake, and not beyond, because a client that vanishes
// is to be noticed in time. By chance of one half the second ping follows after half
// an interval only, which spreads the pings over all of it from then on.
func (s *Session) startHeartbeat() {
	if s.has(flagEIO3) {
		s.expectPing()
		return
	}
	interval := ticks(s.loop.srv.opts.PingInterval)
	s.due = s.loop.now + interval/2 + rand.Uint64N(interval/2+1)
	if rand.Uint32()&1 == 0 {
		s.set(flagShortBeat)
	}
	s.arm()
}

// arm sets the timer for the next heartbeat step, or for the connect timeout where
// that comes first.
func (s *Session) arm() {
	tick := s.due
	if by, ok := s.connectBy(); ok && by < tick {
		tick = by
	}
	s.loop.armSession(s, tick)
}

// connectBy is the tick by which Established must be called; ok while it matters.
func (s *Session) connectBy() (tick uint64, ok bool) {
	if s.has(flagEstablished) {
		return 0, false
	}
	r := s.request.Load()
	if r == nil {
		return 0, false
	}
	return r.connectBy, true
}

// heartbeat is called when the session's timer ran out.
func (s *Session) heartbeat() {
	if s.has(flagClosed) {
		s.remove() // nobody came for the farewell (fact 24)
		return
	}
	now, o := s.loop.now, &s.loop.srv.opts
	if by, ok := s.connectBy(); ok && now >= by {
		s.close(ReasonForcedServerClose, byServer)
		return
	}
	switch {
	case now < s.due: // it was the connect timeout's turn, and that is over
	case !s.has(flagAwaitingPong):
		s.ping()
		s.due = now + ticks(o.PingTimeout)
	case s.loop.srv.lastStall.Load()+ticks(o.PingTimeout) > s.due: // we stood still while the ping was out
		s.due = now + ticks(o.PingTimeout)
	default:
		s.close(ReasonPingTimeout, byServer)
		return
	}
	s.arm()
}

// grace is called when another packet comes while a pong is awaited: the client lives,
// and its pong may be stuck behind a large message. Once per ping (Engine.IO 6.6.12).
func (s *Session) grace() {
	s.set(flagGraced)
	s.due = s.loop.now + ticks(s.loop.srv.opts.PingTimeout)
	s.arm()
}

func (s *Session) ping() {
	s.clear(flagGraced)
	s.set(flagAwaitingPong)
	s.loop.timePing(s)
	if s.conn != nil {
		s.conn.writeControl(pingFrame)
		return
	}
	s.poll.flags |= pollPing
	s.markDirty()
}

// pong re-arms the heartbeat, solicited or not (fact 29).
func (s *Session) pong() {
	interval := ticks(s.loop.srv.opts.PingInterval)
	if s.has(flagShortBeat) {
		interval = (interval + 1) / 2
	}
	s.clear(flagAwaitingPong | flagShortBeat)
	s.due = s.loop.now + interval
	s.arm()
}
