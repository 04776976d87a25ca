package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// BenchmarkEmit is an event for a room with nobody in it: what its way there costs, through
// the API over one connection, by many at once, and within the process.
func BenchmarkEmit(b *testing.B) {
	const body = `{"rooms":["news"],"event":"headline","args":["It works",{"id":9007199254740993}]}`
	s := perform(b, api.Options{}, nil)
	s.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	perSecond := func(b *testing.B, emits int) {
		b.ReportMetric(float64(emits)/b.Elapsed().Seconds(), "emits/s")
		b.ReportAllocs()
	}
	b.Run("in process", func(b *testing.B) {
		for b.Loop() {
			if err := s.server.To("news").Emit("headline", "It works", socketio.Raw(`{"id":9007199254740993}`)); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, b.N)
	})
	b.Run("one connection", func(b *testing.B) {
		for b.Loop() {
			s.post("/v1/emit", body, "{}")
		}
		perSecond(b, b.N)
	})
	b.Run("16 connections", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				s.post("/v1/emit", body, "{}")
			}
		})
		perSecond(b, b.N)
	})
	for _, n := range []int{10, 100, 1000} {
		batch := `{"emits":[` + body
		for range n - 1 {
			batch += "," + body
		}
		batch += `]}`
		b.Run(fmt.Sprintf("batches of %d", n), func(b *testing.B) {
			for b.Loop() {
				s.post("/v1/broadcast", batch, "")
			}
			perSecond(b, b.N*n)
		})
	}
}
