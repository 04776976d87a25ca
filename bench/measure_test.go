package bench

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leastRounds is how many rounds a median is taken of, unless -benchtime names a
// number.
const leastRounds = 5

// rounds calls one as often as -benchtime says: 11 times for 11x, and for a
// duration as often as fits, but at least leastRounds times.
func rounds(b *testing.B, one func()) {
	n := 0
	for b.Loop() {
		one()
		n++
	}
	if strings.HasSuffix(benchtime(), "x") {
		return
	}
	for ; n < leastRounds; n++ {
		one()
	}
}

func benchtime() string { return flag.Lookup("test.benchtime").Value.String() }

// scaled is n, and a fifth of it for -benchtime=1x: that asks whether everything
// works, not for figures.
func scaled(n int) int {
	if benchtime() == "1x" {
		return max(n/5, 1)
	}
	return n
}

// cost is what this process spent on something.
type cost struct {
	cpu    time.Duration // user and system
	wall   time.Duration
	allocs uint64
	bytes  uint64
}

// spent measures f. The allocations are those of the whole process: of the server,
// and of f itself.
func spent(b testing.TB, f func()) (c cost) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := used(b), time.Now()
	f()
	c.cpu, c.wall = used(b)-cpu, time.Since(start)
	runtime.ReadMemStats(&after)
	c.allocs, c.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return c
}

// used is the CPU time of this process so far.
func used(b testing.TB) time.Duration {
	var r syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// series collects the rounds' values of one metric.
type series map[string][]float64

func (s series) add(unit string, v float64) { s[unit] = append(s[unit], v) }

// perOp adds what one of n operations cost, in the units of the testing package.
func (s series) perOp(c cost, n int) {
	s.add("ns/op", float64(c.wall.Nanoseconds())/float64(n))
	s.add("B/op", float64(c.bytes)/float64(n))
	s.add("allocs/op", float64(c.allocs)/float64(n))
}

// report prints the medians.
func (s series) report(b *testing.B) {
	b.ReportAllocs()
	for unit, v := range s {
		b.ReportMetric(median(v), unit)
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// us is d in microseconds for each of n.
func us(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(n) }

// eventually asks until it is so, once a millisecond; for ends of phases that are
// not measured, or where asking weighs nothing.
func eventually(b testing.TB, what string, so func() bool) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("bench: no %s within a minute", what)
		}
	}
}

// settledHeap is the Go heap after two collections: finalizers and pools are done
// with.
func settledHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
