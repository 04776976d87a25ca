package socketio

import (
	"sort"

	"github.com/fanfare-go/fanfare/engine"
)

// stored is one event that is kept. All of it is guarded by eventLog.mu.
type stored struct {
	n      uint64
	at     int64         // when it was emitted, in ms of the log
	frame  *engine.Frame // an owned reference while a ring holds it
	pos    int           // where its offset is in the frame
	except []string      // groups that were left out
	in     []*logRoom    // the rings it was put into
	rings  int           // how many of them hold it still
	size   int           // bytes it counts for
	aged   bool          // it is in eventLog.aged, not in fresh
	mark   *mark         // of an event whose offset is an adapter's

	prev, next *stored // of its list
}

// storedOverhead is what an event occupies beside its packet: stored, the frame, and
// its place in a ring.
const storedOverhead = 128 + 96 + 16

// storedList is events in the order of their numbers.
type storedList struct {
	first, last *stored
	count       int
	bytes       int64
}

func (q *storedList) push(e *stored) {
	if e.prev = q.last; e.prev != nil {
		e.prev.next = e
	} else {
		q.first = e
	}
	q.last = e
	q.count++
	q.bytes += int64(e.size)
}

func (q *storedList) remove(e *stored) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		q.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		q.last = e.prev
	}
	e.prev, e.next = nil, nil
	q.count--
	q.bytes -= int64(e.size)
}

// logRoom is the events of one room, oldest first. Guarded by eventLog.mu.
type logRoom struct {
	name        string // the engine's name of the group
	ring        fifo[*stored]
	bytes       int64
	last        uint64 // the latest event that was for the room, or left it out
	evicted     uint64 // the latest event that is not in the ring any more
	evictedAt   int64  // when that was emitted
	evictedMark *mark  // of that
	members     int    // memberships of those who may return
	limits      HistoryLimits
	named       bool       // it was given a history by name
	child       *Namespace // in whose histories it is, nil for none
}

func (r *logRoom) push(e *stored) {
	r.ring.push(e)
	r.bytes += int64(e.size)
	r.last = e.n
	e.rings++
}

func (r *logRoom) front() *stored {
	if r.ring.len() == 0 {
		return nil
	}
	return r.ring.items[r.ring.head]
}

func (r *logRoom) pop() *stored {
	e, _ := r.ring.pop()
	r.bytes -= int64(e.size)
	r.evicted, r.evictedAt, r.evictedMark = e.n, e.at, e.mark
	e.rings--
	return e
}

// events are all there are.
func (r *logRoom) events() []*stored { return r.ring.items[r.ring.head:] }

// after are the events with numbers above n.
func (r *logRoom) after(n uint64) []*stored {
	all := r.events()
	return all[sort.Search(len(all), func(i int) bool { return all[i].n > n }):]
}

// remembers reports whether the room's history wants to keep its oldest event.
func (r *logRoom) remembers(e *stored, now int64) bool {
	h := &r.limits
	switch {
	case *h == HistoryLimits{}:
		return false
	case h.Events > 0 && r.ring.len() > h.Events:
		return false
	case h.Bytes > 0 && r.bytes > h.Bytes:
		return false
	}
	return h.Age <= 0 || e.at >= now-h.Age.Milliseconds()
}
