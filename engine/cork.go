package engine

import "github.com/valyala/bytebufferpool"

// What a turn brings for a session over WebSocket is not written at once, but held
// until the turn has looked at everything that was queued, and then leaves in one
// write: the system call and the way through TCP are the whole price of a frame.

// cork is the frames that sessions are yet to be sent, in order: those of before,
// and frame behind them. Sessions of one form that are to be sent the same share one cork. A
// broadcast to 10,000 members makes one; 16 of them that wait together make 16, and
// the last has the bytes of all, once, for everybody. Who was left out of one, or
// was sent something of its own in between, is at a cork of its own. Loop-only.
type cork struct {
	before *cork                      // what goes ahead of frame; the loop's root for the form at last
	next   *cork                      // the latest one that continues this
	frame  *Frame                     // an owned reference; nil in the root
	joined *bytebufferpool.ByteBuffer // the bytes of all, made on first need
	frames int                        // how many in all
	bytes  int                        // of all
	users  int                        // sessions that are at this, and corks that continue it
	form   form                       // of the bytes: the root's
}

const (
	// maxCorkBytes and maxCorkFrames bound what is held for one session. The latter
	// is also how deep a cork may be.
	maxCorkBytes  = 64 << 10
	maxCorkFrames = 256
	// maxSpareCorks is how many unused ones a loop keeps.
	maxSpareCorks = 64
)

// full reports that f has no room behind the frames of k.
func (k *cork) full(s *Server, f *Frame) bool {
	return k.frames > 0 && (k.bytes+f.size(s, k.form) > maxCorkBytes || k.frames == maxCorkFrames)
}

// wire returns the bytes of all frames in a row; valid while k is in use.
func (k *cork) wire(s *Server) []byte {
	if k.frames == 1 {
		return k.frame.wire(s, k.form)
	}
	if k.joined == nil {
		k.join(s)
	}
	return k.joined.B
}

// join copies the frames into one buffer, the last one first.
func (k *cork) join(s *Server) {
	b := bytebufferpool.Get()
	if cap(b.B) < k.bytes {
		b.B = make([]byte, k.bytes)
	}
	b.B = b.B[:k.bytes]
	for c, end := k, k.bytes; c.frames > 0; c = c.before {
		w := c.frame.wire(s, k.form)
		end -= copy(b.B[end-len(w):end], w)
	}
	k.joined = b
}

// corkBehind returns the cork with f behind the frames of k, for one more user.
func (l *loop) corkBehind(k *cork, f *Frame) *cork {
	n := k.next
	if n == nil || n.frame != f {
		n = l.newCork()
		f.retain(1)
		n.before, n.frame, n.form = k, f, k.form
		n.frames, n.bytes = k.frames+1, k.bytes+f.size(l.srv, k.form)
		k.users++
		k.next = n
	}
	n.users++
	return n
}

func (l *loop) newCork() *cork {
	if len(l.spareCorks) > 0 {
		return pop(&l.spareCorks)
	}
	return new(cork)
}

// letGo takes one user off k. A cork without users gives back its frame, its buffer,
// and its use of the one before. The root is its own user: it stays.
func (l *loop) letGo(k *cork) {
	for k.users--; k.users == 0; k.users-- {
		before := k.before
		if before.next == k {
			before.next = nil
		}
		k.frame.release(1)
		if k.joined != nil {
			bytebufferpool.Put(k.joined)
		}
		if *k = (cork{}); len(l.spareCorks) < maxSpareCorks {
			l.spareCorks = append(l.spareCorks, k)
		}
		k = before
	}
}

// hold has f sent by uncork, behind what is held already. It reports whether f is
// the first.
func (s *Session) hold(f *Frame) (first bool) {
	l := s.loop
	if s.cork != nil && s.cork.full(l.srv, f) {
		l.spent += heldPerWrite
		if s.uncork(); s.conn == nil { // too slow: the write has ended it
			return false
		}
	}
	k := s.cork
	if k == nil {
		s.cork = l.corkBehind(l.root(s.conn.form), f)
		return true
	}
	s.cork = l.corkBehind(k, f)
	l.letGo(k)
	return false
}

// uncork writes what is held for the session.
func (s *Session) uncork() {
	k := s.cork
	if k == nil {
		return
	}
	s.cork = nil
	if s.conn != nil {
		s.conn.writeHeld(k)
	}
	s.loop.letGo(k)
}

// writeAll sends frames in as few writes as a cork has room for.
func (c *conn) writeAll(frames []*Frame) {
	l := c.loop
	k := l.uncorked(c.form)
	for _, f := range frames {
		if k.full(l.srv, f) {
			c.writeHeld(k)
			l.letGo(k)
			k = l.uncorked(c.form)
		}
		if !c.open() { // and frames were given back, perhaps
			break
		}
		behind := l.corkBehind(k, f)
		l.letGo(k)
		k = behind
	}
	if k.frames > 0 {
		c.writeHeld(k)
	}
	l.letGo(k)
}

// root is the cork of no frames.
func (l *loop) root(k form) *cork { return &l.roots[k] }

// uncorked is the root, for one more user.
func (l *loop) uncorked(k form) *cork {
	r := l.root(k)
	r.users++
	return r
}
