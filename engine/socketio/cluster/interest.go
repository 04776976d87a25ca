package cluster

import (
	"hash/maphash"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// interest counts the members that rooms have on this server, and tells a Link of the
// first and the last. It is told of rooms with locks of sockets held, by many at once: so
// there are several locks.
type interest struct {
	link   Interested   // immutable
	seed   maphash.Seed // immutable
	shards [64]struct {
		mu    sync.Mutex
		rooms map[string]int32 // guarded by mu
	}
}

func newInterest(l Interested) *interest { return &interest{link: l, seed: maphash.MakeSeed()} }

func (i *interest) enter(rooms []string) {
	for _, room := range rooms {
		s := &i.shards[maphash.String(i.seed, room)%uint64(len(i.shards))]
		s.mu.Lock()
		if s.rooms == nil {
			s.rooms = make(map[string]int32)
		}
		if s.rooms[room]++; s.rooms[room] == 1 {
			i.link.Enter(room)
		}
		s.mu.Unlock()
	}
}

func (i *interest) leave(rooms []string) {
	for _, room := range rooms {
		s := &i.shards[maphash.String(i.seed, room)%uint64(len(i.shards))]
		s.mu.Lock()
		switch n := s.rooms[room]; n {
		case 0:
		case 1:
			if delete(s.rooms, room); len(s.rooms) == 0 {
				s.rooms = nil
			}
			i.link.Leave(room)
		default:
			s.rooms[room] = n - 1
		}
		s.mu.Unlock()
	}
}

// Join implements socketio.Adapter.
func (a *Adapter) Join(s *socketio.Socket, rooms []string) {
	if a.interest != nil {
		a.interest.enter(rooms)
	}
	a.MemoryAdapter.Join(s, rooms)
}

// Leave implements socketio.Adapter.
func (a *Adapter) Leave(s *socketio.Socket, rooms []string) {
	a.MemoryAdapter.Leave(s, rooms)
	if a.interest != nil {
		a.interest.leave(rooms)
	}
}

// LeaveAll implements socketio.Adapter.
func (a *Adapter) LeaveAll(s *socketio.Socket, rooms []string, closed bool) {
	a.MemoryAdapter.LeaveAll(s, rooms, closed)
	if a.interest != nil {
		a.interest.leave(rooms)
	}
}

// EnterID implements socketio.IDAdapter.
func (a *Adapter) EnterID(id string) {
	if a.ids != nil {
		a.ids.EnterSocket(id)
	}
}

// LeaveID implements socketio.IDAdapter.
func (a *Adapter) LeaveID(id string) {
	if a.ids != nil {
		a.ids.LeaveSocket(id)
	}
}
