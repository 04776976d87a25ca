package engine

// A client that takes less than it is sent costs the server memory: references to
// what waits for it. Options bound them per client, by bytes, by frames and by time,
// and for all clients together; a SlowPolicy says what happens at the bound.

// SlowPolicy says what becomes of a client that has too much waiting for it.
type SlowPolicy uint8

const (
	// SlowClose closes it with ReasonTransportError. It can come back, and knows that
	// it missed something.
	SlowClose SlowPolicy = iota
	// SlowDropOldest drops the oldest frames to make room for the new ones, but none
	// that SetKept was called for. The client is not told.
	SlowDropOldest
)

// SlowCause says which bound a slow client met.
type SlowCause uint8

// The causes; String gives the word for logs and metrics.
const (
	SlowBytes  SlowCause = iota + 1 // Options.HighWaterMark
	SlowFrames                      // Options.MaxQueued
	SlowTime                        // Options.MaxBlocked
	SlowMemory                      // Options.MaxQueuedBytes

	slowCauses = int(SlowMemory) + 1
)

// String returns one word.
func (c SlowCause) String() string {
	return [slowCauses]string{"", "bytes", "packets", "time", "memory"}[min(int(c), slowCauses-1)]
}

// Slow is what a SlowReceiver learns of its client.
type Slow struct {
	Cause  SlowCause
	Closed bool // it is closed; otherwise its oldest frames are being dropped
	Bytes  int  // that wait for it
	Frames int  // that wait for it
}

// SlowReceiver is a Receiver that wants to know when its client is too slow.
type SlowReceiver interface {
	// Slow is called when the client is about to be closed, and, where the oldest
	// frames are dropped instead, at the first one since it last kept up. On the
	// session's loop; it must not block.
	Slow(Slow)
}

// tooSlow closes a client that cannot keep up.
func (c *conn) tooSlow(cause SlowCause) {
	c.loop.stats.slowClosed[cause].Add(1)
	c.doom()
	if s := c.session; s != nil {
		e := Slow{Cause: cause, Closed: true}
		if q := c.out; q != nil {
			e.Bytes, e.Frames = q.bytes, len(q.frames)
		}
		s.tellSlow(e)
		s.close(ReasonTransportError, byPeer)
	}
}

// tooSlow closes a session whose client does not poll.
func (s *Session) tooSlow(cause SlowCause) {
	s.loop.stats.slowClosed[cause].Add(1)
	s.tellSlow(Slow{cause, true, s.poll.bytes, len(s.poll.frames)})
	s.close(ReasonTransportError, byServer)
}

// makeRoom drops the oldest frames of b until f fits, where that is the policy;
// false when f does not fit.
func (b *backlog) makeRoom(l *loop, f *Frame) (dropped bool, cause SlowCause, ok bool) {
	o := &l.srv.opts
	for {
		why, over := b.over(o, f)
		switch {
		case !over:
			return dropped, cause, true
		case o.SlowPolicy != SlowDropOldest || !b.dropOldest(l):
			return dropped, why, false
		}
		dropped, cause = true, why
	}
}

// Above Options.MaxQueuedBytes the largest queues go first. Each loop knows its own
// only; they tell each other how long the longest is, and each ends those of its
// own that have at least half of that.

// shed ends the largest queues of this loop while all loops together hold too much.
// It is called once a tick. Loop-only.
func (l *loop) shed() {
	excess := l.srv.queuedBytes() - l.srv.opts.MaxQueuedBytes
	if excess <= 0 {
		l.longest.Store(0)
		return
	}
	l.dueBy(l.now + 1)
	if excess = l.shedClosed(excess); excess <= 0 {
		return
	}
	longest, known := l.compareLongest()
	if !known {
		return // the other loops have not looked yet
	}
	for _, s := range l.sessions {
		if n := s.waiting(); n > 0 && n >= longest/2 && excess > 0 {
			excess -= int64(n)
			s.shed()
		}
	}
}

// shed ends a session for the memory that waits for its client.
func (s *Session) shed() {
	if s.conn != nil {
		s.conn.tooSlow(SlowMemory)
	} else {
		s.tooSlow(SlowMemory)
	}
}

// compareLongest tells the other loops how long this one's longest queue is, and
// returns the longest of all, in bytes. In the first tick it has the others look at
// theirs, and knows nothing.
func (l *loop) compareLongest() (bytes int, known bool) {
	for _, s := range l.sessions {
		bytes = max(bytes, s.waiting())
	}
	known = l.longest.Swap(int64(bytes)+1) > 0
	for _, other := range l.srv.allLoops() {
		switch theirs := other.longest.Load(); {
		case theirs > 0:
			bytes = max(bytes, int(theirs)-1)
		case other.asked.CompareAndSwap(0, l.now):
			other.self.ring()
		}
	}
	return bytes, known
}

// shedClosed ends the queues of sessions that are closed already, which costs
// nobody anything, and returns what is still too much.
func (l *loop) shedClosed(excess int64) int64 {
	for s := range l.parting {
		if n := s.poll.bytes; n > 0 && excess > 0 {
			excess -= int64(n)
			s.remove()
		}
	}
	for _, c := range l.blocked {
		if n := c.out.bytes; c.session == nil && n > 0 && excess > 0 {
			excess -= int64(n)
			c.doom()
		}
	}
	return excess
}

// waiting is how many bytes wait for the session's client; 0 for none, nil included.
func (s *Session) waiting() int {
	switch {
	case s == nil || s.has(flagClosed):
		return 0
	case s.poll != nil:
		return s.poll.bytes
	case s.conn != nil && s.conn.out != nil:
		return s.conn.out.bytes
	}
	return 0
}

// queuedBytes is what waits for all clients. Safe for concurrent use.
func (s *Server) queuedBytes() (n int64) {
	for _, l := range s.allLoops() {
		n += l.stats.queuedBytes.Load()
	}
	return n
}
