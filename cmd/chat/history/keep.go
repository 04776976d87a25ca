package history

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// ahead is how far the clock of another server may be ahead of ours.
const ahead = time.Minute

// Shared reports whether other servers write to the store as well, so that each finds
// there what was said at another.
func (h *History) Shared() bool { return h.open == nil || isURL(h.options.Store) }

// Keep takes in a message that another server was the first to have, ID and time
// included; false where it cannot be one, or is not stored. What comes from Add later is
// behind it. Keep never blocks.
func (h *History) Keep(m Message) bool {
	m.clean()
	id, err := ulid.ParseStrict(m.ID)
	if err != nil || timeOf(id).After(time.Now().Add(ahead)) {
		return false
	}
	m.ID, m.At = id.String(), timeOf(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse(&m) != nil {
		return false
	}
	h.ids.past(m.ID)
	h.queue.push(m, h.state == Healthy)
	h.tails.add(m)
	h.ring()
	return true
}
