package rooms

import "math"

// Index holds the rooms of one loop. Loop-only.
type Index struct {
	list  func(member uint32) *List
	ids   map[string]uint32
	rooms []room   // by id
	free  []uint32 // ids of rooms that vanished
	epoch uint32   // number of the last walk begun; 0 is no walk's
}

// room is one room; an id on the free list has the zero room.
type room struct {
	name    string
	members []slot
}

// slot is a membership from the room's side: list(member).at(back) describes it from the member's.
type slot struct{ member, back uint32 }

// New makes an empty index. list returns the List of a member; it is called with numbers given to Join, and with those given to Begin as
// excepted, for which it may return nil. The address it returns must stay the same while the member is in a room.
func New(list func(member uint32) *List) *Index {
	return &Index{list: list, ids: make(map[string]uint32)}
}

// Join puts m into the room, which comes into being with its first member; false means that m was in it already. Not during a walk over
// that room: whether m is then visited is left open. Loop-only.
func (x *Index) Join(name string, m uint32) bool {
	l := x.list(m)
	id, ok := x.ids[name]
	if !ok {
		id = x.create(name)
	} else if _, in := x.find(id, m, l); in {
		return false
	}
	if l.len() == 0 {
		l.stamp = 0 // what its number did before is nobody's business
	}
	r := &x.rooms[id]
	back := l.push(membership{room: id, pos: uint32(len(r.members))})
	r.members = append(r.members, slot{member: m, back: back})
	return true
}

// Leave takes m out of the room, which vanishes with its last member; false means that m was not in it. Loop-only.
func (x *Index) Leave(name string, m uint32) bool {
	id, ok := x.ids[name]
	if !ok {
		return false
	}
	l := x.list(m)
	back, in := x.find(id, m, l)
	if in {
		x.remove(l, back)
	}
	return in
}

// LeaveAll takes m out of all its rooms. Loop-only.
func (x *Index) LeaveAll(m uint32) {
	l := x.list(m)
	for n := l.len(); n > 0; n-- {
		x.remove(l, n-1)
	}
}

// Has reports whether m is in the room. Loop-only.
func (x *Index) Has(name string, m uint32) bool {
	id, ok := x.ids[name]
	if !ok {
		return false
	}
	_, in := x.find(id, m, x.list(m))
	return in
}

// Size is the number of members of the room, 0 when there is none of that name. Loop-only.
func (x *Index) Size(name string) int {
	id, ok := x.ids[name]
	if !ok {
		return 0
	}
	return len(x.rooms[id].members)
}

// Rooms is the number of rooms. Loop-only.
func (x *Index) Rooms() int { return len(x.ids) }

// Sizes yields the rooms whose number is from or more, with their number of members, until yield returns false, and returns the number to
// go on from; 0 when it has seen all. Rooms that come and go between two parts are seen or not, all others once. yield must not change the
// index. Loop-only.
func (x *Index) Sizes(from uint32, yield func(room string, members int) bool) (next uint32) {
	for ; from < uint32(len(x.rooms)); from++ {
		r := &x.rooms[from]
		if len(r.members) > 0 && !yield(r.name, len(r.members)) {
			return from + 1
		}
	}
	return 0
}

// RoomsOf yields the rooms m is in, in no particular order, until yield returns false. yield may take m out of the room it was given, and
// nothing else. Loop-only.
func (x *Index) RoomsOf(m uint32, yield func(room string) bool) {
	l := x.list(m)
	for n := l.len(); n > 0; n-- {
		if !yield(x.rooms[l.at(n-1).room].name) {
			return
		}
	}
}

// find is the place, in m's list l, of its membership in the room.
func (x *Index) find(id, m uint32, l *List) (back uint32, in bool) {
	members := x.rooms[id].members
	n := l.len()
	if uint64(n) > uint64(len(members)) {
		for i := range members {
			if members[i].member == m {
				return members[i].back, true
			}
		}
		return 0, false
	}
	for i := range min(n, inlined) {
		if l.inline[i].room == id {
			return i, true
		}
	}
	if n <= inlined {
		return 0, false
	}
	for i, s := range l.rest()[:n-inlined] {
		if s.room == id {
			return uint32(i) + inlined, true
		}
	}
	return 0, false
}

// create adds an empty room.
func (x *Index) create(name string) uint32 {
	var id uint32
	if n := len(x.free); n > 0 {
		id = x.free[n-1]
		x.free = x.free[:n-1]
	} else {
		id = uint32(len(x.rooms))
		if id == math.MaxUint32 {
			panic("rooms: more than 2^32 rooms")
		}
		x.rooms = append(x.rooms, room{})
	}
	x.rooms[id].name = name
	x.ids[name] = id
	return id
}

// remove undoes the membership at l.at(back). On either side the last entry fills the gap and its counterpart is told.
func (x *Index) remove(l *List, back uint32) {
	gone := *l.at(back)
	if last := l.len() - 1; back != last {
		moved := *l.at(last)
		*l.at(back) = moved
		x.rooms[moved.room].members[moved.pos].back = back
	}
	l.pop()

	r := &x.rooms[gone.room]
	last := uint32(len(r.members) - 1)
	if gone.pos != last {
		moved := r.members[last]
		r.members[gone.pos] = moved
		x.list(moved.member).at(moved.back).pos = gone.pos
	}
	r.members = shrink(r.members[:last])
	if last == 0 {
		x.vanish(gone.room)
	}
}

// shrink returns s in half its memory when only a quarter is used; slices up to 16 entries (128 bytes) stay.
func shrink(s []slot) []slot {
	if cap(s) <= 16 || len(s) > cap(s)/4 {
		return s
	}
	return append(make([]slot, 0, cap(s)/2), s...)
}

// vanish forgets an empty room and its name. With the last room goes the memory of all: a Go map keeps its size otherwise.
func (x *Index) vanish(id uint32) {
	delete(x.ids, x.rooms[id].name)
	x.rooms[id] = room{}
	x.free = append(x.free, id)
	if len(x.ids) == 0 && len(x.rooms) > 1024 {
		x.ids, x.rooms, x.free = make(map[string]uint32), nil, nil
	}
}
