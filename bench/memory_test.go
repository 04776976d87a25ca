package bench

import (
	"testing"

	"github.com/fanfare-go/fanfare/bench/swarm"
)

// memoryMembers is how many connections the memory benchmarks hold.
const memoryMembers = 10_000

// BenchmarkIdleWebSocket holds idle Socket.IO sockets over WebSocket and divides
// what the server's process takes for them by their number: Go heap, gnet's share
// included, and resident memory, as it stands when the last one is connected
// (garbage of the handshakes included) and once the garbage is given back.
func BenchmarkIdleWebSocket(b *testing.B) { idle(b, swarm.WebSocket) }

// BenchmarkHeldPoll does so with sockets whose long-poll the server holds.
func BenchmarkHeldPoll(b *testing.B) { idle(b, swarm.HeldPoll) }

func idle(b *testing.B, kind swarm.Kind) {
	s, n := make(series), scaled(memoryMembers)
	for b.Loop() {
		server := startSubject(b)
		connect(b, kind, server.addr, 16) // the loops and pools that exist once
		before := server.weigh(b)
		clients := connect(b, kind, server.addr, n)
		after := server.weigh(b)
		if after.Sockets != n+16 {
			b.Fatalf("bench: %d sockets", after.Sockets)
		}
		s.add("heap-B/conn", (float64(after.Heap)-float64(before.Heap))/float64(n))
		s.add("stack-B/conn", (float64(after.Stack)-float64(before.Stack))/float64(n))
		s.add("rss-B/conn", float64(after.rss-before.settled)/float64(n))
		s.add("rss-settled-B/conn", float64(after.settled-before.settled)/float64(n))
		s.add("goroutines", float64(after.Goroutines-before.Goroutines))
		must(b, clients.Drop())
	}
	s.add("ns/op", 0) // how long it took to connect them says nothing
	s.report(b)
}
