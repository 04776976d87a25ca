package socketio

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// cutGrace is how long Shutdown waits, once its context is done, for what is left
// to be cut off. That takes milliseconds, unless an event loop or an adapter is stuck.
const cutGrace = time.Second

// Shutdown ends the server: no new connections, every connection closed with
// "server shutting down" after what was sent before, handlers and disconnect
// functions finished. Where ctx is done first, it cuts off what is left and
// returns ctx's error. A further call waits for the same end, and cuts it short when
// its own ctx is done. A handler must not wait for it, since it is waited for
// itself: go io.Shutdown(ctx), and not with the handler's own ctx, which is done
// with its socket. Node: io.close.
func (v *Server) Shutdown(ctx context.Context) error {
	v.stopping.Do(func() {
		v.closed.Store(true)
		go v.stop()
	})
	select {
	case <-v.stopped:
		return v.stopErr
	case <-ctx.Done():
	}
	v.release(context.Cause(ctx))
	grace := time.NewTimer(cutGrace)
	defer grace.Stop()
	select {
	case <-v.stopped:
		if errors.Is(v.stopErr, context.Cause(ctx)) {
			return v.stopErr
		}
	case <-grace.C:
	}
	return fmt.Errorf("socketio: shutdown cut short: %w", context.Cause(ctx))
}

// stop is the one shutdown that all calls wait for. What it waits for itself ends
// with v.base, which the first of them to lose patience cancels.
func (v *Server) stop() {
	defer close(v.stopped)
	defer v.release(nil)
	v.starting.Lock() // a Listen that has begun comes to its end first
	workers := v.workers.Load()
	v.starting.Unlock()
	ctx := cutContext{v.base}
	var errs []error
	if workers != nil {
		errs = append(errs, v.engine.Shutdown(ctx))
		if err := workers.wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("socketio: shutdown left handlers running: %w", err))
		}
	}
	v.log.stopKeeping()
	open, closing := v.seal()
	for _, n := range open {
		errs = append(errs, n.adapter.Close())
	}
	for _, closed := range closing {
		select {
		case <-closed:
		case <-ctx.Done():
		}
	}
	v.log.close()
	v.expiries.close()
	if workers != nil {
		if err := workers.close(ctx); err != nil && ctx.Err() == nil {
			errs = append(errs, err)
		}
	}
	v.stopErr = errors.Join(errs...)
}

// cutContext gives as its error the reason of the caller of Shutdown who cut it
// short, where context.WithCancelCause says "canceled".
type cutContext struct{ context.Context }

func (c cutContext) Err() error { return context.Cause(c.Context) }
