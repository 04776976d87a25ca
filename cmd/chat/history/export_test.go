package history

import (
	"context"
	"time"
)

// Settle returns when everything is written and what is too much was removed.
func (h *History) Settle() { h.onWriter(func(*writer) {}) }

// Sweep removes what is too old, as happens once a minute.
func (h *History) Sweep() { h.onWriter(func(w *writer) { w.sweep(context.Background()) }) }

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
