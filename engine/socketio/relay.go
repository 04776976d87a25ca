package socketio

import (
	"errors"
	"runtime/debug"
	"sync"
)

// relay takes events to those who listen for them: one at a time, in order, on the
// worker pool, where they may block. It is what a mailbox is for a socket.
type relay[E any] struct {
	server *Server     // immutable
	run    func(E)     // immutable
	lost   func(int) E // immutable: the event that stands for some that were lost; nil for none

	mu        sync.Mutex
	queue     fifo[E] // guarded by mu
	missed    int     // events lost since one was queued; guarded by mu
	scheduled bool    // guarded by mu
}

var _ job = (*relay[int])(nil)

// push queues e, in order with other calls; false where Options.MaxNotices wait
// already: it is lost then, and counted. It takes no lock but its own, so that it may be
// called with the locks of sockets held; the caller calls flush once it has none.
func (r *relay[E]) push(e E) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queue.len() >= r.server.options.MaxNotices {
		r.missed++
		r.server.stats.noticesLost.Add(1)
		return false
	}
	if r.missed > 0 && r.lost != nil {
		r.queue.push(r.lost(r.missed))
	}
	r.missed = 0
	r.queue.push(e)
	return true
}

// flush has a worker run what was queued. Before Listen there are none, but other
// servers may have something to say already.
func (r *relay[E]) flush() {
	r.mu.Lock()
	schedule := !r.scheduled && r.queue.len() > 0
	r.scheduled = r.scheduled || schedule
	r.mu.Unlock()
	if !schedule {
		return
	}
	if p := r.server.workers.Load(); p != nil {
		p.schedule(r)
		return
	}
	go func() {
		for r.work(fairShare) {
		}
	}()
}

// work implements job.
func (r *relay[E]) work(n int) (more bool) {
	for range n {
		e, ok := r.take()
		if !ok {
			return false
		}
		r.protect(e)
	}
	return true
}

func (r *relay[E]) take() (e E, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok = r.queue.pop(); ok {
		return e, true
	}
	if r.missed > 0 && r.lost != nil { // nothing came behind them
		e = r.lost(r.missed)
		r.missed = 0
		return e, true
	}
	r.scheduled = false
	return e, false
}

// abandon implements job.
func (r *relay[E]) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = fifo[E]{}
	r.scheduled = false
}

// protect runs e; a panic costs this event only.
func (r *relay[E]) protect(e E) {
	defer func() {
		if p := recover(); p != nil {
			r.server.stats.panics.Add(1)
			r.server.fault(&PanicError{p, debug.Stack()})
		}
	}()
	r.run(e)
}

// fault reports an error that is no socket's: it is logged.
func (v *Server) fault(err error) {
	v.stats.errors.Add(1)
	attrs := []any{"error", err}
	if p, ok := errors.AsType[*PanicError](err); ok {
		attrs = append(attrs, "stack", string(p.Stack))
	}
	v.options.Logger.Error("socketio: handler failed", attrs...)
}
