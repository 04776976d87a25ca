package history

import "time"

// Stats are a history's numbers, since Open where they count something.
type Stats struct {
	State   State
	Queued  int           // messages that wait to be written
	Bytes   int           // of them
	Rooms   int           // whose newest messages are in memory
	Written uint64        // messages stored
	Lost    uint64        // messages not stored: the queue was full, the store refused them, or it was closed
	Batches uint64        // writes
	Errors  uint64        // of the store
	Writing time.Duration // how long the writes took
	Reads   uint64        // questions that the store was asked
	Cached  uint64        // questions answered from memory
}

// Stats returns the present numbers.
func (h *History) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.counts.Stats
	st.State, st.Queued, st.Bytes, st.Rooms = h.state, h.queue.count, h.queue.bytes, len(h.tails.rooms)
	return st
}
