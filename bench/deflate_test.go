package bench

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/ws"
)

// BenchmarkDeflate broadcasts JSON to members with permessage-deflate, compressed and
// not (compress(false)), over the same connections and in the same round. An op is one
// compressed emit. The compressions are counted: one per emit, however many members.
func BenchmarkDeflate(b *testing.B) {
	for _, members := range []int{1, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			server, addr := serve(b, func(o *socketio.Options) { o.PerMessageDeflate = &socketio.PerMessageDeflate{} })
			f := &deflated{server: server, members: members, swarm: connect(b, swarm.Deflate, addr, members)}
			for _, size := range []int{1 << 10, 16 << 10} {
				b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) { f.run(b, size) })
			}
		})
	}
}

// deflated is the members of a server, all with permessage-deflate.
type deflated struct {
	server  *socketio.Server
	swarm   *swarm.Swarm
	members int
}

func (f *deflated) run(b *testing.B, size int) {
	event := someJSON(size)
	packet := []byte(`42["reply",` + string(event) + `]`)
	z, err := ws.NewDeflater(1, ws.MaxWindowBits) // the server's defaults
	must(b, err)
	packed := len(z.AppendFrame(nil, ws.OpText, packet))
	plain := len(ws.AppendFrame(nil, ws.OpText, packet))
	repeat := min(max(1, scaled(deliveriesPerRound)/f.members), 200)
	f.emit(b, f.server, event, packed, 1)
	runtime.GC()
	s := make(series)
	rounds(b, func() {
		deliveries := repeat * f.members
		before := f.server.Stats().Engine.Deflated
		without := f.emit(b, f.server.Compress(false), event, plain, repeat)
		with := f.emit(b, f.server, event, packed, repeat)
		s.perOp(with, repeat)
		s.add("cpu-us/delivery", us(with.cpu, deliveries))
		s.add("plain-us/delivery", us(without.cpu, deliveries))
		s.add("ratio", float64(with.cpu)/float64(without.cpu))
		s.add("bytes-ratio", float64(packed)/float64(plain))
		if n := f.server.Stats().Engine.Deflated - before; n != uint64(repeat) {
			b.Fatalf("%d compressions for %d broadcasts", n, repeat)
		}
	})
	s.report(b)
}

// emit broadcasts an event, waits until all members have the bytes, and does so again,
// as often as repeat says.
func (f *deflated) emit(b *testing.B, to socketio.Emitter, event socketio.Raw, bytes, repeat int) cost {
	must(b, f.swarm.Expect(f.members*bytes, repeat))
	return spent(b, func() {
		for range repeat {
			must(b, to.Emit("reply", event))
			must(b, f.swarm.Wait())
		}
	})
}

// someJSON is n bytes and a few, as a chat's history has them; it compresses to a quarter at
// 1 KiB.
func someJSON(n int) socketio.Raw {
	j := []byte("[")
	for i := uint32(1); len(j) < n; {
		i = i*1664525 + 1013904223
		j = fmt.Appendf(j, `{"id":%d,"user":"user%d","text":"message number %d from the lobby","ok":true},`, i>>12, i>>23, i>>18)
	}
	return append(j, "null]"...)
}
