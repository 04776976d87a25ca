package natsadapter

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

// What an emit pays for the other servers: the message's bytes, and nothing else.
func TestPublishingAllocatesTheMessageOnly(t *testing.T) {
	nodes := startNodes(t, 1, Options{Outbox: cluster.OutboxOptions{MaxMessages: 1}})
	l, err := nodes[0].attach("/", new(recorder))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*cluster.Message{"all": broadcast("x"), "room": broadcast("x", "room"), "binary": {
		Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte(`["x",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{make([]byte, 1000)}},
	}} {
		l.subject(m) // is made once
		if n := testing.AllocsPerRun(100, func() {
			l.subject(m)
			if _, err := newFrame(1, m); err != nil {
				t.Fatal(err)
			}
		}); n > 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkPublish is one message to one other server, until it is there.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{16, 125, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			nodes := startNodes(b, 2, Options{})
			links, got := attachAll(b, nodes, "/")
			m := broadcast(strings.Repeat("x", size))
			frame, _ := newFrame(1, m)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; {
				if links[0].Publish(m) == nil {
					i++
				} else {
					runtime.Gosched()
				}
			}
			eventually(b, "all is there", func() bool { return got[1].received() == b.N })
			b.ReportMetric(float64(len(frame)), "B/frame")
		})
	}
}

// BenchmarkFrame is what the caller of an emit pays.
func BenchmarkFrame(b *testing.B) {
	m := broadcast(strings.Repeat("x", 125), "room")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := newFrame(1, m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdle reports what a server of NATS and a node cost that have nothing to do.
func BenchmarkIdle(b *testing.B) {
	var before, after runtime.MemStats
	heap := func(s *runtime.MemStats) int {
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(s)
		return runtime.NumGoroutine()
	}
	g := heap(&before)
	const n = 10
	for range n {
		s, err := embedded.Start(embedded.Options{Logger: quiet()})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Shutdown(context.Background()) //nolint:errcheck // of a benchmark
		startNode(b, s, Options{})
	}
	more := heap(&after) - g
	for b.Loop() {
		_ = more
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc+after.StackInuse-before.StackInuse)/n/1024, "KiB/server")
	b.ReportMetric(float64(more)/n, "goroutines/server")
}
