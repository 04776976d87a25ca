package socketio_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func packetOf(n int) []byte {
	return []byte(`2["chatMessage","` + strings.Repeat("x", max(0, n-20)) + `"]`)
}

// What one event costs from the message to the return of its handler, without network.
func BenchmarkReceive(b *testing.B) {
	for _, way := range []struct {
		name string
		opts []socketio.HandlerOption
	}{{"inline", []socketio.HandlerOption{socketio.Inline}}, {"mailbox", nil}} {
		for _, size := range []int{32, 125, 1024, 64 << 10} {
			b.Run(fmt.Sprintf("%s/%dB", way.name, size), func(b *testing.B) {
				io, receive, stop := socketio.Bench(socketio.Options{})
				defer stop()
				done := make(chan bool, 1)
				socketio.On(io, "chatMessage", func(ctxt, *socketio.Socket, socketio.Raw) error { done <- true; return nil }, way.opts...)
				p := packetOf(size)
				b.ReportAllocs()
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					if err := receive(p); err != nil {
						b.Fatal(err)
					}
					<-done
				}
			})
		}
	}
}

// Bursts: the events of one read, as a loaded server sees them.
func BenchmarkReceiveBurst(b *testing.B) {
	io, receive, stop := socketio.Bench(socketio.Options{})
	defer stop()
	const burst = 64
	done := make(chan bool, burst)
	socketio.On(io, "chatMessage", func(ctxt, *socketio.Socket, socketio.Raw) error { done <- true; return nil })
	p := packetOf(32)
	b.ReportAllocs()
	for b.Loop() {
		for range burst {
			if err := receive(p); err != nil {
				b.Fatal(err)
			}
		}
		for range burst {
			<-done
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/burst, "ns/event")
}

// What a broadcast costs before the loops take over.
func BenchmarkBroadcast(b *testing.B) {
	for _, size := range []int{16, 125, 1024, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			io, _, stop := socketio.Bench(socketio.Options{})
			defer stop()
			text := strings.Repeat("x", size)
			to := io.To("lobby")
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := to.Emit("reply", text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One client, one server, one event and its answer, over a real connection.
func BenchmarkEcho(b *testing.B) {
	for _, way := range []struct {
		name string
		opts []socketio.HandlerOption
	}{{"inline", []socketio.HandlerOption{socketio.Inline}}, {"mailbox", nil}} {
		b.Run(way.name, func(b *testing.B) {
			io := socketio.New(quiet(socketio.Options{}))
			socketio.On(io, "echo", func(_ ctxt, s *socketio.Socket, v string) error { return s.Emit("echo", v) }, way.opts...)
			p, _ := join(b, start(b, io))
			b.ReportAllocs()
			for b.Loop() {
				p.send(`42["echo","hello"]`)
				p.expect(`42["echo","hello"]`)
			}
			_ = p.conn.Close()
		})
	}
}
