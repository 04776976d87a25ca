package bench

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestMain(m *testing.M) {
	swarm.Main()
	subjectMain()
	flag.Parse()
	if *pin {
		if err := pinned(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// quiet are the options of every server measured: the swarm answers no heartbeat,
// and none shall be measured.
func quiet() socketio.Options {
	return socketio.Options{Logger: slog.New(slog.DiscardHandler), PingInterval: time.Hour}
}

// serve runs a server for the length of the benchmark; tune may change its options.
func serve(b testing.TB, tune ...func(*socketio.Options)) (server *socketio.Server, addr string) {
	b.Helper()
	o := quiet()
	for _, fn := range tune {
		fn(&o)
	}
	server = socketio.New(o)
	if err := server.Listen("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return server, server.Addr().String()
}

// connect has a swarm connect n clients; it ends before the server does.
func connect(b testing.TB, kind swarm.Kind, addr string, n int) *swarm.Swarm {
	b.Helper()
	s, err := swarm.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	must(b, s.Open(kind, addr, n))
	return s
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
