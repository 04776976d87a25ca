package socketio

import (
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/internal/histogram"
)

// Durations is how many there were in each bucket of engine.DurationBounds, and their sum.
type Durations = engine.Durations

// timedEvent says which events have their handlers timed: one in so many. It is a prime,
// so that clients which do the same in turns have each of it timed.
const timedEvent = 7

// durations are what a namespace measures; children have their parent's. Atomic.
type durations struct {
	handlers histogram.Histogram
	acks     histogram.Histogram
}

// handled is deferred around the handlers of an event that is timed.
func (n *Namespace) handled(began time.Time) {
	if n.times != nil {
		n.times.handlers.Observe(time.Since(began))
	}
}

// answered is called for each acknowledgement of a client.
func (n *Namespace) answered(asked time.Time) {
	if n.times != nil {
		n.times.acks.Observe(time.Since(asked))
	}
}

// addDurations adds what namespaces and parents have measured, by their names.
func (v *Server) addDurations(st *Stats) {
	st.Handlers, st.Acks = make(map[string]Durations), make(map[string]Durations)
	add := func(n *Namespace) {
		var handlers, acks Durations
		handlers.Add(&n.times.handlers)
		acks.Add(&n.times.acks)
		st.Handlers[n.name], st.Acks[n.name] = handlers, acks
	}
	for _, n := range *v.namespaces.Load() {
		add(n)
	}
	for _, p := range v.allParents() {
		add(p.Namespace)
	}
}
