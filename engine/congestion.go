package engine

import (
	"sync"
	"sync/atomic"
)

// An event costs its reader a microsecond, and the broadcast that a handler makes of it
// may cost a thousand times that: a client that sends events fills the loops' queues
// through the handlers of others. So whoever runs handlers waits while a queue is too
// long. The client's own events pile up before that, where they are bounded, and close it.
//
// It is tasks that are counted, and not their bytes: frames are read before they are sent,
// and reading a long one takes longer than to hand it out.

// congestion is how many loops have too much to do. Safe for concurrent use.
type congestion struct {
	loops atomic.Int32 // that are congested
	waits atomic.Uint64

	mu    sync.Mutex
	clear chan struct{} // closed when no loop is any more; nil while none is
}

// weigh notes whether the loop's queue is too long, or short enough again. Called by each
// turn; more says that it has left something.
func (l *loop) weigh(more bool) {
	n, most := 0, l.srv.opts.MaxTasks
	if !more && !l.congested {
		return
	}
	if more {
		n = len(l.pending) - l.next + l.box.Len()
	}
	switch {
	case n > most && !l.congested:
		l.congested = true
		l.srv.congestion.add(1)
	case n <= most/2 && l.congested:
		l.congested = false
		l.srv.congestion.add(-1)
	}
}

func (g *congestion) add(n int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.loops.Add(n) > 0 && g.clear == nil:
		g.clear = make(chan struct{})
	case g.loops.Load() == 0 && g.clear != nil:
		close(g.clear)
		g.clear = nil
	}
}

// AwaitLoops returns when no loop has more than Options.MaxTasks to do, half of that where
// one had, or when the server has stopped. For those who make work for the loops of what
// clients send: it costs an atomic load while there is room. It must not be called on a
// loop. Safe for concurrent use.
func (s *Server) AwaitLoops() {
	if s.congestion.loops.Load() == 0 {
		return
	}
	s.congestion.mu.Lock()
	ready := s.congestion.clear
	s.congestion.mu.Unlock()
	if ready == nil {
		return
	}
	s.congestion.waits.Add(1)
	select {
	case <-ready:
	case <-s.done:
	}
}
