package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// A loop that something blocks does not hold Serve or a second Shutdown.
func TestABlockedLoopDoesNotHoldServe(t *testing.T) {
	t.Parallel() // it lasts stopGrace
	block := make(chan struct{})
	blocked := make(chan struct{})
	var once sync.Once
	srv, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler), Accept: func(*engine.Session) engine.Receiver {
		once.Do(func() { close(blocked); <-block })
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	f := &fixture{t: t, srv: srv, addr: srv.Addr().String()}
	f.dial().request("GET", pollURL, "")
	receive(t, blocked)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := srv.Shutdown(ctx); !errors.Is(err, engine.ErrLoopStuck) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := receive(t, served); !errors.Is(err, engine.ErrLoopStuck) {
		t.Errorf("Serve: %v", err)
	}
	if err := srv.Shutdown(context.Background()); !errors.Is(err, engine.ErrLoopStuck) {
		t.Errorf("second Shutdown: %v", err)
	}
	close(block)
}

// Shutdown waits for a Listen in progress: either it stops the server, or there is
// none.
func TestShutdownDuringListenLeavesNoServer(t *testing.T) {
	for range 20 {
		f := &fixture{t: t}
		srv, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler), Accept: f.accept, Handler: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		listened := make(chan error, 1)
		go func() { listened <- srv.Listen("127.0.0.1:0") }()
		for {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			err := srv.Shutdown(ctx)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, engine.ErrNotListening) {
				t.Fatal(err)
			}
			runtime.Gosched()
		}
		if err := receive(t, listened); err != nil {
			t.Fatal(err)
		}
		if err := srv.Serve(); err != nil {
			t.Fatal(err)
		}
	}
}
