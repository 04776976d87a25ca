package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/systemd"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// quickly is how long the closing of all clients takes at most where somebody waits at
// a terminal.
const quickly = time.Second

// life takes a server from its first client to its last.
type life struct {
	server  *socketio.Server
	ready   *readiness
	orders  *orders
	options *config.Drain
	leave   func()                      // shortly before the last clients are closed
	flush   func(context.Context) error // when nobody speaks any more
	manager *systemd.Notifier
	log     *slog.Logger
	end     time.Time // when all of a stop is to be over
}

// serve serves until the orders are to stop, and stops: not ready any more, a while for
// that to be noticed, the clients closed one after the other. It returns nil when each
// of them was told, what each had been sent before has left, and everything is stored.
func (l *life) serve() error {
	served := make(chan error, 1)
	go func() { served <- l.server.Serve(context.Background()) }()
	over, stopped := context.WithCancel(context.Background())
	defer stopped()
	go l.manager.Watch(over, func() error { return live(l.server.Stats().Engine) })
	l.manager.Ready(fmt.Sprintf("Serving on %s", l.server.Addr()))
	select {
	case err := <-served:
		l.end = time.Now().Add(l.options.ShutdownTimeout)
		return errors.Join(err, l.close())
	case <-l.orders.stop.Done():
	}
	return l.stop()
}

// close stores what is left.
func (l *life) close() error {
	ctx, cancel := l.rest()
	defer cancel()
	return l.flush(ctx)
}

func (l *life) stop() error {
	delay := l.options.Delay(l.ready.isChecked())
	if l.orders.quick() {
		delay = 0
	}
	l.ready.stopping.Store(true)
	l.log.Info("stopping", "signal", context.Cause(l.orders.stop).(signalled).Signal, "clients", l.clients(), "delay", delay)
	l.manager.Stopping(delay + l.options.DrainOver + l.options.ShutdownTimeout + stopMargin)
	select {
	case <-time.After(delay):
	case <-l.orders.now.Done():
	}
	over := l.over()
	if over <= lastClients {
		l.leave()
	} else {
		defer time.AfterFunc(over-lastClients, l.leave).Stop()
	}
	l.end = time.Now().Add(over + l.options.ShutdownTimeout)
	err := errors.Join(l.drain(over), l.close())
	if cut := l.orders.cut(); cut != nil {
		return cut
	}
	return err
}

// over is how long the closing of the clients is to take.
func (l *life) over() time.Duration {
	over := l.options.Over(l.clients())
	if l.orders.quick() {
		over = min(over, quickly)
	}
	return over
}

// rest is a context for a step of the stop: what is left of its time, but not less
// than lastWords, and not more once a second signal came.
func (l *life) rest() (context.Context, context.CancelFunc) {
	return l.orders.within(time.Until(l.end))
}

// lastClients is how long before the end of the draining the other servers hear that nobody is here any more.
const lastClients = time.Second

// stopMargin is what the manager is told to wait beyond the time that the stop may take.
const stopMargin = 5 * time.Second

// drain closes the clients, at a pace until the second signal and all at once then.
func (l *life) drain(over time.Duration) error {
	l.log.Info("draining", "clients", l.clients(), "over", over)
	said, silence := context.WithCancel(context.Background())
	defer silence()
	go l.report(said)
	ctx, cancel := l.rest()
	defer cancel()
	cut := context.AfterFunc(l.orders.now, func() { _ = l.server.Shutdown(ctx) }) // Drain returns its error, too
	defer cut()
	return l.server.Drain(ctx, socketio.DrainOptions{Over: over})
}

// report tells the manager who is left, until ctx is done.
func (l *life) report(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		l.manager.Status(fmt.Sprintf("Draining: %d clients left", l.clients()))
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// clients is how many are connected.
func (l *life) clients() int { return sessionsOf(l.server) }

// sessionsOf is how many sessions are open.
func sessionsOf(server *socketio.Server) int {
	st := server.Stats().Engine
	return int(st.Polling + st.WebSocket + st.WebTransport)
}
