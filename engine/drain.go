package engine

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Empty makes the server one that nobody uses any more: requests for new sessions are
// answered 503 with a Retry-After, and those that are open are closed with
// ReasonServerShutdown after what was sent before, in random order, evenly over that
// time. Where the process stands still meanwhile, the rest goes a fifth faster until that
// is made up for, and it may take longer: nobody is closed earlier. Empty returns when the last one was told to close, or ctx's error,
// or nil when Shutdown is called meanwhile. Shutdown must follow. A second call waits
// for that. Polls, posts and upgrades of sessions that are open go on as before, and
// so does Options.Handler.
func (s *Server) Empty(ctx context.Context, over time.Duration) error {
	if !s.isListening() {
		return ErrNotListening
	}
	if s.emptying.Swap(true) {
		return s.ended(ctx)
	}
	sessions, err := s.openSessions(ctx)
	if err != nil {
		return err
	}
	rand.Shuffle(len(sessions), func(i, k int) { sessions[i], sessions[k] = sessions[k], sessions[i] })
	p := pace{total: len(sessions), over: over, last: time.Now()}
	t := time.NewTicker(tickLength)
	defer t.Stop()
	for p.done < p.total && !s.draining.Load() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return nil
		}
		from := p.done
		for _, e := range sessions[from:p.advance(time.Now())] {
			e.Run(func() { e.close(ReasonServerShutdown, byServer) })
		}
	}
	return nil
}

// turnsAway reports a request for a new session that comes too late.
func (s *Server) turnsAway(in *intent) bool { return s.emptying.Load() && !in.hasSID }

// leaves reports that Empty or Shutdown was called: sessions that are gone may have been
// closed by it.
func (s *Server) leaves() bool { return s.emptying.Load() || s.draining.Load() }

// openSessions returns those of all loops.
func (s *Server) openSessions(ctx context.Context) (all []*Session, err error) {
	var mu sync.Mutex
	done := make(chan struct{})
	s.ask(func(l *loop) (more bool) {
		open := slices.DeleteFunc(slices.Clone(l.sessions), func(e *Session) bool { return e == nil })
		mu.Lock()
		defer mu.Unlock()
		all = append(all, open...)
		return false
	}, func() { close(done) })
	select {
	case <-done:
		return all, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.done:
		return nil, nil
	}
}

// pace spreads a number of things evenly over a time.
type pace struct {
	total   int
	over    time.Duration
	elapsed time.Duration // since the beginning
	spent   time.Duration // what of that counts; less only after a standstill
	last    time.Time
	done    int
}

const (
	// maxStep is how much time counts at most between two looks: what was due during a
	// longer standstill is not made up for at once.
	maxStep = 10 * tickLength
	// catchUp is how much faster it goes until that is made up for.
	catchUp = 1.2
)

// advance returns how many are to be done by now.
func (p *pace) advance(now time.Time) int {
	step := now.Sub(p.last)
	p.last = now
	p.elapsed += step
	p.spent = min(p.elapsed, p.spent+time.Duration(catchUp*float64(min(step, maxStep))))
	if p.done = p.total; p.spent < p.over {
		p.done = int(float64(p.total) * (float64(p.spent) / float64(p.over)))
	}
	return p.done
}
