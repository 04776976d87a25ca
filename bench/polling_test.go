package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/bench/swarm"
)

// BenchmarkPollingRoundTrip has clients post an event with an acknowledgement and
// then poll for it, each one at a time over one connection: two requests. An op is
// one round trip.
func BenchmarkPollingRoundTrip(b *testing.B) {
	for _, clients := range []int{1, 200} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			server, addr := serve(b)
			answerEchoes(server)
			pollers := connect(b, swarm.Polling, addr, clients)
			for _, way := range []string{"inline", "pooled"} {
				b.Run(way, func(b *testing.B) {
					n := scaled(min(1000*clients, 5000))
					trips := echoOf(way, n)
					roundTrips(b, pollers, trips)
					runtime.GC()
					s := make(series)
					rounds(b, func() {
						c, latency := roundTrips(b, pollers, trips)
						s.perOp(c, n)
						s.add("cpu-us/trip", us(c.cpu, n))
						s.add("p50-us", latency.P50)
						s.add("p99-us", latency.P99)
					})
					s.report(b)
				})
			}
		})
	}
}

// BenchmarkPollingFanout broadcasts to sockets whose poll the server holds. An op is
// one broadcast; a delivery is the answer to the poll, and the next poll, held.
func BenchmarkPollingFanout(b *testing.B) {
	for _, members := range []int{100, 1000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			server, addr := serve(b)
			pollers := connect(b, swarm.HeldPoll, addr, members)
			text := strings.Repeat("x", 128)
			emit := func() {
				requests := server.Stats().Engine.Requests + uint64(members)
				must(b, server.Emit("reply", text))
				must(b, pollers.Wait())
				eventually(b, "poll of every member", func() bool { return server.Stats().Engine.Requests >= requests })
			}
			must(b, pollers.Expect(members, 1))
			emit()
			runtime.GC()
			s := make(series)
			rounds(b, func() {
				repeat := scaled(deliveriesPerRound) / members
				must(b, pollers.Expect(members, repeat))
				c := spent(b, func() {
					for range repeat {
						emit()
					}
				})
				s.perOp(c, repeat)
				s.add("cpu-us/delivery", us(c.cpu, repeat*members))
			})
			s.report(b)
		})
	}
}
