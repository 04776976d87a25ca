package redisadapter

import (
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Stats are the numbers of a Fleet since it was made.
type Stats struct {
	// Cluster has the numbers of all namespaces together.
	Cluster cluster.Stats

	// Gaps is how often the connection was lost that receives; LastGap the latest of them.
	Gaps    uint64
	LastGap Gap
	// Down is how long these were together, until now.
	Down time.Duration
	// Subscriptions is how many names are subscribed to, or are to be.
	Subscriptions int

	// Outbox is what happened to what was to be sent. Sent counts what is in Unknown
	// and Refused, too.
	Outbox cluster.OutboxStats
	// Unknown is how many messages were given up since the connection was lost before
	// Redis has answered: others have received them, or have not.
	Unknown uint64
	// Refused is how many Redis did not accept.
	Refused uint64

	// Received is how many messages of others came; Own how many of our own that Redis
	// sends back; Elsewhere how many of the others' were for rooms that nobody here is in,
	// for another namespace, or answers to other servers.
	Received  uint64
	Own       uint64
	Elsewhere uint64
	// Malformed is how many were dropped since they are not what servers of this Mode
	// send; TooLarge of these were larger than Options.MaxMessage.
	Malformed uint64
	TooLarge  uint64

	// Streams are those of Mode Streams.
	Streams StreamsStats
}

// Gap is a time in which nothing was received. To is zero while that is so.
type Gap struct{ From, To time.Time }

// counters are what links add to.
type counters struct {
	received, own, elsewhere, malformed, tooLarge atomic.Uint64
}

func (c *counters) report(to *Stats) {
	to.Received, to.Own, to.Elsewhere = c.received.Load(), c.own.Load(), c.elsewhere.Load()
	to.Malformed, to.TooLarge = c.malformed.Load(), c.tooLarge.Load()
}

// Stats returns the numbers of this moment.
func (f *Fleet) Stats() Stats {
	var s Stats
	f.report(&s)
	f.subscriber.report(&s)
	f.counters.report(&s)
	s.Outbox = f.publisher.outbox.Stats()
	s.Unknown, s.Refused = f.publisher.unknown.Load(), f.publisher.refused.Load()
	f.mode.report(&s)
	return s
}
