package engine

import (
	"sync/atomic"
	"time"
)

// sessionRate bounds how many sessions are opened per second: a bucket of tokens, of
// which a new session takes one, and which fills up again with time. It is one word
// for all loops, a compare-and-swap per new session, because the kernel spreads
// connections over the loops by chance: with a share of the rate each, one loop would
// refuse what another has room for.
//
// Safe for concurrent use.
type sessionRate struct {
	each  int64        // immutable: nanoseconds until one token has come; 0 = no limit
	depth int64        // immutable: nanoseconds until an empty bucket is full
	full  atomic.Int64 // when the bucket is full again, in nanoseconds of the server's clock
}

// maxBurst keeps the bucket's depth within an int64, at one session per second.
const maxBurst = 1 << 32

// setRate is called before the first session. A rate of 0 or less is no limit; a
// burst of 0 or less is one second's worth, and one below a tick's worth is that.
func (r *sessionRate) setRate(perSecond, burst int) {
	if perSecond <= 0 {
		return
	}
	if burst <= 0 {
		burst = perSecond
	}
	r.each = max(1, int64(time.Second)/int64(perSecond))
	r.depth = max(r.each*min(int64(burst), maxBurst), int64(tickLength)) // what comes in a tick has room
}

// take takes a token at the given tick; false when there is none.
func (r *sessionRate) take(tick uint64) bool {
	if r.each == 0 {
		return true
	}
	now := int64(tick) * int64(tickLength)
	for {
		was := r.full.Load()
		full := max(was, now) + r.each
		if full-now > r.depth {
			return false
		}
		if r.full.CompareAndSwap(was, full) {
			return true
		}
	}
}
