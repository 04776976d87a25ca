package socketio

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// ListenAndServe serves on the TCP address (":3000") until ctx is done, then shuts
// down within Options.ShutdownTimeout. It returns nil after a graceful stop.
func (v *Server) ListenAndServe(ctx context.Context, addr string) error {
	if err := v.Listen(addr); err != nil {
		return err
	}
	return v.Serve(ctx)
}

// Listen binds the TCP address; port 0 takes a free one. From then on clients are
// served. Its errors (address in use, too few descriptors) say what to do. Serve
// or Shutdown must follow.
func (v *Server) Listen(addr string) error {
	return v.start(func() error { return v.engine.Listen(addr) })
}

// start makes the workers and has the engine listen, or do without.
func (v *Server) start(listen func() error) error {
	v.starting.Lock()
	defer v.starting.Unlock()
	if v.closed.Load() {
		return ErrServerClosed
	}
	if v.workers.Load() != nil {
		return errAlreadyListening
	}
	workers, err := newPool(v.options.Workers)
	if err != nil {
		return fmt.Errorf("socketio: making the workers: %w", err)
	}
	v.workers.Store(workers)
	if err := listen(); err != nil {
		v.workers.Store(nil)
		_ = workers.close(context.Background()) // idle: nothing to wait for
		return err
	}
	if v.closed.Load() { // Shutdown was called meanwhile, and goes on once we are out of its way
		return ErrServerClosed
	}
	return nil
}

// errAlreadyListening is the engine's word for a second Listen, in ours.
var errAlreadyListening = errors.New("socketio: Listen or Start was called before")

// Addr is where the server listens; nil before Listen.
func (v *Server) Addr() net.Addr { return v.engine.Addr() }

// Serve blocks until ctx is done and the shutdown that follows has finished, or
// until Shutdown was called elsewhere and has: that one takes its own time, until
// ctx is done and Options.ShutdownTimeout over. Serve returns nil after a graceful
// stop, and an error if the event loops failed or the shutdown was cut short.
func (v *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- v.engine.Serve() }()
	select {
	case <-ctx.Done():
	case err := <-served:
		if !v.closed.Load() {
			return errors.Join(err, v.graceful())
		}
		select {
		case <-ctx.Done():
		case <-v.stopped:
		}
	}
	return v.graceful()
}

// graceful shuts down within Options.ShutdownTimeout, or waits that long for the
// shutdown that is going on.
func (v *Server) graceful() error {
	ctx, cancel := context.WithTimeout(context.Background(), v.options.ShutdownTimeout)
	defer cancel()
	return v.Shutdown(ctx)
}
