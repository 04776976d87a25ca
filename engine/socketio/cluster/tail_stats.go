package cluster

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrLogLate says that a broker's log does not take events as fast as it should, or not
// at all: they are delivered on the server that sends them, and elsewhere later or
// never.
var ErrLogLate = errors.New("cluster: the log is late")

// TailStats are the numbers of a Tail and of all adapters over it.
type TailStats struct {
	Events int    // in memory at this moment
	Bytes  int64  // that they occupy
	Read   uint64 // entries of the log
	Bad    uint64 // of these, those that were out of order or no messages, and dropped
	Ranges uint64 // times that older entries were read
	Gaps   uint64 // times that entries were not there any more when they should have been read

	Pending       int    // events on their way into the log at this moment
	PendingBytes  int64  // that they occupy
	Early         uint64 // events that were delivered here before they came back
	LostForOthers uint64 // events that were delivered here and are not in the log
	Unknown       uint64 // events of which it is not known whether they are

	Restored    uint64 // sockets of clients that came from other servers, or from before
	NoSession   uint64 // clients that were not recovered, as their sockets are not stored
	TooOld      uint64 // ... as the log has been trimmed since
	TooEarly    uint64 // ... as the log did not get to where they are
	Crowded     uint64 // ... for MaxRestores
	Surrendered uint64 // sockets that were given up here for another server
	StoreErrors uint64 // sockets that could not be stored or deleted
}

// Add adds the numbers of another Tail.
func (s *TailStats) Add(o TailStats) {
	s.Events += o.Events
	s.Bytes += o.Bytes
	s.Read += o.Read
	s.Bad += o.Bad
	s.Ranges += o.Ranges
	s.Gaps += o.Gaps
	s.Pending += o.Pending
	s.PendingBytes += o.PendingBytes
	s.Early += o.Early
	s.LostForOthers += o.LostForOthers
	s.Unknown += o.Unknown
	s.Restored += o.Restored
	s.NoSession += o.NoSession
	s.TooOld += o.TooOld
	s.TooEarly += o.TooEarly
	s.Crowded += o.Crowded
	s.Surrendered += o.Surrendered
	s.StoreErrors += o.StoreErrors
}

type tailCounts struct {
	read, bad, ranges, gaps                        atomic.Uint64
	pending, pendingBytes                          atomic.Int64
	early, lostForOthers, unknown                  atomic.Uint64
	late                                           atomic.Int64 // adapters that deliver early
	restored, noSession, tooOld, tooEarly, crowded atomic.Uint64
	surrendered, storeErrors                       atomic.Uint64
}

// Stats returns the numbers of this moment.
func (t *Tail) Stats() TailStats {
	c := &t.counts
	s := TailStats{
		Read: c.read.Load(), Bad: c.bad.Load(), Ranges: c.ranges.Load(), Gaps: c.gaps.Load(),
		Pending: int(c.pending.Load()), PendingBytes: c.pendingBytes.Load(),
		Early: c.early.Load(), LostForOthers: c.lostForOthers.Load(), Unknown: c.unknown.Load(),
		Restored: c.restored.Load(), NoSession: c.noSession.Load(), TooOld: c.tooOld.Load(),
		TooEarly: c.tooEarly.Load(), Crowded: c.crowded.Load(),
		Surrendered: c.surrendered.Load(), StoreErrors: c.storeErrors.Load(),
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s.Events, s.Bytes = len(t.events), t.bytes
	return s
}

// Ready returns nil where the log takes what is appended, and otherwise an error that
// wraps ErrLogLate and says how many namespaces wait for it.
func (t *Tail) Ready() error {
	if n := t.counts.late.Load(); n > 0 {
		return fmt.Errorf("%w: events of %d namespaces are not in it yet", ErrLogLate, n)
	}
	return nil
}
