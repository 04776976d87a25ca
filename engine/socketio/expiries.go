package socketio

import (
	"container/heap"
	"sync"
	"time"
)

// expiries are the sockets with a time of ExpireAt: one heap and one timer for all of
// them, and at most one entry for each. Its lock is a leaf.
type expiries struct {
	mu       sync.Mutex
	heap     expiryHeap          // the earliest first; guarded by mu, as all below
	bySocket map[*Socket]*expiry // nil until the first
	timer    *time.Timer         // set to the earliest, while there is one
	closed   bool
	expired  uint64 // sockets disconnected
}

// expiry is one socket's entry.
type expiry struct {
	socket *Socket
	given  time.Time // as ExpireAt was told
	end    time.Time // the same on the monotonic clock: setting the system's clock moves nobody
	due    time.Time // when to look: end, or before, for the notice
	notice bool      // due is the notice's time
	index  int       // in the heap
}

// expiryRetry is when a socket is looked at again that was still on its way in, or on
// its way out, at its end.
const expiryRetry = 100 * time.Millisecond

// enter makes t the end of s. The notice comes that much before it, or after half of
// the time where that is later, so that a hook that gets ever shorter times is not
// called in a circle. Called with the socket's lock held.
func (x *expiries) enter(s *Socket, t time.Time, notice time.Duration) {
	now := time.Now()
	left := t.Sub(now)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	e := x.bySocket[s]
	if e == nil {
		if x.bySocket == nil {
			x.bySocket = make(map[*Socket]*expiry)
		}
		e = &expiry{socket: s}
		x.bySocket[s] = e
		e.set(t, now, left, notice)
		heap.Push(&x.heap, e)
	} else {
		e.set(t, now, left, notice)
		heap.Fix(&x.heap, e.index)
	}
	x.arm()
}

func (e *expiry) set(t, now time.Time, left, notice time.Duration) {
	e.given, e.end = t, now.Add(left)
	e.due, e.notice = e.end, false
	if notice > 0 && left > 0 {
		e.due, e.notice = e.end.Add(-min(notice, left/2)), true
	}
}

// forget takes s out. Called with the socket's lock held.
func (x *expiries) forget(s *Socket) {
	s.unset(expires)
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.bySocket[s]; e != nil {
		delete(x.bySocket, s)
		heap.Remove(&x.heap, e.index)
		x.arm()
	}
}

// of returns the time that s was given, or the zero time.
func (x *expiries) of(s *Socket) time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.bySocket[s]; e != nil {
		return e.given
	}
	return time.Time{}
}

// isOver reports whether the time of s is over.
func (x *expiries) isOver(s *Socket) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.bySocket[s]
	return e != nil && !e.end.After(time.Now())
}

// arm sets the timer. Called with mu held.
func (x *expiries) arm() {
	switch {
	case len(x.heap) == 0:
		if x.timer != nil {
			x.timer.Stop()
		}
	case x.timer == nil:
		x.timer = time.AfterFunc(time.Until(x.heap[0].due), x.fire)
	default:
		x.timer.Reset(time.Until(x.heap[0].due))
	}
}

// fire looks at those that are due, on the timer's goroutine.
func (x *expiries) fire() {
	notices, ends := x.take(time.Now())
	for _, s := range notices {
		s.noteExpiring()
	}
	for _, s := range ends {
		s.runOut()
	}
}

// take returns whom to give notice and whom to disconnect.
func (x *expiries) take(now time.Time) (notices, ends []*Socket) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, nil
	}
	for len(x.heap) > 0 && !x.heap[0].due.After(now) {
		e := x.heap[0]
		if e.notice {
			e.due, e.notice = e.end, false
			notices = append(notices, e.socket)
		} else {
			e.due = now.Add(expiryRetry) // its end takes it out
			ends = append(ends, e.socket)
		}
		heap.Fix(&x.heap, 0)
	}
	x.arm()
	return notices, ends
}

// count counts a socket that was disconnected.
func (x *expiries) count() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expired++
}

// numbers returns how many sockets have an end, and how many met it.
func (x *expiries) numbers() (waiting int, expired uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.heap), x.expired
}

// close stops the timer: the server is at its end.
func (x *expiries) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed, x.heap, x.bySocket = true, nil, nil
	if x.timer != nil {
		x.timer.Stop()
	}
}

// expiryHeap implements heap.Interface.
type expiryHeap []*expiry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, k int) bool { return h[i].due.Before(h[k].due) }

func (h expiryHeap) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].index, h[k].index = i, k
}

// Push implements heap.Interface; v is an *expiry.
func (h *expiryHeap) Push(v any) {
	e := v.(*expiry)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
