package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/ws"
)

const (
	// deliveriesPerRound is what a round repeats small broadcasts for, at most 200
	// times.
	deliveriesPerRound = 10_000
	// mostMembers is nearly what the server lets in under a limit of 20,000
	// descriptors; one cell only, to see how the cost grows.
	mostMembers = 17_000
)

// BenchmarkFanout emits as many events as the backlog says at once, to all members,
// and sets the server's CPU per delivery against what the bare loop pays for one
// write to each of them, over the same sockets and in the same round. An op is one
// emit; ns/op ends with the last byte at the last member.
func BenchmarkFanout(b *testing.B) {
	for _, members := range []int{1, 100, 1000, 10_000, mostMembers} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			if members == mostMembers && benchtime() == "1x" {
				b.Skip("figures only")
			}
			server, addr := serve(b)
			f := newAudience(b, server, addr, members)
			if members == mostMembers {
				b.Run("128B/backlog=1", func(b *testing.B) { f.run(b, 128, 1) })
				return
			}
			for _, size := range []int{16, 128, 1 << 10, 16 << 10} {
				for _, backlog := range []int{1, 4, 16} {
					b.Run(fmt.Sprintf("%dB/backlog=%d", size, backlog), func(b *testing.B) { f.run(b, size, backlog) })
				}
			}
		})
	}
}

// fanout is the members of a server, and the ways to reach them all.
type fanout struct {
	b       testing.TB
	to      socketio.Emitter // the members
	swarm   *swarm.Swarm
	bare    *yardstick
	members int
}

// newAudience connects members to a server that has nobody yet.
func newAudience(b testing.TB, to socketio.Emitter, addr string, members int) *fanout {
	f := &fanout{b: b, to: to, members: members}
	f.swarm = connect(b, swarm.WebSocket, addr, members)
	f.bare = yardstickOver(b, addr, members)
	f.emit("warm", 1, 1)
	return f
}

// run alternates the server and the bare loop, so that what else the machine does
// falls on both alike.
func (f *fanout) run(b *testing.B, size, backlog int) {
	f.b = b
	text := strings.Repeat("x", size)
	frame := frameOf(text)
	bareRepeat := min(max(1, scaled(deliveriesPerRound)/f.members), 200)
	repeat := min(max(1, scaled(deliveriesPerRound)/f.members/backlog), 200)
	runtime.GC()
	s := make(series)
	rounds(b, func() {
		limit, wait := f.bare.measure(f, frame, bareRepeat)
		ours := f.emit(text, backlog, repeat)
		ours.cpu -= time.Duration(repeat) * wait
		deliveries := repeat * backlog * f.members
		each, bare := us(ours.cpu, deliveries), us(limit, bareRepeat*f.members)
		s.perOp(ours, repeat*backlog)
		s.add("cpu-us/delivery", each)
		s.add("bare-us/delivery", bare)
		s.add("ratio", each/bare)
		s.add("ns/delivery", us(ours.wall, deliveries)*1e3)
	})
	s.report(b)
}

// emit broadcasts text n times at once, waits until all members have all of it, and
// does so again, as often as repeat says.
func (f *fanout) emit(text string, n, repeat int) cost {
	must(f.b, f.swarm.Expect(f.members*n*len(frameOf(text)), repeat))
	return spent(f.b, func() {
		for range repeat {
			for range n {
				must(f.b, f.to.Emit("reply", text))
			}
			must(f.b, f.swarm.Wait())
		}
	})
}

// frameOf is what a member receives.
func frameOf(text string) []byte {
	return ws.AppendFrame(nil, ws.OpText, []byte(`42["reply","`+text+`"]`))
}
