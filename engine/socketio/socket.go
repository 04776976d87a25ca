package socketio

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
)

// Socket is one client in one namespace: Node's Socket. Every method is safe for
// concurrent use and none blocks, but for EmitWithAck.
//
// Budget: 64 bytes, held by a test. A socket that only listens and is broadcast
// to has nothing beside it: no map, timer, goroutine, closure or handler table.
type Socket struct {
	client *client    // immutable
	nsp    *Namespace // immutable
	id     socketID   // immutable

	state state // guarded by mu
	marks marks // guarded by mu

	mu   sync.Mutex
	box  *mailbox // guarded by mu; nil unless scheduled or running
	rare *rare    // guarded by mu; nil until needed
}

// rare holds what a socket has on demand only. 128 bytes.
type rare struct {
	handlers  *ownTable
	rooms     []string // without the socket's own id
	leaving   []leaver
	values    []value
	acks      map[uint64]*pendingAck
	life      *lifetime
	handshake *Handshake
	auth      string // of the CONNECT packet, until the socket has settled; a JSON object

	recoverable *recoverable // by which the socket is recovered, where it may be
}

// state is how far a socket's life has come. It only grows.
type state uint8

const (
	connecting state = iota // in the middlewares
	connected
	refused // by a middleware
	kicked  // by the server, on a connection that lives on: late packets are ignored
	gone    // the client left, or the connection ended
)

// marks are facts about a socket, several of which may hold at the same time.
type marks uint8

const (
	left      marks = 1 << iota // the rooms are left, as far as the user sees
	onLoop                      // an inline handler is running
	muted                       // disconnected by the server: what is in the mailbox is dropped
	recovered                   // it is back, with what it had
	released                    // the auth object was let go, and nobody had asked for the Handshake
	surveyed                    // it was asked in a broadcast with acknowledgements, once at least
	expires                     // it has a time of ExpireAt
	denied                      // it is not recovered, as this server knows that something is missing
)

// is reports whether a mark is set. Called with mu held, as the two below.
func (s *Socket) is(m marks) bool { return s.marks&m != 0 }
func (s *Socket) set(m marks)     { s.marks |= m }
func (s *Socket) unset(m marks)   { s.marks &^= m }

// ID returns the socket's id: 20 random characters, different in each namespace
// and not the secret id of the Engine.IO session.
//
// A client of Socket.IO 2 has the session's id, with the namespace's name and a '#' in
// front of it but in the default namespace, because that is how it names itself: whoever
// is told such an id can speak for the client.
func (s *Socket) ID() string {
	if s.client.eio3 {
		return s.idEIO3()
	}
	return string(s.id[:])
}

// Namespace returns the namespace the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.nsp }

// Connected reports whether the socket can be sent to.
func (s *Socket) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == connected
}

// Transport returns how the client is connected at this moment: [Polling] or
// [WebSocket]. Node: socket.conn.transport.name.
func (s *Socket) Transport() Transport { return s.client.session.Transport() }

// ConnID names the connection: sockets of one client in several namespaces have the same,
// those of two connections never. It is a digest of the Engine.IO session's id, 12
// characters long, and unlike that no secret. Node shows the first 12 characters of
// socket.client.id.
func (s *Socket) ConnID() string {
	sum := sha256.Sum256([]byte(s.client.session.ID()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// need returns the rare part, made if it is not there. Called with mu held.
func (s *Socket) need() *rare {
	if s.rare == nil {
		s.rare = new(rare)
	}
	return s.rare
}

// trim drops the rare part when nothing is in it any more. Called with mu held.
func (s *Socket) trim() {
	r := s.rare
	if r == nil || r.handlers != nil || r.rooms != nil || r.leaving != nil || r.values != nil ||
		len(r.acks) > 0 || r.life != nil || r.handshake != nil || r.auth != "" || r.recoverable != nil {
		return
	}
	s.rare = nil
}

// own returns the socket's own handlers, nil if it has none. Called with mu held.
func (s *Socket) own() *ownTable {
	if s.rare == nil {
		return nil
	}
	return s.rare.handlers
}

// edit replaces the table of the socket's own handlers by a changed copy.
func (s *Socket) edit(change func(t *ownTable)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var t ownTable
	if old := s.own(); old != nil {
		t = *old
	}
	watched := len(t.outgoing) > 0
	change(&t)
	if watches := len(t.outgoing) > 0; watches != watched && !s.is(left) {
		s.nsp.overhearing.watch(s, watches)
	}
	if t.empty() {
		if s.rare != nil {
			s.rare.handlers = nil
			s.trim()
		}
		return
	}
	s.need().handlers = &t
}

// register implements Registrar.
func (s *Socket) register(event string, h *handler) (remove func()) {
	entry := ownHandler{event, h}
	h.remove = func() { s.edit(func(t *ownTable) { t.events = without(t.events, entry) }) }
	s.edit(func(t *ownTable) { t.events = with(t.events, entry) })
	return h.remove
}

// OnAny registers fn for every event of this socket, before the handlers of the
// event itself. Node: socket.onAny.
func (s *Socket) OnAny(fn AnyHandler, opts ...HandlerOption) (remove func()) {
	c := newCatchAll(fn, opts)
	s.edit(func(t *ownTable) { t.any = with(t.any, c) })
	return s.removeAny(c)
}

// PrependAny is OnAny in front of those registered before. Node: socket.prependAny.
func (s *Socket) PrependAny(fn AnyHandler, opts ...HandlerOption) (remove func()) {
	c := newCatchAll(fn, opts)
	s.edit(func(t *ownTable) { t.any = slices.Concat([]*catchAll{c}, t.any) })
	return s.removeAny(c)
}

func (s *Socket) removeAny(c *catchAll) func() {
	return func() { s.edit(func(t *ownTable) { t.any = without(t.any, c) }) }
}
