package engine

import "github.com/fanfare-go/fanfare/engine/packet"

// received takes one packet, over whatever transport it came; errStop when the session is gone.
func (s *Session) received(p packet.Packet) error {
	l := s.loop
	l.stats.packetsIn.Add(1)
	if s.has(flagClosed) || s.recv == nil {
		return errStop
	}
	if s.flags.Load()&(flagAwaitingPong|flagGraced) == flagAwaitingPong && p.Type != packet.Pong {
		s.grace()
	}
	if m := l.srv.rules.Load(); m.metered && !s.awaits(p) && !s.charge(m, len(p.Data)) {
		return errStop
	}
	if p.Binary {
		return s.accepted(s.tellBinary(p.Data))
	}
	switch p.Type {
	case packet.Message:
		return s.accepted(s.tellText(p.Data))
	case s.theirBeat():
		answered := s.has(flagAwaitingPong)
		s.beat()
		if answered {
			l.timePong(s, true)
			s.tellPong()
		}
	case packet.Ping, packet.Pong: // "invalid heartbeat direction"
		s.close(ReasonTransportError, byServer)
		return errStop
	case packet.Close:
		if !s.has(flagWebSocket) { // over WebSocket a bare close packet is ignored (fact 29)
			s.close(ReasonTransportClose, byPeer)
			return errStop
		}
	}
	return nil
}

// awaits reports that the packet is the answer to a ping that is out: it is due.
func (s *Session) awaits(p packet.Packet) bool {
	return p.Type == packet.Pong && !p.Binary && s.has(flagAwaitingPong)
}

// accepted closes the session where the floor above found its protocol violated.
func (s *Session) accepted(err error) error {
	if err != nil {
		s.loop.stats.violations.Add(1)
		s.close(ReasonForcedClose, byServer)
		return errStop
	}
	if s.has(flagClosed) {
		return errStop
	}
	return nil
}
