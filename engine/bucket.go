package engine

import (
	"sync/atomic"
	"time"
)

// bucket is the size of a bucket of tokens and the rate at which it fills. Immutable.
type bucket struct {
	each  int64 // nanoseconds until one token has come, times tokenGrain; 0 = no limit
	depth int64 // nanoseconds until an empty bucket is full
}

const (
	// tokenGrain makes rates above one in a nanosecond, of bytes, possible.
	tokenGrain = 1024
	// maxBurst keeps the bucket's depth within an int64, at one token per second.
	maxBurst = 1 << 32
)

func newBucket(r Rate) (b bucket) {
	if r.PerSecond <= 0 {
		return b
	}
	burst := int64(orElse(max(r.Burst, 0), r.PerSecond))
	b.each = max(1, int64(time.Second)*tokenGrain/int64(r.PerSecond))
	b.depth = max(b.cost(int(min(burst, maxBurst))), int64(tickLength)) // what comes in a tick has room
	return b
}

// cost is how long n tokens take to come, in nanoseconds.
func (b *bucket) cost(n int) int64 { return int64(float64(n) * float64(b.each) / tokenGrain) }

// level is how full somebody's bucket is: when it will be full again, in nanoseconds of
// the server's clock. The zero value is full. Where the rate changes, it begins anew.
type level int64

// after is the level once n tokens were taken at the given tick; false where there are
// fewer.
func (v level) after(b *bucket, tick uint64, n int) (level, bool) {
	now := int64(tick) * int64(tickLength)
	full := max(int64(v), now) + b.cost(n)
	return level(full), full-now <= b.depth
}

// take takes n tokens at the given tick; false, and none, where there are fewer.
func (v *level) take(b *bucket, tick uint64, n int) bool {
	if b.each == 0 {
		return true
	}
	full, ok := v.after(b, tick, n)
	if ok {
		*v = full
	}
	return ok
}

func (v level) isFull(tick uint64) bool { return int64(v) <= int64(tick)*int64(tickLength) }

// sharedLevel is one that all loops take from: a compare-and-swap each time. The kernel
// spreads connections over the loops by chance: with a share of the rate each, one loop
// would refuse what another has room for. Safe for concurrent use.
type sharedLevel struct{ level atomic.Int64 }

// take is level's.
func (s *sharedLevel) take(b *bucket, tick uint64, n int) bool {
	if b.each == 0 {
		return true
	}
	for {
		was := s.level.Load()
		full, ok := level(was).after(b, tick, n)
		if !ok || s.level.CompareAndSwap(was, int64(full)) {
			return ok
		}
	}
}

func (s *sharedLevel) isFull(tick uint64) bool { return level(s.level.Load()).isFull(tick) }
