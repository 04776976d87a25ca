package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// maxStoring is how many sockets wait to be stored or deleted at most; storeWorkers is
// how many are at once, and storePause is how long one of them rests after a failure.
const (
	maxStoring   = 65_536
	storeWorkers = 16
	storePause   = 200 * time.Millisecond
)

var errManySessions = errors.New("cluster: too many sockets wait to be stored")

// store writes sockets to the log's store: those of one PID in order, of which only the
// latest matters, and nobody waits who need not.
type store struct {
	tail *Tail // immutable

	mu      sync.Mutex
	writes  map[string]*write // by PID: what waits, or is being done
	order   []string          // of those that wait
	workers int
	closed  bool
	idle    *sync.Cond // on mu; a worker has ended
	stop    chan struct{}
}

// write is what is to be stored under a PID.
type write struct {
	session *Session // nil: delete what owner has stored
	owner   string
	keep    time.Duration
	until   time.Time     // it is tried again until then
	done    chan struct{} // closed when it, or a later one, has been done
	busy    bool          // it is being done
	next    *write        // what is to be done after that
}

func newStore(t *Tail) *store {
	q := &store{tail: t, writes: make(map[string]*write), stop: make(chan struct{})}
	q.idle = sync.NewCond(&q.mu)
	return q
}

// put has a socket stored, and returns what is closed when that has been done; nil where
// there is no room.
func (q *store) put(s *Session, keep time.Duration) <-chan struct{} {
	w := write{session: s, keep: keep}
	if !s.Live {
		w.until = time.Now().Add(keep)
	}
	return q.enter(s.PID, w)
}

// drop has what an adapter has stored under a PID deleted.
func (q *store) drop(pid, owner string) { q.enter(pid, write{owner: owner}) }

// enter queues a write in place of those that are not being done.
func (q *store) enter(pid string, n write) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.writes[pid]
	switch {
	case q.closed, w == nil && len(q.writes) >= maxStoring:
		q.tail.counts.storeErrors.Add(1)
		return nil
	case w == nil:
		w = &write{done: make(chan struct{})}
		q.writes[pid] = w
		q.order = append(q.order, pid)
		q.hire()
	case w.busy:
		if w.next == nil {
			w.next = &write{done: make(chan struct{})}
		}
		w = w.next
	}
	n.done = w.done
	*w = n
	return w.done
}

// cancel has nothing more done under a PID that was asked for up to a time, as the socket
// was another server's then.
func (q *store) cancel(pid string, upTo int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.writes[pid]
	switch {
	case w == nil:
	case w.busy && w.next != nil && w.next.isOf(upTo):
		close(w.next.done)
		w.next = nil
	case !w.busy && w.isOf(upTo):
		close(w.done)
		delete(q.writes, pid)
		q.order = slices.DeleteFunc(q.order, func(p string) bool { return p == pid })
	}
}

// isOf reports whether a socket was to be stored by then. What is deleted has an owner.
func (w *write) isOf(upTo int64) bool { return w.session != nil && w.session.Stored <= upTo }

// under returns what is closed when nothing is left to be done under a PID now; nil where
// nothing is.
func (q *store) under(pid string) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch w := q.writes[pid]; {
	case w == nil:
		return nil
	case w.next != nil:
		return w.next.done
	default:
		return w.done
	}
}

// hire starts a worker, if more can be done at once. Called with mu held.
func (q *store) hire() {
	if q.workers < storeWorkers {
		q.workers++
		go q.work()
	}
}

// work does what waits, until nothing does.
func (q *store) work() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.order) > 0 {
		pid := q.order[0]
		q.order = q.order[1:]
		w := q.writes[pid]
		w.busy = true
		q.mu.Unlock()
		err := q.do(pid, w)
		q.mu.Lock()
		w.busy = false
		switch {
		case err != nil && w.next == nil && !q.closed && time.Now().Before(w.until):
			q.order = append(q.order, pid)
			q.rest()
			continue
		case err != nil:
			q.tail.counts.storeErrors.Add(1)
		}
		close(w.done)
		if w.next == nil {
			delete(q.writes, pid)
			continue
		}
		q.writes[pid] = w.next
		q.order = append(q.order, pid)
	}
	q.workers--
	q.idle.Broadcast()
}

// rest waits for better times. Called with mu held, which it gives up meanwhile.
func (q *store) rest() {
	q.mu.Unlock()
	defer q.mu.Lock()
	timer := time.NewTimer(storePause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.stop:
	}
}

func (q *store) do(pid string, w *write) error {
	ctx, cancel := context.WithTimeout(context.Background(), q.tail.options.MaxWait)
	defer cancel()
	if w.session != nil {
		return q.tail.log.PutSession(ctx, w.session, w.keep)
	}
	s, err := q.tail.log.TakeSession(ctx, pid)
	if s == nil || err != nil || s.Owner == w.owner {
		return err
	}
	// Another server has been quicker.
	return q.tail.log.PutSession(ctx, s, defaultLifetime)
}

// close takes nothing more, and returns when what waited has been done, or cannot be.
func (q *store) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	close(q.stop)
	giveUp := time.AfterFunc(q.tail.options.MaxWait, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.order = nil
	})
	defer giveUp.Stop()
	for q.workers > 0 {
		q.idle.Wait()
	}
}
