package conversation

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Servers tell each other who is where, a room at a time and when it changes: who wants to know how many are in a room
// asks nobody. What was lost on the way is made good by what each says again from time to time.
const (
	aliveEvery = 5 * time.Second  // between two words of a server to the others
	silence    = 15 * time.Second // after which a server, and whoever is there, is forgotten
	againAtAll = 100              // rooms that are told again with each word
	maxServers = 1024

	tellAllEvery = 50 * time.Millisecond // between the words to a server that is new
)

// digest is what one server tells the others.
type digest struct {
	Server string   `json:"server"`
	New    bool     `json:"new,omitempty"`   // it knows of nobody yet
	Gone   bool     `json:"gone,omitempty"`  // nobody is there any more
	Rooms  []People `json:"rooms,omitempty"` // those there; nobody any more where Count is 0
}

// elsewhere is who is in which room on the other servers, as far as they have told.
type elsewhere struct {
	maxRooms int // of one server; immutable

	mu      sync.Mutex
	servers map[string]*otherServer // by what they are called; guarded by mu
}

type otherServer struct {
	heard time.Time
	rooms map[string]People
}

func newElsewhere(maxRooms int) *elsewhere {
	return &elsewhere{maxRooms: maxRooms, servers: make(map[string]*otherServer)}
}

// hear takes in what a server tells, and returns the rooms of which that is news.
func (e *elsewhere) hear(d *digest) (news []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d.Gone {
		return e.drop(d.Server)
	}
	o := e.servers[d.Server]
	if o == nil {
		if len(e.servers) == maxServers {
			return nil
		}
		o = &otherServer{rooms: make(map[string]People)}
		e.servers[d.Server] = o
	}
	o.heard = time.Now()
	for _, p := range d.Rooms {
		if o.note(p, e.maxRooms) {
			news = append(news, p.Room)
		}
	}
	return news
}

// note takes in who is in a room, and reports whether that is news. Called with mu held.
func (o *otherServer) note(p People, maxRooms int) bool {
	before, known := o.rooms[p.Room]
	switch {
	case p.Count < 0 || len(p.Names) > MaxNames || len(p.Names) != len(p.IDs) || len(p.Room) > maxRoomBytes:
		return false
	case p.Count == 0:
		delete(o.rooms, p.Room)
		return known
	case !known && len(o.rooms) > maxRooms:
		return false
	}
	p.You = nil
	o.rooms[p.Room] = p
	return before.Count != p.Count || !slices.Equal(before.Names, p.Names)
}

// maxRoomBytes bounds a room's name: MaxRoomRunes of the longest.
const maxRoomBytes = 4 * MaxRoomRunes

// forget drops the servers that are silent, and returns the rooms that they had.
func (e *elsewhere) forget() (rooms []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, o := range e.servers {
		if time.Since(o.heard) < silence {
			continue
		}
		rooms = append(rooms, e.drop(name)...)
	}
	return rooms
}

// drop forgets a server, and returns the rooms that it had. Called with mu held.
func (e *elsewhere) drop(name string) (rooms []string) {
	if o := e.servers[name]; o != nil {
		delete(e.servers, name)
		for room := range o.rooms {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// with adds those elsewhere to who is in a room here.
func (e *elsewhere) with(p People) People {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.servers) == 0 {
		return p
	}
	there := make([]*People, 0, len(e.servers))
	for _, o := range e.servers {
		if q, ok := o.rooms[p.Room]; ok {
			there = append(there, &q)
		}
	}
	slices.SortFunc(there, func(a, b *People) int { return cmp.Compare(b.Count, a.Count) })
	for _, q := range there {
		p.Count += q.Count
		n := min(len(q.Names), MaxNames-len(p.Names))
		p.Names, p.IDs = append(p.Names, q.Names[:n]...), append(p.IDs, q.IDs[:n]...)
	}
	return p
}
