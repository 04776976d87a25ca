package auth

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gate bounds the questions at a time, and the clients that wait to ask one.
type gate struct {
	places   chan struct{} // a value in it is a question
	room     int64         // for those who wait
	waiting  atomic.Int64
	counters *counters
}

// enter waits for a place, until ctx is done.
func (g *gate) enter(ctx context.Context) verdict {
	select {
	case g.places <- struct{}{}:
		g.counters.busy.Add(1)
		return verdictAllowed
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.room {
		return verdictBusy
	}
	g.counters.waiting.Add(1)
	defer g.counters.waiting.Add(-1)
	select {
	case g.places <- struct{}{}:
		g.counters.busy.Add(1)
		return verdictAllowed
	case <-ctx.Done():
		return verdictBusy
	}
}

func (g *gate) leave() {
	<-g.places
	g.counters.busy.Add(-1)
}

const (
	breakerFailures = 5                // one after the other, after which nobody is asked
	breakerFirst    = time.Second      // for how long; twice as long each time it fails again
	breakerLongest  = 30 * time.Second // at most
)

// breaker spares a backend that fails, and the clients the wait for it. After its time one
// question is let through, and decides.
type breaker struct {
	mu       sync.Mutex
	failures int           // one after the other; guarded by mu, as all below
	pause    time.Duration // of the last time that it opened
	until    time.Time     // open until then; zero while closed
	probing  bool          // the one question is on its way
}

// allow reports whether the backend may be asked, and whether this is the question that
// decides. Who is told yes must call told.
func (b *breaker) allow() (probe, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return false, true
	}
	if b.probing || time.Now().Before(b.until) {
		return false, false
	}
	b.probing = true
	return true, true
}

// told takes in how a question ended; verdictGone and verdictBusy say nothing of the backend.
func (b *breaker) told(v verdict, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch v {
	case verdictAllowed, verdictRefused:
		b.failures, b.pause, b.until = 0, 0, time.Time{}
	case verdictFailed, verdictTimeout:
		b.failures++
		if probe || b.until.IsZero() && b.failures >= breakerFailures { // others of the same time count once
			b.pause = min(max(2*b.pause, breakerFirst), breakerLongest)
			b.until = time.Now().Add(b.pause)
		}
	}
}
