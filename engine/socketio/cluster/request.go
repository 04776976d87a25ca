package cluster

import (
	"context"
	"errors"
	"maps"
	"sync"
)

// requests are those of this server that wait for answers, by their ids. There is at
// most Options.MaxRequests of them.
type requests struct {
	mu     sync.Mutex
	byID   map[string]pending // guarded by mu
	closed bool               // guarded by mu
}

// pending is a request that waits.
type pending interface {
	// receive takes an answer; false where it was nobody's that is waited for.
	receive(m *Message) bool
	// gone is told that a server will not answer any more.
	gone(uid string)
	// fail is told that nobody will.
	fail(err error)
}

// open enters a request under an id of its own. Whoever does it calls remove.
func (t *requests) open(p pending, most int) (id string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return "", ErrClosed
	case len(t.byID) >= most:
		return "", ErrTooManyRequests
	case t.byID == nil:
		t.byID = make(map[string]pending)
	}
	id = NewUID()
	t.byID[id] = p
	return id, nil
}

func (t *requests) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if delete(t.byID, id); len(t.byID) == 0 {
		t.byID = nil
	}
}

func (t *requests) find(id string) pending {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

func (t *requests) all() []pending {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]pending, 0, len(t.byID))
	for _, p := range t.byID {
		list = append(list, p)
	}
	return list
}

func (t *requests) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

// close takes no more requests, and ends those that there are.
func (t *requests) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	for _, p := range t.all() {
		p.fail(ErrClosed)
	}
}

// gathering is a request that each of the other servers answers once.
type gathering struct {
	done chan struct{}          // closed when nothing more is waited for
	take func(m *Message) error // called with mu held

	// All below guarded by mu.
	mu    sync.Mutex
	left  int                 // servers that have not answered
	uids  map[string]struct{} // of these, where they are known; nil where not
	heard map[string]struct{} // UIDs of those that have answered or gone
	over  bool
	err   error // of answers
	why   error // of fail
}

func newGathering(take func(m *Message) error) *gathering {
	return &gathering{done: make(chan struct{}), take: take, heard: make(map[string]struct{})}
}

// expect says who is asked, but for those who have gone meanwhile, and reports whether
// that is anybody.
func (g *gathering) expect(n int, uids []string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = n
	if uids != nil {
		g.uids = setOf(uids)
		maps.DeleteFunc(g.uids, func(uid string, _ struct{}) bool { _, gone := g.heard[uid]; return gone })
		g.left = len(g.uids)
	}
	return g.left > 0 && !g.over
}

func setOf(names []string) map[string]struct{} {
	set := make(map[string]struct{}, len(names))
	for _, s := range names {
		set[s] = struct{}{}
	}
	return set
}

// receive implements pending.
func (g *gathering) receive(m *Message) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over || !g.counts(m.UID) {
		return false
	}
	if err := g.take(m); err != nil {
		g.err = errors.Join(g.err, err)
	}
	g.strike()
	return true
}

// counts reports whether this is the first answer of somebody who was asked. Where no
// UIDs are known, and the answer has none either, any is. Called with mu held.
func (g *gathering) counts(uid string) bool {
	if g.uids != nil {
		_, asked := g.uids[uid]
		delete(g.uids, uid)
		return asked
	}
	if uid == "" {
		return true
	}
	_, twice := g.heard[uid]
	g.heard[uid] = struct{}{}
	return !twice
}

// strike is called for each server that is not waited for any more, with mu held.
func (g *gathering) strike() {
	if g.left--; g.left <= 0 && !g.over {
		g.over = true
		close(g.done)
	}
}

// gone implements pending.
func (g *gathering) gone(uid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, asked := g.uids[uid]; asked && !g.over {
		delete(g.uids, uid)
		g.strike()
	}
	if g.uids == nil {
		g.heard[uid] = struct{}{}
	}
}

// fail implements pending.
func (g *gathering) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.over, g.why = true, err
		close(g.done)
	}
}

// end takes no more answers. why is not nil where somebody was still waited for.
func (g *gathering) end(why error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	complete := g.over && g.why == nil
	g.over = true
	if complete {
		return g.err
	}
	if g.why != nil {
		why = g.why
	}
	return errors.Join(g.err, &IncompleteError{Missing: g.left, Err: why})
}

// gather publishes m and has take called for the answer of each of the other servers, one
// at a time; and not after it has returned. meanwhile is done here.
func (a *Adapter) gather(ctx context.Context, m *Message, take func(m *Message) error, meanwhile func(ctx context.Context)) (err error) {
	ctx, cancel := a.patience(ctx)
	defer cancel()
	g := newGathering(take)
	if m.RequestID, err = a.requests.open(g, a.options.MaxRequests); err != nil {
		meanwhile(ctx)
		return &IncompleteError{Err: err}
	}
	defer a.requests.remove(m.RequestID)
	asked, err := a.ask(ctx, g, m)
	meanwhile(ctx)
	if !asked {
		return err
	}
	select {
	case <-g.done:
		return g.end(nil)
	case <-ctx.Done():
	}
	if err = g.end(waited(ctx)); errors.Is(err, context.DeadlineExceeded) {
		a.stats.timedOut.Add(1)
	}
	return err
}

// ask publishes m; false without an error means that there is nobody else.
func (a *Adapter) ask(ctx context.Context, g *gathering, m *Message) (asked bool, err error) {
	n, uids, err := a.link.Others(ctx)
	if err != nil {
		return false, &IncompleteError{Err: err}
	}
	if !g.expect(n, uids) {
		return false, nil
	}
	if err := a.publish(m); err != nil {
		return false, &IncompleteError{Missing: n, Err: err}
	}
	return true, nil
}

// patience returns ctx with a deadline.
func (a *Adapter) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, a.options.RequestTimeout)
}
