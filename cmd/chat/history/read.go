package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// readPatience is how long an answer of the store may take.
const readPatience = 3 * time.Second

// Before returns the last messages of a room before an ID, oldest first, and whether
// there are older ones; "" asks for the newest. It returns limit of them at most, a
// limit beyond 1 to MaxLimit is one of these. The messages are the caller's. The
// newest ones of a room come from memory, even while the store fails.
func (h *History) Before(ctx context.Context, room, id string, limit int) ([]Message, bool, error) {
	return h.read(ctx, room, span{id: id, limit: limit})
}

// After returns the first messages of a room after an ID, oldest first, and whether
// there are newer ones; "" asks for the oldest. Otherwise it is like Before.
func (h *History) After(ctx context.Context, room, id string, limit int) ([]Message, bool, error) {
	return h.read(ctx, room, span{id: id, up: true, limit: limit})
}

func (h *History) read(ctx context.Context, room string, s span) ([]Message, bool, error) {
	if h.open == nil {
		return nil, false, ErrOff
	}
	var err error
	if s.id, err = canonical(s.id); err != nil {
		return nil, false, err
	}
	s.limit = min(max(s.limit, 1), MaxLimit)
	room = clean(room)
	fresh := time.Now().Add(-h.options.Fresh)
	for {
		h.mu.Lock()
		if h.closed {
			h.mu.Unlock()
			return nil, false, ErrClosed
		}
		t := h.tails.of(room)
		if t.loaded && (h.lasting() || !t.at.Before(fresh)) {
			found, more, ok := t.read(s)
			if ok {
				h.counts.Cached++
				h.mu.Unlock()
				return found, more, nil
			}
			h.mu.Unlock()
			return h.page(ctx, room, s)
		}
		if h.unreachable() {
			h.mu.Unlock()
			return h.waiting(room, s)
		}
		l := t.loading
		if l == nil {
			l = &load{done: make(chan struct{})}
			t.loading = l
			pending := h.queue.of(room, span{})
			h.mu.Unlock()
			h.load(ctx, room, t, l, pending)
		} else {
			h.mu.Unlock()
		}
		select {
		case <-l.done:
			if l.err != nil {
				return nil, false, l.err
			}
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}

// lasting reports that tails stay true: nobody else writes to the store, or there is
// nobody to ask. Called with mu held.
func (h *History) lasting() bool { return h.failing || h.store != nil && !h.store.shared() }

// unreachable reports that the store cannot be asked. Called with mu held.
func (h *History) unreachable() bool {
	return h.store == nil || h.failing && h.store.shared()
}

// load reads a room's newest messages into its tail, once for all who want them, in the
// time that the first of them has. What is added meanwhile is in l.added.
func (h *History) load(ctx context.Context, room string, t *tail, l *load, pending []Message) {
	begin := time.Now()
	asking := context.WithoutCancel(ctx)
	if until, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		asking, cancel = context.WithDeadline(asking, until)
		defer cancel()
	}
	found, more, err := h.ask(asking, room, span{limit: h.tails.length})
	h.mu.Lock()
	defer h.mu.Unlock()
	defer close(l.done)
	t.loading = nil
	if l.err = err; err != nil {
		return
	}
	fresh := append(pending, l.added...)
	if more { // what comes before found[0] has others in between
		fresh = slices.DeleteFunc(fresh, func(m Message) bool { return m.ID < found[0].ID })
	}
	t.messages = merge(found, fresh)
	t.whole, t.loaded, t.at = !more, true, begin
	t.cut(h.tails.length)
}

// page reads what is not in memory: from the store, and from the queue before it.
func (h *History) page(ctx context.Context, room string, s span) ([]Message, bool, error) {
	h.mu.Lock()
	pending := h.queue.of(room, s)
	h.mu.Unlock()
	found, more, err := h.ask(ctx, room, s)
	if err != nil {
		return nil, false, err
	}
	part, cut := s.cut(merge(found, pending))
	return part, more || cut, nil
}

// waiting reads the queue, while there is no store. Whether there is more nobody knows.
func (h *History) waiting(room string, s span) ([]Message, bool, error) {
	h.mu.Lock()
	found := h.queue.of(room, s)
	h.mu.Unlock()
	if len(found) == 0 && s.id != "" {
		return nil, false, ErrDegraded
	}
	part, more := s.cut(found)
	return part, more || !s.up, nil
}

// ask asks the store, when it has a place for the question.
func (h *History) ask(ctx context.Context, room string, s span) (found []Message, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	case <-ctx.Done():
		return nil, false, fmt.Errorf("history: too many questions: %w", context.Cause(ctx))
	}
	h.mu.Lock()
	h.counts.Reads++
	from, unreachable := h.store, h.unreachable()
	h.mu.Unlock()
	if unreachable {
		return nil, false, ErrDegraded
	}
	err = survive(func() (err error) { found, more, err = from.read(ctx, room, s); return err })
	if err != nil {
		return nil, false, fmt.Errorf("history: reading: %w", err)
	}
	return found, more, nil
}

// merge returns the messages of both, by ID, each once.
func merge(a, b []Message) []Message {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b Message) bool { return a.ID == b.ID })
}
