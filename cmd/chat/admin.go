package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/pprof"
)

// stuckAfter is how long a loop may owe a turn before the program should be restarted.
const stuckAfter = 10 * time.Second

var (
	errStuck    = errors.New("an event loop does not answer")
	errDraining = errors.New("the server is stopping")
)

// startAdmin serves profiles, metrics and health checks until ctx is done. Ready is
// it until stopping is done, which comes before. What it returns carries the end's
// error, and is closed at once where it is switched off.
func startAdmin(ctx, stopping context.Context, c *config.Config, server *socketio.Server, numbers []pprof.Metric, out io.Writer, log *slog.Logger) (<-chan error, error) {
	ended := make(chan error, 1)
	if c.Listen.Admin == "off" {
		close(ended)
		return ended, nil
	}
	admin, err := pprof.New(pprof.Options{
		Addr:    c.Listen.Admin,
		Metrics: numbers,
		Live:    func() error { return live(server.Stats().Engine) },
		Ready:   func() error { return ready(stopping, server) },
		Logger:  log,
	})
	if err != nil {
		return nil, err
	}
	addr, err := admin.Listen()
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the admin address %s is in use: choose another with --admin or ADMIN, or --admin=off (%w)", c.Listen.Admin, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the admin address %s does not work: give another with --admin or ADMIN, such as 127.0.0.1:6060, or --admin=off (%w)", c.Listen.Admin, err)
	}
	fmt.Fprintf(out, "admin: http://%s/\n", addr)
	go func() { ended <- admin.Serve(ctx) }()
	return ended, nil
}

func live(st engine.Stats) error {
	if st.LoopLag > stuckAfter {
		return fmt.Errorf("%w: %v behind", errStuck, st.LoopLag)
	}
	return nil
}

func ready(stopping context.Context, server *socketio.Server) error {
	if stopping.Err() != nil {
		return errDraining
	}
	return live(server.Stats().Engine)
}
