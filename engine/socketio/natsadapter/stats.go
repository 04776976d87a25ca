package natsadapter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Stats are the numbers of a Node, of all namespaces, since it was made.
type Stats struct {
	UID, Name string
	Connected bool // to NATS
	// Reconnects is how often the connection to NATS was lost and made anew.
	Reconnects uint64
	// Servers are the others that are there.
	Servers []ServerStats
	// Queued counts messages of this server that were given to the Outbox.
	Queued uint64
	// Received counts frames of other servers: a message longer than NATS allows is several.
	Received uint64
	// Lost counts frames that other servers have sent, on subjects that were heard here,
	// and that have not come.
	Lost uint64
	// Malformed counts what was no message of a server, and was dropped.
	Malformed uint64
	// Refused counts messages of servers beyond MaxPeers.
	Refused uint64
	// Homeless counts broadcasts for namespaces that this server does not have.
	Homeless uint64
	// SlowConsumer counts how often NATS reported that messages came faster than they were
	// looked at. What was dropped is in Lost.
	SlowConsumer uint64
	Namespaces   int
	// Subscriptions are those of rooms.
	Subscriptions int
	// Waiting is how many messages have come and were not looked at yet.
	Waiting int
	// Uncounted is how many subjects were not counted on any more, for want of MaxLanes.
	Uncounted int
	// Outbox is about what waits to be sent; its Dropped was never sent.
	Outbox cluster.OutboxStats
	// Log is about JetStream; nil without it.
	Log *LogStats
	// UnderWay and UnderWayBytes are sent, and not known to have come to the slowest server.
	UnderWay, UnderWayBytes uint64
	// Held counts how often sending waited for a slow server.
	Held uint64
	// Unheard is how many servers are not waited for, since they do not say what they have.
	Unheard int
}

// LogStats are about the log that JetStream keeps.
type LogStats struct {
	Appended uint64 // batches of this server that JetStream has
	Retries  uint64 // attempts to append one that came to nothing
	Outbox   cluster.OutboxStats
	Tail     cluster.TailStats
}

// ServerStats are about one other server.
type ServerStats struct {
	UID, Name      string
	Received, Lost uint64 // frames
}

// Stats returns the numbers of this moment.
func (n *Node) Stats() Stats {
	w := n.window.stats()
	s := Stats{
		UID: n.uid, Name: n.options.Name,
		Connected: n.nc.IsConnected(), Reconnects: n.nc.Stats().Reconnects,
		Queued: n.numbers.queued.Load(), Received: n.numbers.received.Load(), Lost: n.numbers.lost.Load(), Malformed: n.numbers.malformed.Load(),
		Refused: n.numbers.refused.Load(), Homeless: n.numbers.homeless.Load(), SlowConsumer: n.numbers.slow.Load(),
		Subscriptions: n.interest.size(), Waiting: len(n.inbox), Uncounted: n.sending.uncounted(), Outbox: n.outbox.Stats(),
		UnderWay: w.under.messages, UnderWayBytes: w.under.bytes, Held: w.held, Unheard: w.waived,
	}
	if j := n.journal; j != nil {
		s.Log = &LogStats{j.appends.Load(), j.retries.Load(), j.outbox.Stats(), j.tail.Stats()}
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	s.Namespaces = len(n.links)
	for _, p := range n.peers {
		s.Servers = append(s.Servers, ServerStats{p.uid, p.name, p.received.Load(), p.lost.Load()})
	}
	slices.SortFunc(s.Servers, func(a, b ServerStats) int { return cmp.Compare(a.UID, b.UID) })
	return s
}

// recently is how long Ready remembers a loss.
const recently = 30 * time.Second

// Ready returns nil while this server hears the others and is heard; else what is amiss.
func (n *Node) Ready() error {
	var errs []error
	n.mu.RLock()
	closed, downAt := n.closed, n.downAt
	ours := n.options.layoutName()
	for _, p := range n.peers {
		if p.layout != "" && p.layout != ours {
			errs = append(errs, fmt.Errorf("natsadapter: rooms are %s on the server %s, and %s here", p.layout, p.name, ours))
		}
	}
	n.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	if !n.nc.IsConnected() {
		err := errors.New("natsadapter: not connected to NATS")
		if !downAt.IsZero() {
			err = fmt.Errorf("%w for %v", err, time.Since(downAt).Round(time.Millisecond))
		}
		errs = append(errs, err)
	}
	if at := n.numbers.lostAt.Load(); at != 0 && time.Since(time.Unix(0, at)) < recently {
		errs = append(errs, fmt.Errorf("natsadapter: messages of other servers were lost in the last %v, %d in all", recently, n.numbers.lost.Load()))
	}
	if j := n.journal; j != nil {
		errs = append(errs, j.ready())
	}
	return errors.Join(errs...)
}
