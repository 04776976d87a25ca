package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/systemd"
)

// serve is the command that serves.
type serve struct {
	config.Config
}

// Run serves until a signal says that it is enough.
func (c *serve) Run(line *kong.Context) error {
	p, err := newParts(&c.Config)
	if err != nil {
		return invalidOptions(err)
	}
	slog.SetDefault(p.log)
	p.options = config.List(line)
	p.warnOfVariables(line)
	if err := p.run(takeOrders(), os.Stdout); err != nil {
		return err
	}
	p.log.Info("stopped")
	return nil
}

// warnOfVariables tells of options that nobody reads. They are no error: others may share the prefix.
func (p *parts) warnOfVariables(line *kong.Context) {
	if names := config.UnknownVariables(line); len(names) > 0 {
		p.log.Warn("variables that are no options", "names", names)
	}
}

// run serves until it is told to stop. It prints the URLs to out once it listens.
func (p *parts) run(o *orders, out io.Writer) (err error) {
	manager, err := systemd.FromEnvironment()
	if err != nil {
		return err
	}
	defer func() { _ = manager.Close() }()
	defer p.guard.Close()
	if err := p.joinFleet(o.stop); err != nil {
		return err
	}
	defer p.leaveFleet()
	if p.history, err = openHistory(o.stop, p.config, p.log); err != nil {
		return err
	}
	defer p.closeHistory(o)
	if err := p.build(); err != nil {
		return err
	}
	defer p.sockets.Close()
	r := reloader{read: commandLine, options: p.options, changes: p.changes(), manager: manager, log: p.log}
	r.watch(o.stop)
	p.awaitFleet(o.stop)
	if err := p.listen(out); err != nil {
		return err
	}
	return p.live(o, manager, out)
}

// build makes the server, and puts around it what the options ask for.
func (p *parts) build() (err error) {
	p.server = newServer(p)
	p.ready.server, p.ready.fleet = p.server, p.fleet
	if p.forward != nil {
		if err := p.forward.Attach(p.server); err != nil {
			return err
		}
	}
	p.guard.Protect(p.server, ownAuth...)
	if p.sockets, err = logSockets(p.config, p.server, p.debug); err != nil {
		return err
	}
	if p.adminUI, err = newAdminUI(p.config, p.server, p.log); err != nil {
		p.sockets.Close()
		return err
	}
	p.api.make(p)
	return nil
}

// listen binds the port and says where.
func (p *parts) listen(out io.Writer) error {
	if err := p.server.Listen(p.config.Listen.Address()); err != nil {
		return p.config.Listen.Advise(err)
	}
	url := p.config.Listen.URL(p.server.Addr())
	fmt.Fprintf(out, "chat:  %s\ntry:   curl '%ssocket.io/?EIO=4&transport=polling'\n", url, url)
	if p.config.AdminUI.AdminUIFiles != "" {
		fmt.Fprintf(out, "admin UI: %s%s\n", url, adminPath[1:])
	}
	return nil
}

// live is the server's life, with the API beside it and the admin address around it:
// who watches the program sees it stop.
func (p *parts) live(o *orders, manager *systemd.Notifier, out io.Writer) error {
	watched, unwatch := context.WithCancel(context.Background())
	defer unwatch()
	admin, err := startAdmin(watched, p, out)
	if err != nil {
		unwatch()
		return errors.Join(err, p.server.Serve(watched))
	}
	published, unpublish, err := p.api.start(watched, p, out)
	if err != nil {
		unwatch()
		return errors.Join(err, p.server.Serve(watched), <-admin)
	}
	l := life{server: p.server, ready: p.ready, orders: o, options: &p.config.Drain, leave: p.chat.Leave, flush: p.flush(unpublish, published), manager: manager, log: p.log}
	err = l.serve()
	unwatch()
	return errors.Join(err, <-published, <-admin)
}

// flush ends the API, which writes into the history, and then that.
func (p *parts) flush(unpublish context.CancelFunc, published <-chan error) func(context.Context) error {
	return func(ctx context.Context) error {
		unpublish()
		return errors.Join(<-published, p.history.Close(ctx))
	}
}
