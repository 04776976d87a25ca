package socketio

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/panjf2000/ants/v2"
)

// fairShare is how many entries of one socket a worker handles before the socket
// goes to the back of the run queue, when others wait there.
const fairShare = 64

// job is what workers run: a socket's mailbox.
type job interface {
	// work handles up to n entries and reports whether some are left.
	work(n int) (more bool)
	// abandon gives up what is left: the pool is closed. It may be called with the
	// pool's lock held.
	abandon()
}

// pool runs sockets that have something in their mailbox on at most limit
// workers. A socket that finds all of them busy waits in the run queue.
//
// The count of busy workers and the queue are under one lock, so no socket is
// queued after the last worker has looked: that worker either takes it or has
// already given its place away. ants reuses the goroutines (grown stacks are
// what makes new ones dear); its own limit is not used, since a worker that is
// just on its way back would count as busy there.
type pool struct {
	limit   int // immutable
	workers *ants.PoolWithFuncGeneric[job]

	mu     sync.Mutex
	busy   int             // guarded by mu
	queue  fifo[job]       // guarded by mu
	closed bool            // guarded by mu
	idle   []chan struct{} // guarded by mu: closed when busy falls to 0
}

func newPool(limit int) (*pool, error) {
	p := &pool{limit: limit}
	workers, err := ants.NewPoolWithFuncGeneric(math.MaxInt32, p.run,
		ants.WithNonblocking(true), ants.WithExpiryDuration(10*time.Second))
	p.workers = workers
	return p, err
}

// schedule makes a worker run j, now or when one is free. It never blocks. The
// caller must not schedule j again before it has reported that nothing is left.
func (p *pool) schedule(j job) {
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		j.abandon()
		return
	case p.busy == p.limit:
		p.queue.push(j)
		p.mu.Unlock()
		return
	}
	p.busy++
	p.mu.Unlock()
	if p.workers.Invoke(j) != nil { // closed meanwhile
		j.abandon()
		p.mu.Lock()
		p.leave()
		p.mu.Unlock()
	}
}

// run is one worker's turn: j, and then whatever waits.
func (p *pool) run(j job) {
	defer func() {
		if j != nil { // a handler ended its goroutine, as testing's FailNow does
			p.replace(j)
		}
	}()
	for j != nil {
		j = p.next(j, j.work(fairShare))
	}
}

// next returns what the worker goes on with: the longest waiting job, then the
// one it had if there is more of that. nil ends the worker's turn, and its place
// is given away under the same lock that found the queue empty.
func (p *pool) next(j job, more bool) job {
	p.mu.Lock()
	defer p.mu.Unlock()
	if more && p.closed {
		j.abandon()
	} else if more {
		p.queue.push(j)
	}
	if j, ok := p.queue.pop(); ok {
		return j
	}
	p.leave()
	return nil
}

// replace gives the place of a worker that dies to the job it had, or to one
// that waited longer.
func (p *pool) replace(j job) {
	p.mu.Lock()
	p.leave()
	p.mu.Unlock()
	p.schedule(j)
}

// leave gives a worker's place away. Called with mu held.
func (p *pool) leave() {
	p.busy--
	if p.busy > 0 {
		return
	}
	for _, c := range p.idle {
		close(c)
	}
	p.idle = nil
}

// wait returns when no worker is busy and none is needed, or ctx is done.
func (p *pool) wait(ctx context.Context) error {
	p.mu.Lock()
	if p.busy == 0 {
		p.mu.Unlock()
		return nil
	}
	idle := make(chan struct{})
	p.idle = append(p.idle, idle)
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close gives up what is queued and ends the workers; those in a handler end
// when it returns. It waits for them until ctx is done.
func (p *pool) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	for j, ok := p.queue.pop(); ok; j, ok = p.queue.pop() {
		j.abandon()
	}
	p.mu.Unlock()
	return p.workers.ReleaseContext(ctx)
}

// load returns the number of busy workers and of sockets that wait for one.
func (p *pool) load() (busy, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy, p.queue.len()
}
