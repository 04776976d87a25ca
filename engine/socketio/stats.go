package socketio

import (
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine"
)

// Stats is a snapshot of a server's numbers.
type Stats struct {
	Engine     engine.Stats   // connections, transports, traffic
	Sockets    map[string]int // connected sockets by namespace; those of children together, by their parent's name
	Children   int            // namespaces made for parents
	Busy       int            // workers with a handler at this moment
	Waiting    int            // sockets that wait for a worker
	Events     uint64         // events received
	Violations uint64         // packets that closed their connection
	Overflows  uint64         // of those, by sending more than a mailbox holds
	Errors     uint64         // errors reported to OnError
	Panics     uint64         // of those, panics of handlers

	BroadcastAcks int64  // broadcasts that wait for their acknowledgements
	AcksRefused   uint64 // broadcasts, and acknowledgements of broadcasts, that were one too many
	// PresenceRefused is how often a socket was not counted, for PresenceOptions.MaxEntries.
	PresenceRefused uint64
	Expiring        int    // sockets with a time of ExpireAt
	Expired         uint64 // sockets disconnected at it
	NoticesLost     uint64 // room events, notices of presence and events of other servers beyond MaxNotices
	// Exceeded is how often a limit was met, by the name of its option: what was asked
	// for beyond it was refused, or closed the connection. "DefaultNamespace" is the
	// length of a namespace's name, package parser's 512 bytes.
	Exceeded map[string]uint64
	// Handlers is how long the handlers of one event in 7 took, by namespace; those of
	// children together, by their parent's name.
	Handlers map[string]Durations
	// Acks is how long clients took to acknowledge, by namespace, likewise; of those that did.
	Acks     map[string]Durations
	Recovery RecoveryStats // connection state recovery, and histories
}

// counters is what the server counts itself. Atomic.
type counters struct {
	events, violations, overflows, errors, panics, acksRefused, noticesLost, presenceRefused atomic.Uint64
	limits                                                                                   [limitCount]atomic.Uint64
}

// Stats returns the numbers of this moment. Safe for concurrent use.
func (v *Server) Stats() Stats {
	st := Stats{
		Engine:  v.engine.Stats(),
		Sockets: make(map[string]int), Recovery: v.log.recoveryStats(),
		Events: v.stats.events.Load(), Violations: v.stats.violations.Load(), Overflows: v.stats.overflows.Load(),
		Errors: v.stats.errors.Load(), Panics: v.stats.panics.Load(), Exceeded: v.stats.exceededLimits(),
		BroadcastAcks: v.surveys.Load(), AcksRefused: v.stats.acksRefused.Load(), NoticesLost: v.stats.noticesLost.Load(),
		PresenceRefused: v.stats.presenceRefused.Load(),
	}
	st.Expiring, st.Expired = v.expiries.numbers()
	if p := v.workers.Load(); p != nil {
		st.Busy, st.Waiting = p.load()
	}
	for name, n := range *v.namespaces.Load() {
		st.Sockets[name] = n.sockets.len()
	}
	v.countChildren(&st)
	v.addDurations(&st)
	return st
}

// countChildren adds up the children of each parent: clients make them, and so their
// names are none for a table, or a metric's label.
func (v *Server) countChildren(st *Stats) {
	for _, p := range v.allParents() {
		n := 0
		all := p.brood()
		for _, c := range all {
			n += c.sockets.len()
		}
		st.Sockets[p.name] = n
		st.Children += len(all)
	}
}
