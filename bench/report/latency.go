package report

import (
	"math/bits"
	"time"
)

// Latency is a distribution of times, in microseconds.
type Latency struct {
	P50     float64  `json:"p50"`
	P99     float64  `json:"p99"`
	P999    float64  `json:"p999"`
	Max     float64  `json:"max"`
	Buckets []Bucket `json:"buckets,omitempty"` // ascending, empty ones left out
}

// Bucket counts the times up to and including UpTo microseconds, and above the one
// before it.
type Bucket struct {
	UpTo  float64 `json:"us"`
	Count uint64  `json:"n"`
}

// fine is how many buckets divide one doubling: times are exact to 1/fine.
const (
	fineBits = 5
	fine     = 1 << fineBits
)

// Histogram collects times in buckets that grow with them: 3 % wide, from a
// microsecond to centuries, in a fixed table. The zero value is empty. Not safe
// for concurrent use.
type Histogram struct {
	counts [64 * fine]uint64
	n      uint64
	max    time.Duration
}

// Add records d, n times.
func (h *Histogram) Add(d time.Duration, n uint64) {
	h.counts[bucketOf(uint64(max(d, 0).Microseconds()))] += n
	h.n += n
	h.max = max(h.max, d)
}

// Merge adds what o recorded.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// N is how many times were recorded.
func (h *Histogram) N() uint64 { return h.n }

// Latency sums h up; nil when nothing was recorded.
func (h *Histogram) Latency() *Latency {
	if h.n == 0 {
		return nil
	}
	l := &Latency{P50: h.Quantile(0.5), P99: h.Quantile(0.99), P999: h.Quantile(0.999), Max: float64(h.max.Nanoseconds()) / 1e3}
	for i, n := range h.counts {
		if n > 0 {
			l.Buckets = append(l.Buckets, Bucket{UpTo: h.upTo(i), Count: n})
		}
	}
	return l
}

// Quantile is the time, in microseconds, that a share q of the records does not
// exceed, to the width of a bucket.
func (h *Histogram) Quantile(q float64) float64 {
	rank, seen := uint64(q*float64(h.n)), uint64(0)
	for i, n := range h.counts {
		if seen += n; seen > rank {
			return h.upTo(i)
		}
	}
	return float64(h.max.Nanoseconds()) / 1e3
}

// upTo is the upper end of a bucket, and never more than the largest record.
func (h *Histogram) upTo(bucket int) float64 {
	return min(float64(upperOf(bucket)), float64(h.max.Nanoseconds())/1e3)
}

// bucketOf: below 2*fine every microsecond has a bucket; above, the top fineBits+1
// bits of the number choose it.
func bucketOf(us uint64) int {
	shift := max(bits.Len64(us)-fineBits-1, 0)
	return shift<<fineBits + int(us>>shift)
}

func upperOf(bucket int) uint64 {
	shift := max(bucket>>fineBits-1, 0)
	return uint64(bucket-shift<<fineBits+1)<<shift - 1
}
