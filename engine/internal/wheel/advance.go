package wheel

// Advance moves the wheel's time to now and hands everything due to fire, earliest tick first and in the order of arming within a tick.
// Each value is disarmed before its fire, which may arm and disarm any value: itself, or others that are due in this very Advance. What
// fire arms for a tick up to now waits for the next Advance, so that a value which always re-arms itself cannot hold the loop.
//
// A now in the past leaves the time as it is. A jump over many rounds costs O(slots + entries) steps; only when it
// makes deadlines of several rounds due, these are sorted, in place. When fire panics, what was due and not handed out yet is at the next Advance. Loop-only.
func (w *Wheel[T, P]) Advance(now uint64, fire func(*T)) {
	w.collect(max(now, w.now))
	for w.firing != nil {
		x := w.firing
		w.unlink(x, P(x).WheelLinks())
		w.len--
		fire(x)
	}
}

// collect moves what is due at now into the firing ring, in order.
func (w *Wheel[T, P]) collect(now uint64) {
	for w.late != nil {
		w.move(w.late)
	}
	slots := min(now-w.now, w.mask+1)
	latest, mixed := w.now, false
	for ahead, ok := w.search(0, slots); ok; ahead, ok = w.search(ahead+1, slots) {
		var m bool
		latest, m = w.collectSlot(w.slots[(w.now+1+ahead)&w.mask], now, latest)
		mixed = mixed || m
	}
	w.now = now
	// Slots are passed in order and each gives one tick per round: only a jump over rounds, with deadlines of several, mixes them.
	if mixed {
		w.sortFiring()
	}
}

// collectSlot moves the due values of the slot that begins with first. latest is the highest tick moved so far; mixed reports that a
// lower one followed it.
func (w *Wheel[T, P]) collectSlot(first *T, now, latest uint64) (_ uint64, mixed bool) {
	last := P(first).WheelLinks().prev
	for x := first; ; {
		l := P(x).WheelLinks()
		next := l.next
		if l.tick <= now {
			mixed = mixed || l.tick < latest
			latest = max(latest, l.tick)
			w.move(x)
		}
		if x == last {
			return latest, mixed
		}
		x = next
	}
}

// move makes x the last of the firing ring.
func (w *Wheel[T, P]) move(x *T) {
	l := P(x).WheelLinks()
	w.unlink(x, l)
	w.append(&w.firing, x, l)
}

// sortFiring orders the firing ring by tick, keeping equals as they are: a merge sort from the bottom up that needs no memory. runs[i]
// holds 2^i sorted values, chained by next; an earlier run stands at a higher i.
func (w *Wheel[T, P]) sortFiring() {
	var runs [64]*T
	P(P(w.firing).WheelLinks().prev).WheelLinks().next = nil
	for x := w.firing; x != nil; {
		l := P(x).WheelLinks()
		run := x
		x, l.next = l.next, nil
		i := 0
		for ; runs[i] != nil; i++ {
			run = w.merge(runs[i], run)
			runs[i] = nil
		}
		runs[i] = run
	}
	var all *T
	for _, run := range runs {
		all = w.merge(run, all)
	}
	w.close(all)
}

// merge joins two sorted chains; of equal ticks, those of a come first.
func (w *Wheel[T, P]) merge(a, b *T) *T {
	var first *T
	tail := &first
	for a != nil && b != nil {
		la, lb := P(a).WheelLinks(), P(b).WheelLinks()
		if lb.tick < la.tick {
			*tail, tail, b = b, &lb.next, lb.next
		} else {
			*tail, tail, a = a, &la.next, la.next
		}
	}
	if a == nil {
		a = b
	}
	*tail = a
	return first
}

// close makes a chain the firing ring again.
func (w *Wheel[T, P]) close(first *T) {
	w.firing = first
	last := first
	for x := P(first).WheelLinks().next; x != nil; x = P(x).WheelLinks().next {
		P(x).WheelLinks().prev = last
		last = x
	}
	P(first).WheelLinks().prev = last
	P(last).WheelLinks().next = first
}
