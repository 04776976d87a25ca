package histogram_test

import (
	"math"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/internal/histogram"
)

// Each bound belongs to its own bucket, as in Prometheus, and what is over it to the next.
func TestDurationsFallIntoTheirBuckets(t *testing.T) {
	for i, bound := range histogram.Bounds {
		var h histogram.Histogram
		h.Observe(bound)
		h.Observe(bound + 1)
		var s histogram.Snapshot
		s.Add(&h)
		if s.Counts[i] != 1 || s.Counts[i+1] != 1 || s.Count() != 2 || s.Sum != 2*bound+1 {
			t.Errorf("%v: %+v", bound, s)
		}
	}
	var h histogram.Histogram
	h.Observe(-time.Second)
	h.Observe(math.MaxInt64)
	var s histogram.Snapshot
	s.Add(&h)
	if s.Counts[0] != 1 || s.Counts[len(histogram.Bounds)] != 1 || s.Sum != math.MaxInt64 {
		t.Errorf("the ends: %+v", s)
	}
}

func TestSnapshotsAddUp(t *testing.T) {
	var a, b histogram.Histogram
	a.Observe(time.Millisecond)
	b.Observe(time.Second)
	var s histogram.Snapshot
	s.Add(&a)
	s.Add(&b)
	if s.Count() != 2 || s.Sum != time.Second+time.Millisecond {
		t.Errorf("%+v", s)
	}
}

func TestObservingDoesNotAllocate(t *testing.T) {
	var h histogram.Histogram
	if n := testing.AllocsPerRun(100, func() { h.Observe(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	var h histogram.Histogram
	b.ReportAllocs()
	for i := range b.N {
		h.Observe(time.Duration(i))
	}
}
