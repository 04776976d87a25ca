package cluster

import "hash/maphash"

// What a Link may ask in order not to read what nobody here wants. All are safe for
// concurrent use.

// Waits reports whether an answer to the request with this id is waited for here.
func (a *Adapter) Waits(requestID string) bool { return a.requests.find(requestID) != nil }

// Occupied reports whether something sent to a room concerns this server: because somebody
// is in it, or the socket that it is the id of is here, or events are kept for those who
// come later. It is for a Link that is [Interested].
func (a *Adapter) Occupied(room string) bool {
	if a.interest == nil || a.interest.has(room) {
		return true
	}
	_, here := a.Namespace().Socket(room)
	return here || a.Remembers()
}

// Skip is for a message that a Link has not read: it is taken as received. Of m, Type and
// UID must be right, and what the Link's Lanes look at.
func (a *Adapter) Skip(m *Message) {
	if m.UID != a.uid {
		a.peers.count(a, m)
	}
}

// has reports whether a room has members.
func (i *interest) has(room string) bool {
	s := &i.shards[maphash.String(i.seed, room)%uint64(len(i.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[room] > 0
}
