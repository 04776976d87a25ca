package inbox_test

import (
	"fmt"
	"testing"

	"github.com/fanfare-go/fanfare/engine/internal/inbox"
)

// BenchmarkPushTake moves bursts of one size through the inbox; the time is per burst, ns/value per value.
func BenchmarkPushTake(b *testing.B) {
	for _, burst := range []int{1, 16, 128, 1024} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			b.ReportAllocs()
			var q inbox.Inbox[*int]
			var batch []*int
			v := new(int)
			for b.Loop() {
				for range burst {
					q.Push(v)
				}
				for more := true; more; {
					batch, more = q.Take(batch)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(burst), "ns/value")
		})
	}
}

// BenchmarkContendedPush has all processors push while one goroutine takes.
func BenchmarkContendedPush(b *testing.B) {
	b.ReportAllocs()
	var q inbox.Inbox[*int]
	wakes := make(chan struct{}, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var batch []*int
		for range wakes {
			for more := true; more; {
				batch, more = q.Take(batch)
			}
		}
	}()
	b.RunParallel(func(pb *testing.PB) {
		v := new(int)
		for pb.Next() {
			if wake, _ := q.Push(v); wake {
				wakes <- struct{}{}
			}
		}
	})
	close(wakes)
	<-done
}
