package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/systemd"
)

// serve is the command that serves.
type serve struct {
	config.Config
}

// Run serves until a signal says that it is enough.
func (c *serve) Run() error {
	log := c.Logging.Logger(os.Stderr, c.Logging.LogLevel)
	slog.SetDefault(log)
	return run(takeOrders(), &c.Config, os.Stdout, log)
}

// run serves until it is told to stop. It prints the URLs to out once it listens.
func run(o *orders, c *config.Config, out io.Writer, log *slog.Logger) error {
	manager, err := systemd.FromEnvironment()
	if err != nil {
		return err
	}
	defer func() { _ = manager.Close() }()
	certificates, err := serverTLS(o.stop, c, log)
	if err != nil {
		return err
	}
	ready := newReadiness()
	server := newServer(c, certificates, ready, log)
	ready.server = server
	if err := server.Listen(c.Listen.Address()); err != nil {
		return c.Listen.Advise(err)
	}
	fmt.Fprintf(out, "chat:  %s\n", c.Listen.URL(server.Addr()))
	// Who watches the program sees it stop: the admin address goes last.
	watched, unwatch := context.WithCancel(context.Background())
	defer unwatch()
	admin, err := startAdmin(watched, c, server, ready, out, log)
	if err != nil {
		unwatch()
		return errors.Join(err, server.Serve(watched))
	}
	l := life{server: server, ready: ready, orders: o, options: &c.Drain, manager: manager, log: log}
	err = l.serve()
	unwatch()
	if err == nil {
		log.Info("stopped")
	}
	return errors.Join(err, <-admin)
}
