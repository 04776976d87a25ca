package engine

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/internal/histogram"
)

// How long things take is measured by sample, so that it costs those nothing that are
// not in it: of broadcasts the first one after each tick of the clock, of pings as many
// at a time as a loop has stopwatches.

// Durations is how many there were in each bucket of [DurationBounds], and their sum.
type Durations = histogram.Snapshot

// DurationBounds returns the upper ends of the buckets of Durations; the last bucket,
// which has none, follows.
func DurationBounds() []time.Duration { return histogram.Bounds[:] }

// stopwatches is how many pings a loop times at once. A client that is gone keeps one
// for PingTimeout.
const stopwatches = 4

// stopwatch times one ping. Loop-only.
type stopwatch struct {
	session *Session
	began   time.Time
}

// timings are what a loop measures.
type timings struct {
	pings [stopwatches]stopwatch

	since  time.Duration // when the broadcast was published that is being timed, since the server's start; 0 for none
	mark   uint64        // of crowd: when all its members have been written to
	rtts   histogram.Histogram
	crowds histogram.Histogram
}

// sampled says that a publish is to be timed, and since when; 0 for most, who pay one load
// of what only changes every tick. Safe for concurrent use.
func (s *Server) sampled() time.Duration {
	if !s.sampling.Load() || !s.sampling.CompareAndSwap(true, false) {
		return 0
	}
	return time.Since(s.clock.start)
}

// resample has the next publish timed. Called by the ticker.
func (s *Server) resample() {
	if !s.sampling.Load() {
		s.sampling.Store(true)
	}
}

// watch begins to wait until the members of the publish that was just handed out have
// been written to.
func (l *loop) watch(t *task) {
	if t.since == 0 || !t.reached || l.times.since != 0 {
		return
	}
	l.times.since, l.times.mark = t.since, l.crowd.taken+uint64(l.crowd.len())
}

// watched looks whether they have. Called once a turn.
func (l *loop) watched() {
	if w := &l.times; w.since != 0 && l.crowd.taken >= w.mark {
		w.crowds.Observe(time.Since(l.srv.clock.start) - w.since)
		w.since = 0
	}
}

// timePing begins to time the session's ping where a stopwatch is free.
func (l *loop) timePing(s *Session) {
	for i := range l.times.pings {
		if w := &l.times.pings[i]; w.session == nil {
			w.session, w.began = s, time.Now()
			return
		}
	}
}

// timePong ends that; of a session that is closed it is not counted.
func (l *loop) timePong(s *Session, came bool) {
	for i := range l.times.pings {
		w := &l.times.pings[i]
		if w.session != s {
			continue
		}
		if came {
			l.times.rtts.Observe(time.Since(w.began))
		}
		*w = stopwatch{}
		return
	}
}
