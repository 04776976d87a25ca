package bench

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestMain(m *testing.M) {
	swarm.Main()
	os.Exit(m.Run())
}

// serve runs a server for the length of the benchmark.
func serve(b *testing.B, o socketio.Options) (server *socketio.Server, addr string) {
	b.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	o.PingInterval = time.Hour // the swarm answers no heartbeat, and none shall be measured
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
func connect(b *testing.B, kind swarm.Kind, addr string, n int) *swarm.Swarm {
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
	if err := s.Open(kind, addr, n); err != nil {
		b.Fatal(err)
	}
	return s
}

// arrived waits until the swarm has received that many bytes.
func arrived(b *testing.B, s *swarm.Swarm, want uint64) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		got, err := s.Bytes()
		switch {
		case err != nil:
			b.Fatal(err)
		case got >= want:
			return
		case time.Now().After(deadline):
			b.Fatalf("%d of %d bytes arrived", got, want)
		}
	}
}

// cpu is what this process has used, user and system.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
