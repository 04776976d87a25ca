package cluster

import "context"

// holding is a socket that was taken from the store for a client that is being recovered
// here. Its client may be at another server meanwhile, having lost this connection: whoever
// wants it interrupts that, so that it is stored again.
type holding struct {
	cancel context.CancelFunc // immutable
	done   chan struct{}      // closed when it is a socket of this server, or stored again, or of no use
}

func newHolding(ctx context.Context) (context.Context, *holding) {
	h := &holding{done: make(chan struct{})}
	ctx, h.cancel = context.WithCancel(ctx)
	return ctx, h
}

// hold tells that a socket has been taken.
func (s *surrenders) hold(pid string, h *holding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = make(map[string]*holding)
	}
	s.held[pid] = h
}

// release is the end of h, whether its socket was taken or not.
func (s *surrenders) release(pid string, h *holding) {
	h.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[pid] == h {
		delete(s.held, pid)
	}
	close(h.done)
}

// interrupt has a client not recovered here any more, and returns when that is over.
func (s *surrenders) interrupt(ctx context.Context, pid string) {
	s.mu.Lock()
	h := s.held[pid]
	s.mu.Unlock()
	if h == nil {
		return
	}
	h.cancel()
	select {
	case <-h.done:
	case <-ctx.Done():
	}
}
