package tunnel

import "sync/atomic"

// Stats is a snapshot of what a Tunnel counted since it was made.
type Stats struct {
	Peers      int    // other servers known at the moment
	Streams    int    // open at the moment, those that wait for the other end to close included
	Dialed     uint64 // streams that this server has opened
	Accepted   uint64 // streams that other servers have opened
	Refused    uint64 // those that were not accepted, for a bound or because nobody listens
	Lost       uint64 // streams that ended because a part of them was missing
	Reset      uint64 // streams that ended in another way than by being closed at both ends
	PeersGone  uint64 // servers that have fallen silent or said goodbye
	BytesIn    uint64 // of streams
	BytesOut   uint64
	MessagesIn uint64
	// MessagesOut are those that the Carrier has taken.
	MessagesOut uint64
	SendErrors  uint64 // messages that it has not
	Malformed   uint64 // messages that did not parse
	Clashes     uint64 // messages of another server with the tag of this one
}

// counters are atomic.
type counters struct {
	dialed, accepted, refused, lost, reset, peersGone atomic.Uint64
	bytesIn, bytesOut, messagesIn, messagesOut        atomic.Uint64
	sendErrors, malformed, clashes                    atomic.Uint64
}

// Stats returns the numbers of this moment. Safe for concurrent use.
func (t *Tunnel) Stats() Stats {
	c := &t.counters
	s := Stats{
		Dialed: c.dialed.Load(), Accepted: c.accepted.Load(), Refused: c.refused.Load(),
		Lost: c.lost.Load(), Reset: c.reset.Load(), PeersGone: c.peersGone.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		MessagesIn: c.messagesIn.Load(), MessagesOut: c.messagesOut.Load(),
		SendErrors: c.sendErrors.Load(), Malformed: c.malformed.Load(), Clashes: c.clashes.Load(),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Peers = len(t.peers)
	for _, p := range t.peers {
		s.Streams += len(p.dialed) + len(p.accepted)
	}
	return s
}
