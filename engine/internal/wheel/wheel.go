package wheel

import "math/bits"

// Links is what a waiting value carries: its place in the wheel. Embed it by value and return its address from WheelLinks; the zero
// Links is not armed. 24 bytes. Loop-only; a value that is armed must not be copied.
type Links[T any] struct {
	next, prev *T     // neighbours in a ring; nil when not armed
	tick       uint64 // when it is due
}

// Waiter is the constraint of what a wheel holds: a pointer type with a method that returns the address of its Links. The method must
// return the same address every time.
type Waiter[T any] interface {
	*T
	WheelLinks() *Links[T]
}

// Wheel keeps values until their ticks come. Loop-only.
//
// There are three kinds of rings: one per slot for what lies ahead, late for what was armed with a tick that had passed already, and
// firing for what Advance has found due and not yet handed out. A ring is known by its first value.
type Wheel[T any, P Waiter[T]] struct {
	now    uint64   // the tick of the last Advance
	mask   uint64   // slots - 1
	slots  []*T     // a value due at tick t hangs in slot t & mask, whatever its round
	filled []uint64 // one bit per slot that is not empty
	late   *T
	firing *T
	len    int
}

// New makes a wheel of that many slots, a power of two, whose time is now. Deadlines further away than one round (slots ticks) are
// allowed, and cost a glance per round. 4,096 slots take 32 KiB.
func New[T any, P Waiter[T]](slots int, now uint64) *Wheel[T, P] {
	if slots <= 0 || slots&(slots-1) != 0 {
		panic("wheel: the number of slots must be a power of two")
	}
	return &Wheel[T, P]{
		now:    now,
		mask:   uint64(slots - 1),
		slots:  make([]*T, slots),
		filled: make([]uint64, (slots+63)/64),
	}
}

// Arm makes x due at tick, instead of when it was due before. A tick that is not after the last Advance counts as the present one: x
// fires at the next Advance, whatever time that one is given. Loop-only, and allowed inside fire.
func (w *Wheel[T, P]) Arm(x *T, tick uint64) {
	l := P(x).WheelLinks()
	if l.next != nil {
		w.unlink(x, l)
	} else {
		w.len++
	}
	if tick <= w.now {
		l.tick = w.now
		w.append(&w.late, x, l)
		return
	}
	l.tick = tick
	slot := tick & w.mask
	w.append(&w.slots[slot], x, l)
	w.filled[slot>>6] |= 1 << (slot & 63)
}

// Disarm takes x out; nothing happens when it is not armed. Loop-only, and allowed inside fire.
func (w *Wheel[T, P]) Disarm(x *T) {
	l := P(x).WheelLinks()
	if l.next == nil {
		return
	}
	w.unlink(x, l)
	w.len--
}

// Armed reports whether x waits. Loop-only.
func (w *Wheel[T, P]) Armed(x *T) bool { return P(x).WheelLinks().next != nil }

// Len is the number of values that wait. Loop-only.
func (w *Wheel[T, P]) Len() int { return w.len }

// Next is a tick before which nothing is due; ok is false when nothing waits at all. It is exact when the earliest deadline is less
// than one round away, and otherwise may be too early, never too late. Loop-only.
func (w *Wheel[T, P]) Next() (tick uint64, ok bool) {
	if w.late != nil || w.firing != nil {
		return w.now, true
	}
	ahead, ok := w.search(0, w.mask+1)
	return w.now + 1 + ahead, ok
}

// search finds the first slot that is not empty among those from to before to, counted in ticks after the next one.
func (w *Wheel[T, P]) search(from, to uint64) (ahead uint64, ok bool) {
	base := w.now + 1
	for from < to {
		slot := (base + from) & w.mask
		rest := w.filled[slot>>6] >> (slot & 63)
		// A word ends at its 64th bit, and the ring's last word at the last slot.
		span := min(64-slot&63, w.mask+1-slot)
		if rest != 0 {
			from += uint64(bits.TrailingZeros64(rest))
			return from, from < to
		}
		from += span
	}
	return 0, false
}

// append makes x the last of a ring.
func (w *Wheel[T, P]) append(ring **T, x *T, l *Links[T]) {
	first := *ring
	if first == nil {
		l.next, l.prev = x, x
		*ring = x
		return
	}
	f := P(first).WheelLinks()
	last := f.prev
	l.next, l.prev = first, last
	P(last).WheelLinks().next = x
	f.prev = x
}

// unlink takes x out of its ring, whichever that is: only the ring that begins with x has to know.
func (w *Wheel[T, P]) unlink(x *T, l *Links[T]) {
	next := l.next
	if next == x {
		next = nil
	} else {
		P(next).WheelLinks().prev = l.prev
		P(l.prev).WheelLinks().next = next
	}
	l.next, l.prev = nil, nil
	slot := l.tick & w.mask
	switch x {
	case w.slots[slot]:
		w.slots[slot] = next
		if next == nil {
			w.filled[slot>>6] &^= 1 << (slot & 63)
		}
	case w.firing:
		w.firing = next
	case w.late:
		w.late = next
	}
}
