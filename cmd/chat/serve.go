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

	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// serve is the command that serves.
type serve struct {
	config.Config
}

// Run serves until a signal says that it is enough. A second one ends the program at once.
func (c *serve) Run(line *kong.Context) error {
	p, err := newParts(&c.Config)
	if err != nil {
		return err
	}
	slog.SetDefault(p.log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, &c.Config, p, config.List(line), os.Stdout)
}

// run serves until ctx is done. It prints the URLs to out once it listens.
func run(ctx context.Context, c *config.Config, p *parts, options []config.Option, out io.Writer) error {
	server := newServer(c, p)
	said, err := history.Open(ctx, history.Options{Logger: p.log})
	if err != nil {
		return err
	}
	defer func() { _ = said.Close(context.WithoutCancel(ctx)) }()
	chat := converse(c, server, said)
	r := reloader{read: commandLine, options: options, changes: p.changes(server), log: p.log}
	r.watch(ctx)
	if err := server.Listen(c.Listen.Address()); err != nil {
		return c.Listen.Advise(err)
	}
	url := c.Listen.URL(server.Addr())
	fmt.Fprintf(out, "chat:  %s\ntry:   curl '%ssocket.io/?EIO=4&transport=polling'\n", url, url)
	// Who watches the program sees it stop: the admin address goes last.
	watched, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	admin, err := startAdmin(watched, ctx, c, server, append(metricsOf(server), metricsOfChat(chat)...), out, p.log)
	if err != nil {
		stop()
		return errors.Join(err, server.Serve(watched))
	}
	err = server.Serve(ctx)
	stop()
	if err == nil {
		p.log.Info("stopped")
	}
	return errors.Join(err, <-admin)
}
