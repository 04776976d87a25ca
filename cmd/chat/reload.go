package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/systemd"
)

// change is what a part of the program does about a newer configuration: it returns what
// makes it so, or why that cannot be. Nothing is to have changed before apply is called.
type change func(c *config.Config) (apply func(), err error)

// reloader takes a newer configuration on: all of it, or none.
type reloader struct {
	read    func() (*config.Config, []config.Option, error)
	options []config.Option // in effect
	changes []change
	manager *systemd.Notifier
	log     *slog.Logger
}

// commandLine reads the options again: as the program was called, with the file as it is now.
func commandLine() (*config.Config, []config.Option, error) {
	c := new(commands)
	ctx, err := parser(c).Parse(os.Args[1:])
	if err != nil {
		return nil, nil, err
	}
	return &c.Serve.Config, config.List(ctx), nil
}

// watch reloads at each SIGHUP until ctx is done, and takes no notice of them from then
// on: left alone, that signal ends a program, and here one that is about to end properly.
func (r *reloader) watch(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-ctx.Done():
				signal.Ignore(syscall.SIGHUP)
				return
			case <-hup:
				r.reload()
			}
		}
	}()
}

func (r *reloader) reload() {
	r.manager.Reloading()
	status := "Serving, with the configuration read again"
	defer func() { r.manager.Ready(status) }()
	c, options, err := r.read()
	if err == nil {
		err = r.apply(c)
	}
	if err != nil {
		r.log.Error("the old configuration stays in use", "error", err)
		status = "Serving, with the old configuration: the new one is invalid"
		return
	}
	changed, restart := config.Changes(r.options, options)
	if len(restart) > 0 {
		r.log.Warn("some options take effect with the next start only", "options", restart)
	}
	r.options = config.Reloaded(r.options, options)
	r.log.Info("the configuration was read again", "changed", changed)
}

// apply asks all parts before it changes any.
func (r *reloader) apply(c *config.Config) error {
	var ready []func()
	for _, change := range r.changes {
		apply, err := change(c)
		if err != nil {
			return err
		}
		ready = append(ready, apply)
	}
	for _, apply := range ready {
		apply()
	}
	return nil
}
