package bench

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

const (
	// crowd is to whom is broadcast while the bystander looks on.
	crowd = 10_000
	// bystanderEvery is how often it asks for an echo, whatever became of those
	// before.
	bystanderEvery = 2 * time.Millisecond
	// broadcastsPerRound follow one another without a pause.
	broadcastsPerRound = 10
)

// BenchmarkBystander measures how long the echo of a client takes that has nothing
// to do with the broadcasts of 128 bytes to 10,000 members that run one after the
// other, and how long it takes without them: with turns of the usual length, and
// with turns that last as long as the broadcast. An op is one broadcast.
func BenchmarkBystander(b *testing.B) {
	b.Run("turn=128", func(b *testing.B) { standBy(b, 128) })
	b.Run("turn=whole", func(b *testing.B) { standBy(b, 1<<20) })
}

func standBy(b *testing.B, turnWrites int) {
	server, addr := serve(b, func(o *socketio.Options) { o.TurnWrites = turnWrites })
	answerEchoes(server)
	var joined atomic.Int64
	server.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		if joined.Load() == crowd {
			return nil
		}
		defer joined.Add(1)
		return s.Join("crowd")
	})
	members := connect(b, swarm.WebSocket, addr, crowd)
	eventually(b, "crowd", func() bool { return joined.Load() == crowd })
	f := &fanout{b: b, to: server.To("crowd"), swarm: members, members: crowd}
	bystander := connect(b, swarm.WebSocket, addr, 1)
	text := strings.Repeat("x", 128)
	s, n := make(series), scaled(broadcastsPerRound)
	rounds(b, func() {
		idle := watch(b, bystander, func() { time.Sleep(500 * time.Millisecond) })
		var c cost
		busy := watch(b, bystander, func() { c = f.emit(text, 1, n) })
		s.perOp(c, n)
		s.add("p50-us", busy.P50)
		s.add("p99-us", busy.P99)
		s.add("max-us", busy.Max)
		s.add("idle-p50-us", idle.P50)
		s.add("idle-p99-us", idle.P99)
	})
	s.report(b)
}

// watch has the bystander ask for echoes while f runs.
func watch(b testing.TB, bystander *swarm.Swarm, f func()) *report.Latency {
	trips := echoOf("inline", 0)
	trips.Every = bystanderEvery
	must(b, bystander.Begin(trips))
	f()
	latency, err := bystander.Halt()
	must(b, err)
	if latency == nil {
		b.Fatal("bench: the bystander had no echo")
	}
	return latency
}
