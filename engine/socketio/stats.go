package socketio

import (
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine"
)

// Stats is a snapshot of a server's numbers.
type Stats struct {
	Engine     engine.Stats   // connections, transports, traffic
	Sockets    map[string]int // connected sockets by namespace
	Busy       int            // workers with a handler at this moment
	Waiting    int            // sockets that wait for a worker
	Events     uint64         // events received
	Violations uint64         // packets that closed their connection
	Overflows  uint64         // of those, by sending more than a mailbox holds
	Errors     uint64         // errors reported to OnError
	Panics     uint64         // of those, panics of handlers
	Recovery   RecoveryStats  // connection state recovery, and histories
}

// counters is what the server counts itself. Atomic.
type counters struct {
	events, violations, overflows, errors, panics atomic.Uint64
}

// Stats returns the numbers of this moment. Safe for concurrent use.
func (v *Server) Stats() Stats {
	st := Stats{
		Engine:  v.engine.Stats(),
		Sockets: make(map[string]int), Recovery: v.log.recoveryStats(),
		Events: v.stats.events.Load(), Violations: v.stats.violations.Load(), Overflows: v.stats.overflows.Load(),
		Errors: v.stats.errors.Load(), Panics: v.stats.panics.Load(),
	}
	if p := v.workers.Load(); p != nil {
		st.Busy, st.Waiting = p.load()
	}
	for name, n := range *v.namespaces.Load() {
		st.Sockets[name] = n.sockets.len()
	}
	return st
}
