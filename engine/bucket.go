package engine

import "time"

// bucket is the size of a bucket of tokens and the rate at which it fills. Immutable.
type bucket struct {
	each  int64 // nanoseconds until one token has come, times tokenGrain; 0 = no limit
	depth int64 // nanoseconds until an empty bucket is full
}

// tokenGrain makes rates above one in a nanosecond, of bytes, possible.
const tokenGrain = 1024

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
// the server's clock. The zero value is full.
type level int64

// take takes n tokens at the given tick; false, and none, where there are fewer.
func (v *level) take(b *bucket, tick uint64, n int) bool {
	if b.each == 0 {
		return true
	}
	now := int64(tick) * int64(tickLength)
	full := max(int64(*v), now) + b.cost(n)
	if full-now > b.depth {
		return false
	}
	*v = level(full)
	return true
}

func (v level) isFull(tick uint64) bool { return int64(v) <= int64(tick)*int64(tickLength) }
