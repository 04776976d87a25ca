// Command chat is the chat edge server: a web page and Socket.IO on one port. What
// a client sends as "chatMessage", everybody receives as "reply"; a client that
// gives a callback hears when that is done.
//
//	go run ./cmd/chat            # http://localhost:3000
//	PORT=8080 go run ./cmd/chat  # another port
//	go run ./cmd/chat --help     # everything else
//
// An interrupt (Ctrl-C) or SIGTERM ends it gracefully: clients see a clean close
// and reconnect by themselves. Exit codes: 0 after a graceful stop, 1 for what
// went wrong, 80 for a wrong command line.
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
)

func main() {
	o := parse(os.Args[1:])
	log := newLogger(o, os.Stderr)
	slog.SetDefault(log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := run(ctx, o, os.Stdout, log); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func newLogger(o *options, w io.Writer) *slog.Logger {
	h := &slog.HandlerOptions{Level: o.LogLevel}
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, h))
	}
	return slog.New(slog.NewTextHandler(w, h))
}

// run serves until ctx is done. It prints the URLs to out once it listens.
func run(ctx context.Context, o *options, out io.Writer, log *slog.Logger) error {
	config, err := serverTLS(ctx, o, log)
	if err != nil {
		return err
	}
	server := newServer(o, config, log)
	if err := server.Listen(o.address()); err != nil {
		return advise(err, o)
	}
	fmt.Fprintf(out, "chat:  %s\n", o.url(server.Addr()))
	// Who watches the program sees it stop: the admin address goes last.
	watched, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	admin, err := startAdmin(watched, ctx, o, server, out, log)
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
