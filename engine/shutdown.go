package engine

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// farewellGrace is how long Shutdown waits for polling clients that are between
	// two polls: long enough for a round trip, short for those who are gone for good.
	farewellGrace = 2 * time.Second
	// stopGrace is how long the loops get to stop, whatever time Shutdown was given.
	stopGrace = 5 * time.Second
)

// Serve blocks until Shutdown has finished (nil), an event loop would not stop
// (ErrLoopStuck), or the loops stopped by themselves: an error then, and nobody is
// served any more.
func (s *Server) Serve() error {
	if !s.isListening() {
		return ErrNotListening
	}
	select {
	case <-s.done:
	case <-s.stopped:
		if s.stopErr != nil {
			return s.stopErr
		}
		<-s.done // it has ended: Shutdown waited for it
	}
	return s.runErr
}

// isListening waits for a Listen in progress.
func (s *Server) isListening() bool {
	s.listenMu.Lock()
	defer s.listenMu.Unlock()
	return s.listening
}

// Shutdown ends the server gracefully: no new connections, every session closed
// with ReasonServerShutdown after what was sent before, close frames exchanged,
// requests to Options.Handler finished. What is not done when ctx is, is cut off,
// and ctx's error returned. A second call waits for the first. Node: io.close().
func (s *Server) Shutdown(ctx context.Context) error { return s.shutdown(ctx, farewellGrace) }

// shutdown waits that long for clients that are still to be told.
func (s *Server) shutdown(ctx context.Context, grace time.Duration) error {
	if !s.isListening() {
		return ErrNotListening
	}
	if s.draining.Swap(true) {
		return s.ended(ctx)
	}
	s.onLoops((*loop).closeSessions)
	s.waitTold(ctx, grace)
	s.told.Store(true)
	s.leave()
	s.onLoops((*loop).closeIdle)
	err := s.waitIdle(ctx)
	if s.handed != nil {
		err = errors.Join(err, s.handed.shutdown(ctx), s.waitIdle(ctx)) // a last one may have been given back
	}
	return errors.Join(err, s.stopGnet(ctx))
}

// ended waits for a shutdown that is going on.
func (s *Server) ended(ctx context.Context) error {
	select {
	case <-s.stopped:
		return s.stopErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// onLoops has every loop run fn.
func (s *Server) onLoops(fn func(*loop)) {
	for _, l := range s.allLoops() {
		l.post(task{kind: taskRun, fn: func() { fn(l) }})
	}
}

// closeSessions says goodbye to the sessions of the loop, a turn's worth at a time.
func (l *loop) closeSessions() {
	for ; l.farewells < len(l.sessions); l.farewells++ {
		if l.overspent() {
			l.post(task{kind: taskRun, fn: l.closeSessions})
			return
		}
		if s := l.sessions[l.farewells]; s != nil {
			l.spent += heldPerWrite
			s.close(ReasonServerShutdown, byServer)
		}
	}
}

// closeIdle closes every idle connection of the loop. Not before the sessions were
// told: a poll or a post may be on its way on any of them.
func (l *loop) closeIdle() {
	for _, c := range slices.Clone(l.conns) {
		switch h := c.http; {
		case h == nil:
		case h.isParked(): // the application need not say any more
			c.busy()
		case h.flags&httpBusy == 0: // a body that does not arrive included
			c.finish()
		}
	}
}

// waitTold returns when every client was told of the end, or nearly so.
func (s *Server) waitTold(ctx context.Context, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	_ = s.waitUntil(ctx, func() bool { return !s.owesFarewell() })
}

// owesFarewell reports that somebody is still to be told that the server stops.
func (s *Server) owesFarewell() bool {
	return s.gauges.sessions() > 0 || s.gauges.lingering.Load() > 0
}

// waitIdle returns when no connection is left and no hook runs, or ctx's error.
func (s *Server) waitIdle(ctx context.Context) error {
	return s.waitUntil(ctx, func() bool {
		return s.gauges.connections.Load() == 0 && s.gauges.moving.Load() == 0 && s.judges.idle()
	})
}

// waitUntil looks again and again. It gives up with ctx, or when there are no loops
// any more that could make it true.
func (s *Server) waitUntil(ctx context.Context, true func() bool) error {
	t := time.NewTicker(tickLength)
	defer t.Stop()
	for !true() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return nil
		case <-t.C:
		}
	}
	return nil
}

// stopGnet stops the loops. gnet's Stop looks twice a second whether they have
// ended; we are told when they have, and do not wait for one that is stuck for ever.
func (s *Server) stopGnet(ctx context.Context) error {
	defer close(s.stopped)
	s.stopBackground()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	go s.halt(ctx)
	select {
	case <-s.done:
	case <-ctx.Done():
		s.stopErr = ErrLoopStuck
	}
	return s.stopErr
}

// stopBackground ends the ticker, and takes no more tasks.
func (s *Server) stopBackground() {
	for _, l := range s.allLoops() {
		l.closeInbox()
	}
	close(s.quit)
	s.background.Wait()
}

// closeInbox refuses further tasks and gives back what the waiting ones own.
func (l *loop) closeInbox() {
	for _, t := range l.box.Close() {
		t.drop()
	}
}
