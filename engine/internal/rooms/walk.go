package rooms

// Walk is a visit of rooms in progress. The zero value is ready for Begin, finished, and may be used again and again without an
// allocation. Loop-only.
//
// How it stays right while members leave: it goes through a room from the end to the beginning, with left entries still ahead, and
// stamps every member it meets with its epoch. A leaver's gap is filled with the room's last entry. Was the gap ahead, that entry may be
// one met already, and its stamp says so; was it behind, nothing ahead has changed. So none is skipped and none met twice.
type Walk struct {
	index *Index
	rooms []string // not begun or finished yet; rooms[0] is in progress
	left  int      // entries of rooms[0] ahead
	epoch uint32
}

// Begin starts a walk over the union of rooms, minus the members of the rooms in except and minus exceptMembers. Rooms that do not exist
// have no members; no rooms, no members. The slices except and exceptMembers are done with when Begin returns, rooms and its strings are
// read until the walk ends.
//
// One walk at a time: Begin ends whichever was under way, and its Next finds nothing from then on. What is excluded is settled now: a
// member that leaves an excepted room during the walk stays excluded. Loop-only.
func (x *Index) Begin(w *Walk, rooms, except []string, exceptMembers []uint32) {
	x.nextEpoch()
	for _, m := range exceptMembers {
		if l := x.list(m); l != nil {
			l.stamp = x.epoch
		}
	}
	for _, name := range except {
		if id, ok := x.ids[name]; ok {
			x.stamp(id, x.epoch)
		}
	}
	*w = Walk{index: x, rooms: rooms, epoch: x.epoch}
	w.enter()
}

// Next fills dst, up to its capacity, which must not be 0, with the next members in no particular order. A part that is not full is the last
// one, and an empty one says that the walk was over before.
//
// Between two calls members may leave rooms, others and those in dst alike; who has left all the walk's rooms is not visited any more.
// The members in dst are the caller's: should its work on one make another one leave, it has to see for itself that the latter is gone.
// Joins do not belong between two calls (the loop works its queue in order); should one happen nevertheless, the newcomer may be visited
// or not, everybody else is. Loop-only.
func (w *Walk) Next(dst []uint32) []uint32 {
	dst = dst[:0]
	x := w.index
	if x == nil || w.epoch != x.epoch {
		return dst
	}
	for len(w.rooms) > 0 {
		dst = w.fill(dst)
		if w.left > 0 {
			return dst
		}
		w.rooms = w.rooms[1:]
		w.enter()
	}
	*w = Walk{}
	return dst
}

// Meet counts m as visited, so that Next leaves it out; false when it was visited or is excluded already. It belongs before the first
// Next. Loop-only.
func (w *Walk) Meet(m uint32) bool {
	l := w.index.list(m)
	if l == nil || l.stamp == w.epoch {
		return false
	}
	l.stamp = w.epoch
	return true
}

// enter puts the end of rooms[0] ahead.
func (w *Walk) enter() {
	w.left = 0
	if len(w.rooms) > 0 {
		w.left = w.index.Size(w.rooms[0])
	}
}

// fill appends members of rooms[0] not met yet, until dst is full or none is left. The room is looked up by name each time: since the
// last part it may have vanished, and its id may be another's.
func (w *Walk) fill(dst []uint32) []uint32 {
	x := w.index
	id, ok := x.ids[w.rooms[0]]
	if !ok {
		w.left = 0
		return dst
	}
	members := x.rooms[id].members
	i := min(w.left, len(members))
	for i > 0 && len(dst) < cap(dst) {
		i--
		m := members[i].member
		if l := x.list(m); l.stamp != w.epoch {
			l.stamp = w.epoch
			dst = append(dst, m)
		}
	}
	w.left = i
	return dst
}

// nextEpoch counts walks. After 2^32 of them the numbers begin anew, and all stamps are wiped so that none is taken for a new one. Members
// in no room keep theirs, which Join wipes.
func (x *Index) nextEpoch() {
	x.epoch++
	if x.epoch != 0 {
		return
	}
	for id := range x.rooms {
		x.stamp(uint32(id), 0)
	}
	x.epoch = 1
}

// stamp marks all members of a room.
func (x *Index) stamp(id, epoch uint32) {
	for _, s := range x.rooms[id].members {
		x.list(s.member).stamp = epoch
	}
}
