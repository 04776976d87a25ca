package adminui

import (
	"maps"
	"slices"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// maxBoardBytes is about how large all_sockets may become: what a client that takes
// nothing for a moment is allowed to have waiting (socketio.Options.HighWaterMark is
// 1 MiB) leaves as much again for what follows.
const maxBoardBytes = 512 << 10

// board is the sockets that admins have been told of, and what they were told. A change
// of a socket is told if it is one to what is here, so that events which a snapshot has
// overtaken are not told twice. It is empty while nobody looks.
type board struct {
	max   int // immutable
	shown map[*socketio.Socket]*entry
	bytes int // about, of all entries
	last  uint64
}

type entry struct {
	view
	number uint64 // the order in which they came
	weight int
}

func newBoard(n int) *board { return &board{max: n, shown: make(map[*socketio.Socket]*entry)} }

// add enters a socket; false where there is no room.
func (b *board) add(s *socketio.Socket, v *view) bool {
	weight := v.size()
	if len(b.shown) >= b.max || b.bytes+weight > maxBoardBytes {
		return false
	}
	b.last++
	b.shown[s] = &entry{view: *v, number: b.last, weight: weight}
	b.bytes += weight
	return true
}

// full reports whether no other socket may be added.
func (b *board) full() bool { return len(b.shown) >= b.max || b.bytes >= maxBoardBytes }

func (b *board) remove(s *socketio.Socket) {
	if e := b.shown[s]; e != nil {
		b.bytes -= e.weight
		delete(b.shown, s)
	}
}

// join and leave change the rooms of an entry, and report whether that was a change.
func (b *board) join(e *entry, room string) bool {
	if slices.Contains(e.Rooms, room) || len(e.Rooms) >= maxRoomsShown || b.bytes+len(room) > maxBoardBytes {
		return false
	}
	e.Rooms = append(slices.Clip(e.Rooms), room) // others may read what it was
	e.weight += len(room)
	b.bytes += len(room)
	return true
}

func (b *board) leave(e *entry, room string) bool {
	i := slices.Index(e.Rooms, room)
	if i < 0 {
		return false
	}
	e.Rooms = slices.Concat(e.Rooms[:i], e.Rooms[i+1:])
	e.weight -= len(room)
	b.bytes -= len(room)
	return true
}

// views returns what is shown, in the order in which it came.
func (b *board) views() []view {
	entries := slices.SortedFunc(maps.Values(b.shown), func(x, y *entry) int { return int(x.number) - int(y.number) })
	views := make([]view, len(entries))
	for i, e := range entries {
		views[i] = e.view
	}
	return views
}

// fill puts sockets of this server on the board that are not there, while there is room,
// and reports whether there were any. Called with order held.
func (u *UI) fill() (found bool) {
	for _, n := range u.server.Namespaces() {
		if u.board.full() {
			return found
		}
		for _, s := range n.Sockets() {
			if u.board.full() {
				return found
			}
			if u.onBoard(s) == nil {
				found = u.show(s, viewOf(s)) || found
			}
		}
	}
	return found
}

// onRoom is told of everything that happens to rooms, a socket's id being one from its
// first moment to its last, while somebody looks.
func (u *UI) onRoom(n *socketio.Namespace, e socketio.RoomEvent) {
	u.order.Lock()
	defer u.order.Unlock()
	if !u.watching.Load() {
		return
	}
	switch {
	case e.Kind == socketio.RoomEventsLost:
		u.reshow()
	case e.Kind == socketio.RoomJoined && e.Room == e.Socket.ID():
		u.came(n, e.Socket)
	case e.Kind == socketio.RoomJoined:
		u.joined(n, e.Socket, e.Room)
	case e.Kind == socketio.RoomLeft && e.Room == e.Socket.ID():
		u.went(n, e.Socket, e.Reason)
	case e.Kind == socketio.RoomLeft:
		u.left(n, e.Socket, e.Room)
	}
}

// came shows a new socket, in no room but its own: those it has joined come behind it.
func (u *UI) came(n *socketio.Namespace, s *socketio.Socket) {
	if u.onBoard(s) != nil || u.board.full() {
		return
	}
	v := viewOf(s)
	v.Rooms = []string{v.ID}
	if !u.show(s, v) {
		return
	}
	at := now()
	u.tell("room_joined", n.Name(), v.ID, v.ID, at)
	u.tell("socket_connected", v, at)
}

func (u *UI) joined(n *socketio.Namespace, s *socketio.Socket, room string) {
	u.mu.Lock()
	e := u.board.shown[s]
	news := e != nil && u.board.join(e, room)
	u.mu.Unlock()
	if news {
		u.tell("room_joined", n.Name(), room, e.ID, now())
	}
}

func (u *UI) left(n *socketio.Namespace, s *socketio.Socket, room string) {
	u.mu.Lock()
	e := u.board.shown[s]
	news := e != nil && u.board.leave(e, room)
	u.mu.Unlock()
	if news {
		u.tell("room_left", n.Name(), room, e.ID, now())
	}
}

// went takes a socket off the board. The page needs to be told of every room it leaves.
func (u *UI) went(n *socketio.Namespace, s *socketio.Socket, why socketio.Reason) {
	e := u.onBoard(s)
	if e == nil {
		return
	}
	u.mu.Lock()
	u.board.remove(s)
	u.mu.Unlock()
	at := now()
	u.tell("socket_disconnected", n.Name(), e.ID, string(why), at)
	for _, room := range e.Rooms {
		u.tell("room_left", n.Name(), room, e.ID, at)
	}
}

// reshow begins again, where events were lost. Called with order held.
func (u *UI) reshow() {
	u.mu.Lock()
	u.board = newBoard(u.options.MaxSockets)
	u.mu.Unlock()
	u.fill()
	u.tell("all_sockets", u.board.views())
}

// onBoard and show are the board under its lock. Called with order held.
func (u *UI) onBoard(s *socketio.Socket) *entry {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return u.board.shown[s]
}

func (u *UI) show(s *socketio.Socket, v *view) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.board.add(s, v)
}

// refresh tells what has changed of the sockets that are shown, beside their rooms.
// Called with order held.
func (u *UI) refresh() {
	u.mu.RLock()
	sockets := slices.Collect(maps.Keys(u.board.shown))
	u.mu.RUnlock()
	for _, s := range sockets {
		fresh, e := viewOf(s), u.onBoard(s)
		news := changes{ID: e.ID, Namespace: e.Namespace}
		if fresh.Transport != e.Transport {
			news.Transport = fresh.Transport
		}
		if !maps.EqualFunc(fresh.Data, e.Data, slices.Equal) {
			news.Data = fresh.Data
		}
		if news.Transport == "" && news.Data == nil {
			continue
		}
		u.mu.Lock()
		e.Transport, e.Data = fresh.Transport, fresh.Data
		u.mu.Unlock()
		u.tell("socket_updated", news)
	}
}

// changes are those of one socket.
type changes struct {
	ID        string `json:"id"`
	Namespace string `json:"nsp"`
	Transport string `json:"transport,omitempty"`
	Data      any    `json:"data,omitempty"`
}

// now is a date as JavaScript writes it.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
