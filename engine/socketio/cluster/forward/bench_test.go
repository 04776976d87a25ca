package forward_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// brokers are what two servers may have between them.
var brokers = []struct {
	name string
	of   func(b *testing.B) (one, two tunnel.Carrier)
}{
	{"in the process", func(*testing.B) (one, two tunnel.Carrier) { bus := new(tunneltest.Bus); return bus, bus }},
	{"Redis", func(b *testing.B) (one, two tunnel.Carrier) {
		db := redistest.Start(b, redistest.Options{})
		join := func() tunnel.Carrier {
			f, err := redisadapter.New(redisadapter.Options{URL: db.URL, Mode: redisadapter.Sharded, Cluster: cluster.Options{Logger: slog.New(slog.DiscardHandler)}})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = f.Close() })
			return f.Carrier()
		}
		return join(), join()
	}},
	{"NATS embedded", func(b *testing.B) (one, two tunnel.Carrier) {
		s, err := embedded.Start(embedded.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Shutdown(context.Background()) })
		join := func() tunnel.Carrier {
			n, err := natsadapter.Connect(b.Context(), natsadapter.Options{InProcess: s, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = n.Close() })
			return n.Carrier()
		}
		return join(), join()
	}},
}

// BenchmarkPost is one POST at the server with the session, and at another one.
func BenchmarkPost(b *testing.B) {
	for _, broker := range brokers {
		one, two := broker.of(b)
		owner, other := start(b, one, "a", socketio.Options{}), start(b, two, "b", socketio.Options{})
		until(b, "they know each other", func() bool { return other.forward.Stats().Peers == 1 && owner.forward.Stats().Peers == 1 })
		sid := owner.open()
		for name, at := range map[string]*node{"own": owner, "forwarded": other} {
			for _, size := range []int{1, 10_000} {
				b.Run(fmt.Sprintf("%s/%s/%dB", broker.name, name, size), func(b *testing.B) {
					l := at.dial()
					_ = l.SetDeadline(time.Time{})
					body := `42["nobody","` + strings.Repeat("x", size) + `"]`
					b.ReportAllocs()
					for b.Loop() {
						l.post(sid, body)
					}
				})
			}
		}
	}
}
