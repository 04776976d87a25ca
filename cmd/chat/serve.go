package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// serve is the command that serves.
type serve struct {
	config.Config
}

// Run serves until a signal says that it is enough. A second one ends the program at once.
func (c *serve) Run() error {
	log := c.Logging.Logger(os.Stderr, c.Logging.LogLevel)
	slog.SetDefault(log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, &c.Config, os.Stdout, log)
}

// run serves until ctx is done. It prints the URLs to out once it listens.
func run(ctx context.Context, c *config.Config, out io.Writer, log *slog.Logger) error {
	certificates, err := serverTLS(ctx, c, log)
	if err != nil {
		return err
	}
	server := newServer(c, certificates, log)
	ui, err := newAdminUI(c, server, log)
	if err != nil {
		return err
	}
	if err := server.Listen(c.Listen.Address()); err != nil {
		return c.Listen.Advise(err)
	}
	fmt.Fprintf(out, "chat:  %s\n", c.Listen.URL(server.Addr()))
	if c.AdminUI.AdminUIFiles != "" {
		fmt.Fprintf(out, "admin UI: %s\n", c.Listen.URL(server.Addr())+adminPath[1:])
	}
	// Who watches the program sees it stop: the admin address goes last.
	watched, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	admin, err := startAdmin(watched, ctx, c, server, adminUIMetrics(ui), out, log)
	if err != nil {
		stop()
		return errors.Join(err, server.Serve(watched))
	}
	err = server.Serve(ctx)
	stop()
	if err == nil {
		log.Info("stopped")
	}
	return errors.Join(err, <-admin)
}
