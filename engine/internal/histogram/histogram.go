// Package histogram counts durations in fixed buckets: an array of atomic counters, so
// that counting allocates nothing, takes no lock, and is read from anywhere.
package histogram

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper ends of the buckets, but for the last, which has none: from
// what a handler takes that does nothing to what a client gives up after.
var Bounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Histogram is the counters. The zero value is empty. 144 bytes. Safe for concurrent use.
type Histogram struct {
	counts [len(Bounds) + 1]atomic.Uint64
	sum    atomic.Int64 // ns
}

// Observe counts one duration; a negative one, of a clock that was turned back, is 0.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Snapshot is what a Histogram, or several together, had counted at a moment.
type Snapshot struct {
	Counts [len(Bounds) + 1]uint64 // by bucket, not added up
	Sum    time.Duration
}

// Add adds what h has counted so far.
func (s *Snapshot) Add(h *Histogram) {
	for i := range h.counts {
		s.Counts[i] += h.counts[i].Load()
	}
	s.Sum += time.Duration(h.sum.Load())
}

// Count is how many durations there are.
func (s *Snapshot) Count() (n uint64) {
	for _, c := range s.Counts {
		n += c
	}
	return n
}
