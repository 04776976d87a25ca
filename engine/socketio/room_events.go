package socketio

import (
	"context"
	"sync"
	"sync/atomic"
)

// RoomEventKind says what happened to a room.
type RoomEventKind uint8

// The kinds; String gives Node's names.
const (
	RoomCreated    RoomEventKind = iota + 1 // its first socket is about to be in it: "create-room"
	RoomJoined                              // a socket has joined: "join-room"
	RoomLeft                                // a socket has left: "leave-room"
	RoomDeleted                             // its last socket has left: "delete-room"
	RoomEventsLost                          // so many events were lost here; see Options.MaxNotices
)

// String returns Node's name of the event.
func (k RoomEventKind) String() string {
	return [...]string{"", "create-room", "join-room", "leave-room", "delete-room", "lost"}[min(k, RoomEventsLost)]
}

// RoomEvent is something that happened to a room on this server.
type RoomEvent struct {
	Kind   RoomEventKind
	Room   string
	Socket *Socket // who joined or left; nil for the other kinds
	Lost   int     // of RoomEventsLost
	Reason Reason  // of RoomLeft: why, where the socket has disconnected; otherwise empty
}

// OnRoom registers fn for what happens to the rooms of this server. A socket's id is a
// room, too, from its connecting to its end. Each change is told once, those of one room
// in the order in which they happened, by one call of fn after the other on the worker
// pool, where it may block: what the rooms are by then, it has to ask. ctx is as for
// OnDisconnect. While nobody listens it costs nothing; the first who does is told of the
// rooms that there are, as if they were joined at that moment. The returned function
// removes fn. Node: the adapter's "create-room", "join-room", "leave-room" and "delete-room".
func (n *Namespace) OnRoom(fn func(ctx context.Context, e RoomEvent)) (remove func()) {
	l := &roomListener{fn}
	if b := n.listen(l); b != nil {
		n.watch(b)
	}
	return func() { n.unlisten(l) }
}

// OnRoom is [Namespace.OnRoom] for the default namespace.
func (v *Server) OnRoom(fn func(ctx context.Context, e RoomEvent)) (remove func()) {
	return v.main.OnRoom(fn)
}

type roomListener struct {
	run func(ctx context.Context, e RoomEvent)
}

// listen adds a listener, and returns the book that is to be begun for the first.
func (n *Namespace) listen(l *roomListener) (begin *roomBook) {
	n.editing.Lock()
	defer n.editing.Unlock()
	if n.book == nil {
		n.book = newRoomBook(n)
		begin = n.book
	}
	n.book.listeners.Store(new(with(*n.book.listeners.Load(), l)))
	return begin
}

// unlisten removes a listener. With the last one goes the book.
func (n *Namespace) unlisten(l *roomListener) {
	n.editing.Lock()
	b := n.book
	if b == nil {
		n.editing.Unlock()
		return
	}
	left := without(*b.listeners.Load(), l)
	b.listeners.Store(&left)
	if len(left) == 0 {
		n.book = nil
	}
	n.editing.Unlock()
	if len(left) == 0 {
		n.unwatch(b)
	}
}

// roomBook counts who is in which room, where somebody wants to be told.
type roomBook struct {
	listeners atomic.Pointer[[]*roomListener]
	relay     relay[RoomEvent]

	mu      sync.Mutex
	sizes   map[string]int       // guarded by mu
	sockets map[*Socket]struct{} // those whose rooms are counted; guarded by mu
}

var _ watcher = (*roomBook)(nil)

func newRoomBook(n *Namespace) *roomBook {
	b := &roomBook{sizes: make(map[string]int), sockets: make(map[*Socket]struct{})}
	b.listeners.Store(new([]*roomListener))
	b.relay = relay[RoomEvent]{
		server: n.server,
		lost:   func(n int) RoomEvent { return RoomEvent{Kind: RoomEventsLost, Lost: n} },
		run: func(e RoomEvent) {
			for _, l := range *b.listeners.Load() {
				l.run(n.server.base, e)
			}
		},
	}
	return b
}

// joined implements watcher.
func (b *roomBook) joined(s *Socket, rooms []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.sockets[s]; !known {
		b.sockets[s] = struct{}{}
		b.join(s, s.ID())
		rooms = s.joinedRooms()
	}
	for _, r := range rooms {
		b.join(s, r)
	}
}

// left implements watcher. Of a socket that nobody was told of, nobody is told.
func (b *roomBook) left(s *Socket, rooms []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.sockets[s]; known {
		for _, r := range rooms {
			b.leave(s, r, "")
		}
	}
}

// gone implements watcher.
func (b *roomBook) gone(s *Socket, why Reason) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.sockets[s]; !known {
		return
	}
	delete(b.sockets, s)
	b.leave(s, s.ID(), why)
	for _, r := range s.joinedRooms() {
		b.leave(s, r, why)
	}
}

func (b *roomBook) flush() { b.relay.flush() }

// join and leave count, and queue the events. Called with mu held.
func (b *roomBook) join(s *Socket, room string) {
	b.sizes[room]++
	if b.sizes[room] == 1 {
		b.relay.push(RoomEvent{Kind: RoomCreated, Room: room})
	}
	b.relay.push(RoomEvent{Kind: RoomJoined, Room: room, Socket: s})
}

func (b *roomBook) leave(s *Socket, room string, why Reason) {
	b.relay.push(RoomEvent{Kind: RoomLeft, Room: room, Socket: s, Reason: why})
	if b.sizes[room]--; b.sizes[room] == 0 {
		delete(b.sizes, room)
		b.relay.push(RoomEvent{Kind: RoomDeleted, Room: room})
	}
}
