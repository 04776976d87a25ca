package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/pprof"
)

// startAdmin serves profiles, metrics and health checks until ctx is done. What it
// returns carries the end's error, and is closed at once where it is switched off.
func startAdmin(ctx context.Context, p *parts, out io.Writer) (<-chan error, error) {
	ended := make(chan error, 1)
	if p.config.Listen.Admin == "off" {
		close(ended)
		return ended, nil
	}
	admin, err := pprof.New(pprof.Options{
		Addr:    p.config.Listen.Admin,
		Metrics: metricsOf(p),
		Live:    func() error { return live(p.server.Stats().Engine) },
		Ready:   p.ready.check,
		Pages:   p.sockets.Pages(),

		CommandLine: config.RedactArgs(os.Args, p.options),
		Logger:      p.log,
	})
	if err != nil {
		return nil, err
	}
	addr, err := admin.Listen()
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the admin address %s is in use: choose another with --admin or ADMIN, or --admin=off (%w)", p.config.Listen.Admin, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the admin address %s does not work: give another with --admin or ADMIN, such as 127.0.0.1:6060, or --admin=off (%w)", p.config.Listen.Admin, err)
	}
	fmt.Fprintf(out, "admin: http://%s/\n", addr)
	go func() { ended <- admin.Serve(ctx) }()
	return ended, nil
}
