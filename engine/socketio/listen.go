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
	if v.closed.Load() {
		return ErrServerClosed
	}
	workers, err := newPool(v.options.Workers)
	if err != nil {
		return fmt.Errorf("socketio: making the workers: %w", err)
	}
	if !v.workers.CompareAndSwap(nil, workers) {
		_ = workers.close(context.Background()) // idle: nothing to wait for
		return errAlreadyListening
	}
	if err := v.engine.Listen(addr); err != nil {
		v.workers.Store(nil)
		_ = workers.close(context.Background())
		return err
	}
	return nil
}

// errAlreadyListening is the engine's word for a second Listen, in ours.
var errAlreadyListening = errors.New("socketio: Listen was called before")

// Addr is where the server listens; nil before Listen.
func (v *Server) Addr() net.Addr { return v.engine.Addr() }

// Serve blocks until ctx is done and the shutdown that follows has finished, or
// until Shutdown was called elsewhere and has. It returns nil after a graceful
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
	}
	return v.graceful()
}

// graceful shuts down within Options.ShutdownTimeout, or waits for the shutdown
// that is going on.
func (v *Server) graceful() error {
	ctx, cancel := context.WithTimeout(context.Background(), v.options.ShutdownTimeout)
	defer cancel()
	return v.Shutdown(ctx)
}

// Shutdown ends the server: no new connections, every connection closed with
// "server shutting down" after what was sent before, handlers and disconnect
// functions finished. Where ctx is done first, it cuts off what is left and
// returns ctx's error. A second call waits for the first. Node: io.close.
func (v *Server) Shutdown(ctx context.Context) error {
	v.stopping.Do(func() {
		v.closed.Store(true)
		v.stopErr = v.stop(ctx)
	})
	return v.stopErr
}

func (v *Server) stop(ctx context.Context) error {
	defer v.release()
	workers := v.workers.Load()
	if workers == nil {
		return nil
	}
	errs := []error{v.engine.Shutdown(ctx)}
	if err := workers.wait(ctx); err != nil {
		errs = append(errs, fmt.Errorf("socketio: shutdown left handlers running: %w", err))
		v.release()
	}
	for _, n := range *v.namespaces.Load() {
		errs = append(errs, n.adapter.Close())
	}
	if err := workers.close(ctx); err != nil && ctx.Err() == nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
