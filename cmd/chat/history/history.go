package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// History is the messages of a chat. Its methods are safe for concurrent use.
type History struct {
	options Options // immutable after Open
	open    opener  // immutable after Open; nil where history is off
	log     *slog.Logger

	wake    chan struct{} // capacity 1: there may be something to write
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed when the writer is gone
	abort   context.CancelFunc
	reading chan struct{}      // a place for each question to the store
	tasks   chan func(*writer) // for tests: done when the writer has nothing else to do

	mu      sync.Mutex
	ids     ids    // guarded by mu
	state   State  // guarded by mu
	store   store  // guarded by mu; nil until it was opened
	failing bool   // guarded by mu: the last thing that the store was told has failed
	closed  bool   // guarded by mu
	queue   queue  // guarded by mu
	tails   tails  // guarded by mu
	counts  counts // guarded by mu
}

// Open returns the history that the options describe. It waits a short time for the
// store; where that cannot be had the history is [Degraded], says so in the log, and
// keeps trying. An error means options that make no sense; no store was touched then.
// Close must be called.
func Open(ctx context.Context, o Options) (*History, error) {
	o = o.withDefaults()
	place, err := o.place()
	if err != nil {
		return nil, err
	}
	h := &History{
		options: o, open: place, log: o.Logger,
		wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{}),
		reading: make(chan struct{}, o.Readers), tasks: make(chan func(*writer)),
		tails: tails{rooms: map[string]*tail{}, most: o.Tails, length: min(MaxLimit, o.Keep)},
	}
	if h.open == nil {
		close(h.ended)
		return h, nil
	}
	h.state = Healthy
	w := &writer{History: h}
	if err := w.reopen(ctx); err != nil {
		h.degrade(err)
	}
	var life context.Context
	life, h.abort = context.WithCancel(context.WithoutCancel(ctx))
	go w.run(life)
	return h, nil
}

// Add takes a message in: it gets its ID and its time, and is written soon. The message
// returned is what will be read, the receipt tells when it is durable. Text that no store
// takes (invalid UTF-8, NUL) is replaced by U+FFFD. Add never blocks.
func (h *History) Add(m Message) (Message, *Receipt) {
	m.clean()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids.stamp(&m, time.Now())
	if err := h.refuse(&m); err != nil {
		return m, failed(err)
	}
	r := h.queue.push(m, h.state == Healthy)
	h.tails.add(m)
	h.ring()
	return m, r
}

// refuse says why a message will not be stored. Called with mu held.
func (h *History) refuse(m *Message) error {
	switch {
	case h.open == nil:
		return ErrOff
	case h.closed:
		return ErrClosed
	case len(m.Room) > MaxRoom:
		return ErrRoom
	case h.queue.count >= h.options.Queue || h.queue.bytes+m.size() > h.options.QueueBytes && h.queue.count > 0:
		h.counts.Lost++
		h.worsen(ErrQueueFull)
		return ErrQueueFull
	}
	return nil
}

// ring wakes the writer.
func (h *History) ring() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Close writes what is queued, ends the writer and closes the store. Where ctx is done
// before, it gives up what is left, and says how much that is.
func (h *History) Close(ctx context.Context) error {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	h.mu.Unlock()
	if h.open == nil {
		return nil
	}
	if first {
		close(h.closing)
	}
	var err error
	select {
	case <-h.ended:
	case <-ctx.Done():
		h.abort()
		err = context.Cause(ctx)
	}
	if left := h.Stats().Queued; left > 0 {
		return errors.Join(fmt.Errorf("history: %d messages were not written", left), err)
	}
	return err
}
