package engine

// outQueue is what waits for one client that cannot take more at the moment. It
// exists only while the client is blocked: gnet holds one frame at most, or the
// rest of it, this holds references to what follows.
type outQueue struct {
	backlog
	control []byte // pings and pongs: sent before the frames, at most maxControl bytes
	last    []byte // the close frame: sent after the frames
	since   uint64 // tick at which the client last took something
	left    int    // what gnet held at that tick, in bytes
	index   int32  // in loop.blocked
	losing  bool   // its oldest frames are being dropped
}

// maxControl bounds control frames waiting for one blocked client, in bytes.
const maxControl = 512

// block makes the connection wait for its peer; the tick looks after it.
func (c *conn) block() {
	if c.out != nil || c.flags&(connClosed|connDoomed) != 0 {
		return
	}
	l := c.loop
	c.out = &outQueue{since: l.now, index: int32(len(l.blocked))}
	l.blocked = append(l.blocked, c)
	c.markWaiting(true)
	l.dueBy(l.now + 1)
}

// unblock drops the queue and what it holds.
func (c *conn) unblock() {
	q := c.out
	if q == nil {
		return
	}
	c.out = nil
	c.markWaiting(false)
	l := c.loop
	q.drop(l)
	last := len(l.blocked) - 1
	l.blocked[q.index] = l.blocked[last]
	if c != l.blocked[last] {
		l.blocked[q.index].out.index = q.index
	}
	l.blocked[last] = nil
	l.blocked = l.blocked[:last]
}

// writeHeld sends the frames of k in one write. What the kernel does not take, or a
// client that is blocked, waits by reference.
func (c *conn) writeHeld(k *cork) {
	if !c.open() {
		return
	}
	c.loop.stats.packetsOut.Add(uint64(k.frames))
	c.loop.stats.bytesOut.Add(uint64(k.bytes))
	n := 0
	if c.out == nil {
		b := k.wire(c.loop.srv)
		var ok bool
		c.loop.stats.writes.Add(1)
		switch n, ok = c.push(b); {
		case !ok:
			c.doom()
			return
		case n == len(b):
			if c.flags&connSecure != 0 && !c.takes() {
				c.block()
			}
			return
		}
		c.block()
	}
	c.enqueueRest(k, n)
}

// enqueueRest keeps what comes behind the first n bytes of k: the rest of a frame
// that was cut goes to gnet, references to those behind it wait.
func (c *conn) enqueueRest(k *cork, n int) {
	start := k.bytes - k.frame.size(c.loop.srv, k.form)
	if start > n {
		c.enqueueRest(k.before, n)
	}
	switch {
	case !c.open():
	case start < n:
		c.spill(k.frame.wire(c.loop.srv, k.form)[n-start:])
	default:
		c.enqueue(k.frame)
	}
}

// enqueue queues a reference. Volatile frames are dropped (Node: a transport that
// is not writable); at its bound the client is closed, or loses its oldest.
func (c *conn) enqueue(f *Frame) {
	q, l := c.out, c.loop
	if f.volatile {
		l.stats.volatileDropped.Add(1)
		return
	}
	lost, cause, ok := q.makeRoom(l, f)
	if !ok {
		c.tooSlow(cause)
		return
	}
	q.add(l, f)
	if s := c.session; lost && !q.losing && s != nil {
		q.losing = true
		s.tellSlow(Slow{cause, false, q.bytes, len(q.frames)})
	}
}

// writeControl sends a control frame or an engine packet ahead of what waits.
func (c *conn) writeControl(b []byte) {
	c.loop.stats.packetsOut.Add(1)
	c.loop.stats.bytesOut.Add(uint64(len(b)))
	switch {
	case !c.open():
	case c.out == nil:
		if c.write(b); !c.takes() {
			c.block()
		}
	case len(c.out.control)+len(b) <= maxControl:
		c.out.control = append(c.out.control, b...)
	}
}

// writeLast sends b after everything that waits, and nothing follows it.
func (c *conn) writeLast(b []byte) {
	switch {
	case !c.open():
		return
	case c.out != nil:
		c.out.last = b
	default:
		if c.write(b); !c.takes() {
			c.block()
		}
	}
	c.flags |= connClosing
}

// takes reports that the connection lives and gnet holds nothing for it.
func (c *conn) takes() bool {
	return c.flags&(connClosed|connDoomed) == 0 && c.gc.OutboundBuffered() == 0
}

// retryBlocked gives every blocked connection of the loop what it can take now.
func (l *loop) retryBlocked() {
	for i := len(l.blocked) - 1; i >= 0; i-- {
		if i < len(l.blocked) { // one that failed has left the list
			l.blocked[i].retry()
		}
	}
	if len(l.blocked) > 0 {
		l.dueBy(l.now + 1)
	}
}

// retry drains the queue as far as the peer takes it, ends the blockade when
// nothing is left, and closes a peer that took nothing for too long.
func (c *conn) retry() {
	q := c.out
	if c.takes() {
		c.drain(q)
	}
	if c.flags&(connClosed|connDoomed) != 0 {
		return
	}
	if held := c.gc.OutboundBuffered(); held != q.left {
		q.left, q.since = held, c.loop.now
	}
	switch {
	case q.left == 0 && len(q.frames)+len(q.control)+len(q.last) == 0:
		c.drained()
	case c.loop.now-q.since > ticks(c.loop.srv.opts.MaxBlocked):
		c.tooSlow(SlowTime)
	}
}

// drain writes control frames, frames and the close frame until the kernel takes
// no more.
func (c *conn) drain(q *outQueue) {
	if len(q.control) > 0 {
		c.write(q.control)
		q.control = nil
	}
	for c.takes() && len(q.frames) > 0 {
		c.drainFrame(q)
	}
	if c.takes() && len(q.last) > 0 {
		c.write(q.last)
		q.last = nil
	}
}

// drainFrame sends the first frame of the queue. What the kernel does not take of it,
// or all of it, goes to gnet: it is told when the kernel takes more, and until then
// nobody has to ask.
func (c *conn) drainFrame(q *outQueue) {
	f := q.frames[0]
	c.loop.stats.writes.Add(1)
	b := f.wire(c.loop.srv, c.form)
	n, ok := c.push(b)
	if !ok {
		c.doom()
		return
	}
	if n > 0 {
		q.since = c.loop.now
	}
	if rest := b[n:]; len(rest) > 0 {
		q.left += len(rest)
		c.spill(rest)
	}
	if c.out == q {
		q.remove(c.loop, 0)
	} // else the write failed, and with it all that waited
}

// drained ends the blockade. A connection that spoke its last word over HTTP hangs
// up; a WebSocket waits for the peer's close frame.
func (c *conn) drained() {
	c.unblock()
	switch {
	case c.flags&connHalf != 0:
		c.closeHalf()
	case c.flags&connClosing != 0 && c.http != nil:
		c.hangUp()
	}
}
