package socketio

import (
	"slices"
	"sync"
	"sync/atomic"
)

// OutgoingHandler sees what is emitted, before it is encoded. It runs on the
// goroutine that emits, must not block, and must not change args.
type OutgoingHandler func(event string, args []any)

// Outgoing is an event on its way out, and who it is for.
type Outgoing struct {
	Event  string
	Args   []any    // not to be changed, nor kept
	Socket *Socket  // of an Emit to one socket; nil for a broadcast
	Rooms  []string // of a broadcast: to the sockets in any of them, to everyone where there are none
	Except []string // of a broadcast: less those in any of them
}

// outgoing is one listener. It is given the event by value, so that those who only emit
// allocate nothing.
type outgoing struct{ run func(o Outgoing) }

func newOutgoing(fn OutgoingHandler) *outgoing {
	return &outgoing{func(o Outgoing) { fn(o.Event, o.Args) }}
}

// OnAnyOutgoing registers fn for what is emitted to this socket: by its Emit and
// EmitWithAck, and by broadcasts of this server that it is in the rooms of. It is not
// shown acknowledgements, nor what another server of a cluster broadcasts, of which
// only bytes arrive. Every broadcast of the namespace has to look whether it is for
// the socket; sockets without a listener cost nothing. See [Namespace.OnAnyOutgoing],
// too. Node: socket.onAnyOutgoing.
func (s *Socket) OnAnyOutgoing(fn OutgoingHandler) (remove func()) {
	o := newOutgoing(fn)
	s.edit(func(t *ownTable) { t.outgoing = with(t.outgoing, o) })
	return s.removeOutgoing(o)
}

// PrependAnyOutgoing is OnAnyOutgoing in front of those registered before. Node:
// socket.prependAnyOutgoing.
func (s *Socket) PrependAnyOutgoing(fn OutgoingHandler) (remove func()) {
	o := newOutgoing(fn)
	s.edit(func(t *ownTable) { t.outgoing = slices.Concat([]*outgoing{o}, t.outgoing) })
	return s.removeOutgoing(o)
}

func (s *Socket) removeOutgoing(o *outgoing) func() {
	return func() { s.edit(func(t *ownTable) { t.outgoing = without(t.outgoing, o) }) }
}

// OnAnyOutgoing registers fn for every emit in the namespace: once per broadcast,
// however many receive it, and once per event to a single socket.
func (n *Namespace) OnAnyOutgoing(fn OutgoingHandler) (remove func()) {
	o := newOutgoing(fn)
	n.edit(func(t *table) { t.outgoing = with(t.outgoing, o) })
	return n.removeOutgoing(o)
}

// PrependAnyOutgoing is OnAnyOutgoing in front of those registered before.
func (n *Namespace) PrependAnyOutgoing(fn OutgoingHandler) (remove func()) {
	o := newOutgoing(fn)
	n.edit(func(t *table) { t.outgoing = slices.Concat([]*outgoing{o}, t.outgoing) })
	return n.removeOutgoing(o)
}

// OnOutgoing is OnAnyOutgoing for those who want to know who an event is for. Like that
// it runs on the goroutine that emits, before the event is encoded, and must not block.
// Node has it per socket only.
func (n *Namespace) OnOutgoing(fn func(o Outgoing)) (remove func()) {
	o := &outgoing{fn}
	n.edit(func(t *table) { t.outgoing = with(t.outgoing, o) })
	return n.removeOutgoing(o)
}

func (n *Namespace) removeOutgoing(o *outgoing) func() {
	return func() { n.edit(func(t *table) { t.outgoing = without(t.outgoing, o) }) }
}

// overhearers are the sockets of a namespace that have OnAnyOutgoing listeners of their
// own. The zero value has none.
type overhearers struct {
	n  atomic.Int32 // of set; what every broadcast looks at
	mu sync.Mutex
	in map[*Socket]struct{} // guarded by mu
}

// watch enters a socket, or takes it out. Called with s.mu held.
func (w *overhearers) watch(s *Socket, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on && w.in == nil {
		w.in = make(map[*Socket]struct{})
	}
	if on {
		w.in[s] = struct{}{}
	} else {
		delete(w.in, s)
	}
	w.n.Store(int32(len(w.in)))
}

func (w *overhearers) all() []*Socket {
	if w.n.Load() == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	sockets := make([]*Socket, 0, len(w.in))
	for s := range w.in {
		sockets = append(sockets, s)
	}
	return sockets
}

// tell shows a broadcast to who listens: the namespace's listeners once, and those
// of each socket that it is for. One to a parent is one to each of its children, whose
// listeners from the parent have seen it already.
func (n *Namespace) tell(e Outgoing) {
	mine := n.table.Load().outgoing
	for _, o := range mine {
		o.run(e)
	}
	n.overhearing.tell(e)
	if n.children == nil {
		return
	}
	for _, c := range n.brood() {
		for _, o := range c.table.Load().outgoing {
			if !slices.Contains(mine, o) {
				o.run(e)
			}
		}
		c.overhearing.tell(e)
	}
}

func (w *overhearers) tell(e Outgoing) {
	for _, s := range w.all() {
		for _, o := range s.hears(e.Rooms, e.Except) {
			o.run(e)
		}
	}
}

// hears returns the socket's listeners for a broadcast, if that is for it.
func (s *Socket) hears(rooms, except []string) []*outgoing {
	id := s.ID()
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.own()
	if s.state != connected || own == nil {
		return nil
	}
	in := func(room string) bool { return room == id || slices.Contains(s.rare.rooms, room) }
	if len(rooms) > 0 && !slices.ContainsFunc(rooms, in) || slices.ContainsFunc(except, in) {
		return nil
	}
	return own.outgoing
}
