package cluster

import (
	"maps"
	"sync/atomic"
)

// Stats are the numbers of an Adapter, or of several together.
type Stats struct {
	Published        uint64            // messages that were handed to the Link
	Received         uint64            // messages of other servers
	Dropped          uint64            // messages that the Link has refused
	Malformed        uint64            // messages of others that are none, or ask for what is not possible
	Lost             uint64            // messages of others that never came, by their tallies
	LostBy           map[string]uint64 // of those, by the UID of who has sent them, while it is known
	Tallied          int               // servers whose tallies have come
	Requests         int               // of this server that wait for answers
	RequestsTimedOut uint64            // that not everybody has answered in time
	Serving          int               // requests of others that are at work here
	Refused          uint64            // requests of others that were not answered, for want of room or time
	Strange          uint64            // answers that nobody waits for: late ones, duplicates
}

// Add adds the numbers of another Adapter.
func (s *Stats) Add(o Stats) {
	s.Published += o.Published
	s.Received += o.Received
	s.Dropped += o.Dropped
	s.Malformed += o.Malformed
	s.Lost += o.Lost
	s.Tallied += o.Tallied
	s.Requests += o.Requests
	s.RequestsTimedOut += o.RequestsTimedOut
	s.Serving += o.Serving
	s.Refused += o.Refused
	s.Strange += o.Strange
	if s.LostBy == nil && len(o.LostBy) > 0 {
		s.LostBy = make(map[string]uint64)
	}
	maps.Copy(s.LostBy, o.LostBy)
}

// counters are the sums of an Adapter.
type counters struct {
	published, received, dropped, malformed, lost, timedOut, refused, strange atomic.Uint64
}

// Stats returns the numbers of this moment.
func (a *Adapter) Stats() Stats {
	return Stats{
		Published: a.stats.published.Load(), Received: a.stats.received.Load(), Dropped: a.stats.dropped.Load(),
		Malformed: a.stats.malformed.Load(), Lost: a.stats.lost.Load(), LostBy: a.peers.lost(), Tallied: a.peers.len(),
		Requests: a.requests.len(), RequestsTimedOut: a.stats.timedOut.Load(),
		Serving: int(a.answers.Load()) + a.polls.len(), Refused: a.stats.refused.Load(), Strange: a.stats.strange.Load(),
	}
}
