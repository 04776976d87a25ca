package socketio

import (
	"context"
	"errors"
	"time"
)

// defaultDrain is how long a Drain takes that was not told.
const defaultDrain = 30 * time.Second

// DrainOptions configure [Server.Drain]. The zero value of each field means its default.
type DrainOptions struct {
	// Over is how long it takes to close all connections; default 30 s. With 100,000
	// connections and 100 s, 1,000 clients connect elsewhere per second.
	Over time.Duration
}

// Drain ends the server without a storm: new clients are turned away at once, with
// status 503 and a Retry-After, and those that are connected are closed in random
// order, evenly over DrainOptions.Over, each after what was sent to it before; then
// Shutdown follows. Stock clients come back by themselves, to another server where a
// load balancer knows of one. Meanwhile the server works on for those who are left,
// Options.Handler included. Stats().Engine has Emptying, who is left, and how many
// were turned away.
//
// Where ctx is done first, the rest is closed as Shutdown does it with such a context, and ctx's
// error returned. A Shutdown that is called meanwhile ends the waiting; a second Drain
// waits for the first. As with Shutdown, a handler must not wait for it. Node has no
// such method.
func (v *Server) Drain(ctx context.Context, o DrainOptions) error {
	if v.workers.Load() != nil && !v.closed.Load() {
		v.draining.Store(true)
		err := v.engine.Empty(ctx, orElse(o.Over, defaultDrain))
		if err != nil && ctx.Err() == nil {
			return errors.Join(err, v.Shutdown(ctx))
		}
	}
	return v.Shutdown(ctx)
}

// isLeaving reports that clients who are gone will not come back to this server.
func (v *Server) isLeaving() bool { return v.draining.Load() || v.closed.Load() }
