package history

import (
	"context"
	"time"
)

// Settle returns when everything is written and what is too much was removed.
func (h *History) Settle() { h.onWriter(func(*writer) {}) }

// SweepBefore removes what is older, as happens once a minute by the clock.
func (h *History) SweepBefore(t time.Time) {
	h.onWriter(func(w *writer) { w.sweep(context.Background(), t) })
}

func (h *History) onWriter(f func(*writer)) {
	done := make(chan struct{})
	h.tasks <- func(w *writer) { f(w); close(done) }
	<-done
}

// Forward makes the next IDs those of a later time.
func (h *History) Forward(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids.past(oldest(t))
}
