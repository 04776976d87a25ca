package bench

import (
	"runtime"
	"testing"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// memoryMembers is how many connections the memory benchmarks hold.
const memoryMembers = 10_000

// BenchmarkIdleWebSocket holds idle Socket.IO sockets over WebSocket and divides
// the Go heap they take, gnet's share included, by their number: heap-B/conn.
func BenchmarkIdleWebSocket(b *testing.B) { idle(b, swarm.WebSocket) }

// BenchmarkHeldPoll does so with sockets whose long-poll the server holds.
func BenchmarkHeldPoll(b *testing.B) { idle(b, swarm.HeldPoll) }

func idle(b *testing.B, kind swarm.Kind) {
	for b.Loop() {
		server, addr := serve(b, socketio.Options{})
		connect(b, kind, addr, 16) // the loops and pools that exist once
		before, goroutines := heap(), runtime.NumGoroutine()
		connect(b, kind, addr, memoryMembers)
		after := heap()
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/memoryMembers, "heap-B/conn")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/memoryMembers, "stack-B/conn")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
		if st := server.Stats(); st.Sockets["/"] != memoryMembers+16 {
			b.Fatalf("%d sockets", st.Sockets["/"])
		}
	}
}

// heap reads the statistics after two collections: finalizers and pools are done with.
func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
