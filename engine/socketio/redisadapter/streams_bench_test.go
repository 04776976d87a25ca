package redisadapter

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// BenchmarkStream has entries of 256 bytes appended and read back, as fast as that goes.
func BenchmarkStream(b *testing.B) {
	db := redistest.Start(b, redistest.Options{})
	p := newPipe(b, db.URL, StreamsOptions{})
	data := string(make([]byte, 256))
	p.until("a beginning", func() bool { return p.begun != "" })
	b.ReportAllocs()
	b.SetBytes(256)
	b.ResetTimer()
	for i := range b.N {
		p.push(data)
		if i%10_000 == 9_999 {
			p.until("all", func() bool { return len(p.read) > i })
		}
	}
	p.until("all", func() bool { return len(p.read) == b.N })
}
