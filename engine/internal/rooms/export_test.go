package rooms

// SetEpoch makes the next walk number n + 1.
func (x *Index) SetEpoch(n uint32) { x.epoch = n }

// Check reports the first contradiction between the two sides of the index, for the members below limit.
func (x *Index) Check(limit uint32) string {
	memberships := 0
	for name, id := range x.ids {
		r := x.rooms[id]
		if r.name != name || len(r.members) == 0 {
			return "room " + name + " has no members or another name"
		}
		for pos, s := range r.members {
			l := x.list(s.member)
			if s.back >= l.len() || *l.at(s.back) != (membership{id, uint32(pos)}) {
				return "room " + name + " disagrees with a member's list"
			}
			memberships++
		}
	}
	for m := range limit {
		l := x.list(m)
		memberships -= int(l.len())
		if rest := len(l.rest()); l.len() > inlined+uint32(rest) || l.len() == 0 && rest > 0 {
			return "a spill has the wrong size"
		}
	}
	if memberships != 0 {
		return "memberships are not in the rooms they name"
	}
	for _, id := range x.free {
		if x.rooms[id].name != "" || x.rooms[id].members != nil {
			return "a room that vanished is not forgotten"
		}
	}
	if len(x.free)+len(x.ids) != len(x.rooms) {
		return "rooms are lost"
	}
	return ""
}
