package socketio

import (
	"maps"
	"slices"
)

// Off removes the socket's own handlers of the events, or of all events where none
// is named; what is registered with its namespace stays. To remove one handler, call
// what [On] returned. Node: socket.off, socket.removeAllListeners.
func (s *Socket) Off(events ...string) {
	s.edit(func(t *ownTable) {
		t.events = slices.DeleteFunc(slices.Clone(t.events), func(o ownHandler) bool { return among(events, o.event) })
	})
}

// OffAny removes the catch-alls of OnAny and PrependAny. Node: socket.offAny().
func (s *Socket) OffAny() { s.edit(func(t *ownTable) { t.any = nil }) }

// OffAnyOutgoing removes the listeners of OnAnyOutgoing and PrependAnyOutgoing. Node:
// socket.offAnyOutgoing().
func (s *Socket) OffAnyOutgoing() { s.edit(func(t *ownTable) { t.outgoing = nil }) }

// EventNames returns the events that the socket has handlers of its own for, sorted.
// Node: socket.eventNames.
func (s *Socket) EventNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	if own := s.own(); own != nil {
		for _, o := range own.events {
			names = append(names, o.event)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Off removes the namespace's handlers of the events, or of all events where none is
// named. A parent's are removed from its children, too; what is registered with a
// child, or a socket, stays.
func (n *Namespace) Off(events ...string) {
	mine := n.table.Load().events
	n.edit(func(t *table) {
		t.events = maps.Clone(t.events)
		for event, gone := range mine {
			if !among(events, event) {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(t.events[event]), func(h *handler) bool { return slices.Contains(gone, h) })
			if t.events[event] = left; len(left) == 0 {
				delete(t.events, event)
			}
		}
	})
}

// among reports whether an event is one of those named; none means all.
func among(events []string, event string) bool {
	return len(events) == 0 || slices.Contains(events, event)
}

// OffAny removes the catch-alls of OnAny and PrependAny.
func (n *Namespace) OffAny() {
	mine := n.table.Load().any
	n.edit(func(t *table) {
		t.any = slices.DeleteFunc(slices.Clone(t.any), func(c *catchAll) bool { return slices.Contains(mine, c) })
	})
}

// OffAnyOutgoing removes the listeners of OnAnyOutgoing and PrependAnyOutgoing.
func (n *Namespace) OffAnyOutgoing() {
	mine := n.table.Load().outgoing
	n.edit(func(t *table) {
		t.outgoing = slices.DeleteFunc(slices.Clone(t.outgoing), func(o *outgoing) bool { return slices.Contains(mine, o) })
	})
}

// EventNames returns the events that the namespace has handlers for, sorted.
func (n *Namespace) EventNames() []string {
	return slices.Sorted(maps.Keys(n.table.Load().events))
}

// Off removes handlers of the default namespace; see [Namespace.Off].
func (v *Server) Off(events ...string) { v.main.Off(events...) }

// OffAny removes the catch-alls of the default namespace.
func (v *Server) OffAny() { v.main.OffAny() }

// OffAnyOutgoing removes the outgoing listeners of the default namespace.
func (v *Server) OffAnyOutgoing() { v.main.OffAnyOutgoing() }

// EventNames returns the events that the default namespace has handlers for.
func (v *Server) EventNames() []string { return v.main.EventNames() }

// PrependAnyOutgoing is OnAnyOutgoing in front of those registered before.
func (v *Server) PrependAnyOutgoing(fn OutgoingHandler) (remove func()) {
	return v.main.PrependAnyOutgoing(fn)
}
