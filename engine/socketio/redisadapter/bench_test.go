package redisadapter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

// What one message of Classic costs who sends it and who gets it, without Redis.
func BenchmarkClassic(b *testing.B) {
	for _, size := range []int{16, 125, 1 << 10, 64 << 10} {
		m := &cluster.Message{
			Type: cluster.Broadcast, UID: "LbrptE", Opts: cluster.Opts{Rooms: []string{"room"}},
			Packet: jsonPacket(`["news",{"text":"` + strings.Repeat("x", size) + `","n":1}]`),
		}
		body, err := redisadapter.ClassicBody(m, "/")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("write/%dB", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_, _ = redisadapter.ClassicBody(m, "/")
			}
		})
		b.Run(fmt.Sprintf("read/%dB", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_, _, _ = redisadapter.ReadClassicBroadcast(body)
			}
		})
	}
}
