package rooms

import (
	"math/bits"
	"unsafe"
)

// inlined is how many memberships fit into a List itself. A Socket.IO session is in two rooms from the start (its namespace and its own id).
const inlined = 3

// List is a member's side of the index: the rooms it is in, and which walk met it last. Embed it in what the owner keeps per member.
// The zero List is in no room; it must not be copied or cleared while it is in any. 40 bytes, and 8 per room beyond the third.
// Loop-only.
type List struct {
	inline [inlined]membership
	spill  *membership // the rest, an array of 1<<log memberships, or nil
	stamp  uint32      // the epoch of the walk that met this member last, or that excludes it
	size   uint32      // number of memberships << logBits | log
}

// logBits is the width of log inside List.size: a spill holds fewer than 2^27 memberships, hence log <= 27 < 32.
const logBits = 5

// membership says that its member stands at rooms[room].members[pos].
type membership struct{ room, pos uint32 }

// len is the number of memberships.
func (l *List) len() uint32 { return l.size >> logBits }

// at is the i-th membership, i < len.
func (l *List) at(i uint32) *membership {
	if i < inlined {
		return &l.inline[i]
	}
	return &l.rest()[i-inlined]
}

// rest is the whole of the spill, used or not. Only a pointer is stored, as a slice's other two words would make a List of every member
// 16 bytes larger; length and allocation agree because setRest alone writes both.
func (l *List) rest() []membership {
	if l.spill == nil {
		return nil
	}
	return unsafe.Slice(l.spill, 1<<(l.size&(1<<logBits-1)))
}

// setRest moves the spilled memberships into an array of the given capacity, a power of two, or drops the spill when that is 0.
func (l *List) setRest(capacity uint32) {
	if capacity == 0 {
		l.spill = nil
		l.size = l.len() << logBits
		return
	}
	rest := make([]membership, capacity)
	copy(rest, l.rest())
	l.spill = &rest[0]
	l.size = l.len()<<logBits | uint32(bits.TrailingZeros32(capacity))
}

// push appends a membership and returns its place.
func (l *List) push(m membership) uint32 {
	i := l.len()
	if i >= inlined {
		if have := uint32(len(l.rest())); i-inlined == have {
			l.setRest(max(1, 2*have))
		}
	}
	l.size += 1 << logBits
	*l.at(i) = m
	return i
}

// pop drops the last membership, and half of the spill when only a quarter of it is used. Small spills stay until the last membership
// goes, so that a member which moves between rooms does not allocate.
func (l *List) pop() {
	l.size -= 1 << logBits
	n, have := l.len(), uint32(len(l.rest()))
	switch {
	case have == 0:
	case n == 0:
		l.setRest(0)
	case have > 8 && max(n, inlined)-inlined <= have/4:
		l.setRest(have / 2)
	}
}
