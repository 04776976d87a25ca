package history

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// How often messages that are too old are looked for, and how soon a store that has
// failed is tried again.
const (
	sweepEvery = time.Minute
	firstRetry = 100 * time.Millisecond
)

// openPatience is how long a store may take to open.
const openPatience = 3 * time.Second

// writer is the goroutine that changes the store.
type writer struct {
	*History
	retention
	begun time.Time // when the last write began
	due   bool      // a look at the store is
}

// run writes what is queued until the history is closed and the queue is empty, or
// cannot be written, or ctx is done.
func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	defer w.finish()
	sweep := w.sweeps()
	defer sweep.Stop()
	look := time.NewTicker(3 * w.options.Retry)
	defer look.Stop()
	for retry := firstRetry; ; {
		err := w.turn(ctx)
		if err == nil {
			retry = firstRetry
			if !w.rest(ctx, sweep.C, look.C) {
				return
			}
			continue
		}
		w.degrade(err)
		if !w.pause(ctx, retry) {
			return
		}
		retry = min(2*retry, w.options.Retry)
	}
}

// sweeps returns the clock by which old messages go; one that stands still where none do.
func (w *writer) sweeps() *time.Ticker {
	t := time.NewTicker(max(sweepEvery, w.options.MaxAge/10))
	if w.options.MaxAge <= 0 {
		t.Stop()
	}
	return t
}

// turn opens the store if need be, and writes one batch if there is one.
func (w *writer) turn(ctx context.Context) error {
	if w.store == nil { // the writer alone sets it
		if err := w.reopen(ctx); err != nil {
			return err
		}
		w.recovered()
	}
	w.mu.Lock()
	b := w.queue.first()
	w.mu.Unlock()
	if b == nil {
		return w.look(ctx)
	}
	if !w.pace(ctx) {
		return ctx.Err()
	}
	w.begun = time.Now()
	err := w.guarded(func() error { return w.store.add(ctx, b.messages) })
	if err != nil && !errors.Is(err, errRefused) {
		return fmt.Errorf("history: writing: %w", err)
	}
	w.wrote(b, err)
	w.recovered()
	w.retain(ctx, b.messages)
	return nil
}

// look sees whether a store is there that nobody has written to for some time, so that it
// is not the next message that finds out.
func (w *writer) look(ctx context.Context) error {
	if !w.due {
		return nil
	}
	if err := w.guarded(func() error { return w.store.add(ctx, nil) }); err != nil {
		return fmt.Errorf("history: looking for the store: %w", err)
	}
	w.due = false
	w.recovered()
	return nil
}

// wrote takes a batch from the queue that was written, or never will be.
func (w *writer) wrote(b *batch, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue.shift()
	w.counts.Batches++
	w.counts.Writing += time.Since(w.begun)
	if err == nil {
		w.counts.Written += uint64(len(b.messages))
	} else {
		w.counts.Lost += uint64(len(b.messages))
		w.log.Error("history: messages were given up", "count", len(b.messages), "error", err)
	}
	b.receipt.settle(err)
}

// guarded changes the store. Where that takes too long nobody waits for it any more; where
// it panics, over a damaged file for example, the store is opened anew.
func (w *writer) guarded(f func() error) error {
	over := false // guarded by mu
	stalled := time.AfterFunc(w.options.Patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !over {
			w.fails(errSlow)
		}
	})
	err := survive(f)
	stalled.Stop()
	w.mu.Lock()
	over = true
	w.mu.Unlock()
	if errors.Is(err, errDamaged) {
		w.forget()
	}
	return err
}

// survive turns a panic of a store into errDamaged, that of reading a mapped file that has
// become shorter, or has bad blocks, included.
func survive(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	return f()
}

// reopen opens the store, and goes on behind the newest message there.
func (w *writer) reopen(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	s, err := w.open(ctx)
	if err != nil {
		return err
	}
	var newest map[string]string
	if err := survive(func() (err error) { newest, err = s.newest(ctx); return err }); err != nil {
		return errors.Join(err, s.close())
	}
	w.retention = retention{newest: newest, added: map[string]int{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.store = s
	w.tails.clear()
	for _, id := range newest {
		w.ids.past(id)
	}
	return nil
}

// forget closes a store that cannot be used any more.
func (w *writer) forget() {
	w.mu.Lock()
	s := w.store
	w.store = nil
	w.mu.Unlock()
	if s != nil {
		_ = s.close() // it is damaged; opening it will say so
	}
}

// rest waits until there is something to do, and does what is due by the clock. It
// reports false when the history was closed and everything is written.
func (w *writer) rest(ctx context.Context, sweep, look <-chan time.Time) bool {
	for {
		w.mu.Lock()
		busy := w.queue.count > 0 || w.store == nil
		w.mu.Unlock()
		if busy {
			return ctx.Err() == nil
		}
		select {
		case <-w.wake:
		case now := <-sweep:
			w.sweep(ctx, now.Add(-w.options.MaxAge))
		case <-look:
			if w.store.shared() { // a file does not go away
				w.due = true
				return ctx.Err() == nil
			}
		case f := <-w.tasks:
			f(w)
		case <-w.closing:
			return w.left() // what was added just before
		case <-ctx.Done():
			return false
		}
	}
}

// left reports that something is queued.
func (w *writer) left() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.count > 0
}

// pace waits until the next write may begin.
func (w *writer) pace(ctx context.Context) bool {
	d := w.options.Pace - time.Since(w.begun)
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause waits before the store is tried again. Once the history is closed it is not.
func (w *writer) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-w.closing:
		return false
	default:
	}
	select {
	case <-t.C:
		return true
	case <-w.closing:
		return w.left() // once more
	case <-ctx.Done():
		return false
	}
}

// finish tells who still waits, and closes the store.
func (w *writer) finish() {
	w.mu.Lock()
	w.queue.fail(ErrClosed)
	w.counts.Lost += uint64(w.queue.count)
	s := w.store
	w.store = nil
	w.mu.Unlock()
	if s == nil {
		return
	}
	if err := s.close(); err != nil {
		w.log.Error("history: closing the store", "error", err)
	}
}
