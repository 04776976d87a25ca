package wheel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fanfare-go/fanfare/engine/internal/wheel"
)

// session stands for what embeds Links in earnest: a few cache lines, so that neighbours in a ring are not neighbours in memory.
type session struct {
	_     [200]byte
	links wheel.Links[session]
}

func (s *session) WheelLinks() *wheel.Links[session] { return &s.links }

// populate arms n sessions at random within 2,500 ticks: 25 s pings at 10 ms a tick.
func populate(n int) (*wheel.Wheel[session, *session], []session) {
	w, ss := wheel.New[session](4096, 0), make([]session, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range ss {
		w.Arm(&ss[i], 1+r.Uint64N(2500))
	}
	return w, ss
}

// BenchmarkRearm moves one armed entry after another, all over the wheel.
func BenchmarkRearm(b *testing.B) {
	for _, n := range []int{1000, 200_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			w, ss := populate(n)
			b.ReportAllocs()
			i, tick := 0, uint64(0)
			for b.Loop() {
				tick += 7
				w.Arm(&ss[i], 1+tick%2500)
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

// BenchmarkFire advances one tick at a time; every entry fires once in 2,500 ticks and arms itself for the next time.
func BenchmarkFire(b *testing.B) {
	for _, n := range []int{0, 1000, 200_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			w, _ := populate(n)
			b.ReportAllocs()
			now, fired := uint64(0), 0
			fire := func(s *session) { fired++; w.Arm(s, now+2500) }
			for b.Loop() {
				now++
				w.Advance(now, fire)
			}
			if fired > 0 {
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(fired), "ns/entry")
			}
		})
	}
}

// BenchmarkJump makes everything due at once after many rounds: the sorted path.
func BenchmarkJump(b *testing.B) {
	const n = 200_000
	w, _ := populate(n)
	b.ReportAllocs()
	now := uint64(0)
	spread := uint64(0)
	fire := func(s *session) { spread += 7919; w.Arm(s, now+1+spread%100_000) }
	for b.Loop() {
		now += 200_000
		w.Advance(now, fire)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}
