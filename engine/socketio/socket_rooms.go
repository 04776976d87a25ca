package socketio

import "slices"

// MaxRoomName is the longest name of a room, in bytes.
const MaxRoomName = 256

// Join puts the socket into rooms, for whatever its caller emits next. In a
// middleware the rooms are kept until the socket is let in. After the socket is
// gone it does nothing. All of the rooms are joined or, with an error, none: see
// [ErrTooManyRooms] and [ErrRoomName]. Node: socket.join.
func (s *Socket) Join(rooms ...string) error {
	if slices.ContainsFunc(rooms, longRoom) {
		return ErrRoomName
	}
	s.nsp.noteIDRooms(rooms)
	own := s.ID()
	defer s.nsp.flushWatchers()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state > connected {
		return nil
	}
	fresh := s.unjoined(own, rooms)
	if len(fresh) == 0 {
		return nil
	}
	r := s.need()
	if len(r.rooms)+len(fresh) > s.nsp.server.options.MaxRooms {
		s.nsp.server.stats.exceeded(limitRooms)
		return ErrTooManyRooms
	}
	r.rooms = append(r.rooms, fresh...)
	if s.state == connected {
		s.nsp.adapter.Join(s, fresh)
		s.watchJoined(fresh)
	}
	return nil
}

func longRoom(room string) bool { return len(room) > MaxRoomName }

// noteIDRooms notes that rooms are about to be joined, some of which may be called as a
// socket is.
func (n *Namespace) noteIDRooms(rooms []string) {
	if !n.idRooms.Load() && slices.ContainsFunc(rooms, n.couldBeID) {
		n.idRooms.Store(true)
	}
}

// unjoined returns those of the rooms that the socket is not in, each once, and no more than
// one too many. Called with mu held.
func (s *Socket) unjoined(own string, rooms []string) (fresh []string) {
	if len(rooms) > manyRooms {
		return s.unjoinedOfMany(own, rooms)
	}
	for _, room := range rooms {
		if room == own || slices.Contains(fresh, room) || s.rare != nil && slices.Contains(s.rare.rooms, room) {
			continue
		}
		fresh = append(fresh, room)
	}
	return fresh
}

// manyRooms are so many at once that not each is compared with all others: they may be what
// a client or another server has sent.
const manyRooms = 64

// unjoinedOfMany is unjoined of any number of rooms. Called with mu held.
func (s *Socket) unjoinedOfMany(own string, rooms []string) (fresh []string) {
	known := map[string]struct{}{own: {}}
	if s.rare != nil {
		for _, room := range s.rare.rooms {
			known[room] = struct{}{}
		}
	}
	for _, room := range rooms {
		if _, ok := known[room]; ok {
			continue
		}
		known[room] = struct{}{}
		if fresh = append(fresh, room); len(fresh) > s.nsp.server.options.MaxRooms {
			break
		}
	}
	return fresh
}

// Leave takes the socket out of rooms; those it is not in do not matter. Node: socket.leave.
func (s *Socket) Leave(rooms ...string) {
	defer s.nsp.flushWatchers()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state > connected || s.rare == nil {
		return
	}
	var gone []string
	for _, room := range rooms {
		if i := slices.Index(s.rare.rooms, room); i >= 0 {
			s.rare.rooms = slices.Delete(s.rare.rooms, i, i+1)
			gone = append(gone, room)
		}
	}
	if len(s.rare.rooms) == 0 {
		s.rare.rooms = nil
	}
	if s.state == connected && len(gone) > 0 {
		s.nsp.adapter.Leave(s, gone)
		s.watchLeft(gone)
	}
}

// Rooms returns the rooms the socket is in, its own id included: none before it
// is connected but those a middleware gave it, and none after its OnDisconnecting
// functions. Node: socket.rooms.
func (s *Socket) Rooms() []string {
	own := s.ID()
	s.mu.Lock()
	defer s.mu.Unlock()
	var rooms []string
	if s.rare != nil {
		rooms = s.rare.rooms
	}
	if s.is(left) {
		return nil
	}
	if s.state == connecting {
		return slices.Clone(rooms)
	}
	return append([]string{own}, rooms...)
}
