package history

import "time"

// State is whether messages are stored.
type State uint8

// The states of a history.
const (
	Off      State = iota // nothing is stored
	Healthy               // what is said is stored, and acknowledged when it is durable
	Degraded              // the store fails; messages wait in the queue, or are lost once it is full
)

// String returns "off", "healthy" or "degraded".
func (s State) String() string {
	switch s {
	case Healthy:
		return "healthy"
	case Degraded:
		return "degraded"
	}
	return "off"
}

// State returns the present state.
func (h *History) State() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// counts are the numbers of Stats that only grow, and what the log has to know.
type counts struct {
	Stats
	since time.Time // of the present trouble
}

// degrade is the end of everybody's wait: the store fails, or is too slow.
func (h *History) degrade(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails(err)
}

// fails is degrade with mu held.
func (h *History) fails(err error) {
	h.failing = true
	h.counts.Errors++
	h.worsen(err)
}

// worsen is the change of state. Called with mu held. Who waits is told; what waits stays in the queue.
func (h *History) worsen(err error) {
	if h.state == Degraded {
		return
	}
	h.queue.fail(ErrDegraded)
	h.state = Degraded
	h.counts.since = time.Now()
	h.log.Error("history is degraded: messages are delivered, but not stored for now", "store", h.options.Where(), "error", err)
}

// recovered is a success of the store. The history is healthy again once the queue has
// room; from then on receipts are worth waiting for.
func (h *History) recovered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing = false
	if h.state != Degraded || h.queue.count > h.options.Queue/2 || h.queue.bytes > h.options.QueueBytes/2 {
		return
	}
	h.state = Healthy
	h.queue.seal()
	h.log.Info("history is healthy again: messages are stored", "store", h.options.Where(),
		"after", time.Since(h.counts.since).Round(time.Millisecond), "lost", h.counts.Lost)
}
