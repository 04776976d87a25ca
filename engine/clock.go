package engine

import (
	"math"
	"sync/atomic"
	"time"
)

// tickLength is the grain of all deadlines: clients with a 200 ms ping timeout exist.
const tickLength = 10 * time.Millisecond

// never is a tick that does not come.
const never = math.MaxUint64

// ticks converts a duration, rounded up: no deadline is early.
func ticks(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64((d-1)/tickLength) + 1
}

// clock counts ticks since the server was made, on the monotonic clock. One
// goroutine moves it; reading is an atomic load.
type clock struct {
	start time.Time
	tick  atomic.Uint64
}

func (k *clock) now() uint64 { return k.tick.Load() }

// advance reads the system's clock and reports how many ticks went by.
func (k *clock) advance() (elapsed uint64) {
	now := uint64(time.Since(k.start)/tickLength) + 1 // tick 0 is before everything
	return now - k.tick.Swap(now)
}

const (
	// stallTicks is a gap after which the peers cannot be blamed for missing pongs.
	stallTicks = uint64(time.Second / tickLength)
	// idleTicks is how often a loop with nothing due is asked for a sign of life.
	idleTicks = uint64(time.Second / tickLength)
)

// runTicker moves the clock and asks the loops for a turn where something is due.
func (s *Server) runTicker() {
	t := time.NewTicker(tickLength)
	defer t.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-t.C:
			s.tickOnce(s.clock.advance())
		}
	}
}

func (s *Server) tickOnce(elapsed uint64) {
	if elapsed > stallTicks {
		s.lastStall.Store(s.clock.now())
	}
	s.resample()
	now := s.clock.now()
	for _, l := range s.allLoops() {
		due := l.nextDue.Load() <= now || now-l.lastTick.Load() >= idleTicks
		if due && l.asked.CompareAndSwap(0, now) {
			l.self.ring()
		}
	}
}
