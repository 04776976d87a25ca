package engine

// heldQueue is sessions in the order in which they are to be uncorked, each once. One
// may have nothing held any more.
type heldQueue struct {
	sessions []*Session
	next     int
	taken    uint64 // how many pop has returned, ever
	peak     int    // most that were in it since it was last empty
	mark     uint8  // immutable: its bit of Session.waits
}

const (
	waitsDirect uint8 = 1 << iota
	waitsCrowd
)

func (q *heldQueue) len() int { return len(q.sessions) - q.next }

// push does nothing where s is in the queue already: under a load that never ends the
// queue would grow without end.
func (q *heldQueue) push(s *Session) {
	if s.waits&q.mark != 0 {
		return
	}
	s.waits |= q.mark
	if n := len(q.sessions); n == cap(q.sessions) && q.next > n/2 { // never empty under a steady load
		left := copy(q.sessions, q.sessions[q.next:])
		clear(q.sessions[left:])
		q.sessions, q.next = q.sessions[:left], 0
	}
	q.sessions = append(q.sessions, s)
	q.peak = max(q.peak, q.len())
}

// pop returns nil when the queue is empty.
func (q *heldQueue) pop() *Session {
	if q.next == len(q.sessions) {
		if q.next > 0 {
			q.rest()
		}
		return nil
	}
	s := q.sessions[q.next]
	q.sessions[q.next] = nil
	q.next++
	q.taken++
	s.waits &^= q.mark
	return s
}

// rest empties the array, and drops it where it is big and was hardly used.
func (q *heldQueue) rest() {
	if q.sessions = q.sessions[:0]; cap(q.sessions) > 4096 && q.peak < cap(q.sessions)/4 {
		q.sessions = nil
	}
	q.next, q.peak = 0, 0
}
