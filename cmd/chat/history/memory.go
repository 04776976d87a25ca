package history

import (
	"context"
	"slices"
	"sort"
	"sync"
)

// memory is a store that ends with the process.
type memory struct {
	most int // bytes

	mu    sync.RWMutex
	rooms map[string]*memoryRoom // guarded by mu
	bytes int                    // guarded by mu
}

type memoryRoom struct {
	messages []Message // by ID
	bytes    int
}

func newMemory(most int) *memory { return &memory{most: most, rooms: map[string]*memoryRoom{}} }

func (s *memory) add(_ context.Context, messages []Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		r := s.rooms[m.Room]
		if r == nil {
			r = &memoryRoom{}
			s.rooms[m.Room] = r
		}
		i := r.find(m.ID)
		if i < len(r.messages) && r.messages[i].ID == m.ID {
			continue
		}
		r.messages = slices.Insert(r.messages, i, m)
		r.bytes += m.size()
		s.bytes += m.size()
	}
	for s.bytes > s.most {
		s.relieve()
	}
	return nil
}

// find returns the index of the first message that is not before id.
func (r *memoryRoom) find(id string) int {
	if n := len(r.messages); n == 0 || r.messages[n-1].ID < id {
		return n
	}
	return sort.Search(len(r.messages), func(i int) bool { return r.messages[i].ID >= id })
}

// relieve removes the oldest quarter of the room that takes most. Called with mu held.
func (s *memory) relieve() {
	largest, most := "", -1
	for name, r := range s.rooms {
		if r.bytes > most {
			largest, most = name, r.bytes
		}
	}
	s.remove(largest, len(s.rooms[largest].messages)/4+1)
}

// remove removes the n oldest messages of a room. Called with mu held.
func (s *memory) remove(room string, n int) {
	r := s.rooms[room]
	if r == nil || n <= 0 {
		return
	}
	for i := range r.messages[:n] {
		size := r.messages[i].size()
		r.bytes -= size
		s.bytes -= size
	}
	if n == len(r.messages) {
		delete(s.rooms, room)
		return
	}
	r.messages = slices.Clone(r.messages[n:]) // readers have copies; the old array goes
}

func (s *memory) read(_ context.Context, room string, p span) ([]Message, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.rooms[room]
	if r == nil {
		return nil, false, nil
	}
	part := r.messages
	switch i := r.find(p.id); {
	case p.up && i < len(part) && part[i].ID == p.id:
		part = part[i+1:]
	case p.up:
		part = part[i:]
	case p.id != "":
		part = part[:i]
	}
	part, more := p.cut(part)
	return slices.Clone(part), more, nil
}

func (s *memory) newest(context.Context) (map[string]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	newest := make(map[string]string, len(s.rooms))
	for name, r := range s.rooms {
		newest[name] = r.messages[len(r.messages)-1].ID
	}
	return newest, nil
}

func (s *memory) trim(_ context.Context, room string, keep int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[room]; r != nil {
		s.remove(room, len(r.messages)-keep)
	}
	return false, nil
}

func (s *memory) expire(_ context.Context, before string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, r := range s.rooms {
		s.remove(name, r.find(before))
	}
	return nil
}

func (s *memory) drop(_ context.Context, room, upTo string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[room]; r != nil {
		i := r.find(upTo)
		if i < len(r.messages) && r.messages[i].ID == upTo {
			i++
		}
		s.remove(room, i)
	}
	return nil
}

func (s *memory) shared() bool { return false }
func (s *memory) close() error { return nil }
