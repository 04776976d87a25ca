package engine

import (
	"context"
	"time"
)

// Queue is what waits for one client at a moment: sent by the server, and not yet
// taken by the kernel or, over polling, by a poll.
type Queue struct {
	Packets int           // a binary event counts once
	Bytes   int           // of them, as they go over WebSocket
	Blocked time.Duration // how long the client has taken nothing although something waits; 0 over polling
}

// Queue calls fn on the session's loop with what waits for its client once the
// caller's sends up to now are handed out. fn must not block; it is not called when
// the server has stopped, and told of nothing for a session that is closed. Safe for
// concurrent use.
func (s *Session) Queue(fn func(Queue)) {
	s.Run(func() { fn(s.queue()) })
}

// queue is what waits at this moment. Loop-only.
func (s *Session) queue() (q Queue) {
	if s.has(flagClosed) {
		return q
	}
	if k := s.cork; k != nil {
		q.Packets, q.Bytes = k.frames, k.bytes
	}
	switch {
	case s.poll != nil:
		q.Packets += len(s.poll.frames)
		q.Bytes += s.poll.bytes
	case s.conn != nil && s.conn.out != nil:
		out, held := s.conn.out, s.conn.gc.OutboundBuffered()
		q.Packets += len(out.frames)
		if held > 0 {
			q.Packets++ // the one that was cut
		}
		q.Bytes += out.bytes + held
		q.Blocked = time.Duration(s.loop.srv.clock.now()-out.since) * tickLength
	}
	return q
}

// Writable reports whether nothing waits because the client does not take it: over
// WebSocket it is not blocked, over polling nothing waits for its next poll. Safe
// for concurrent use.
func (s *Session) Writable() bool { return !s.has(flagWaiting) }

// markWaiting notes that the session whose transport c is, is blocked or not.
func (c *conn) markWaiting(on bool) {
	switch s := c.session; {
	case s == nil || s.conn != c:
	case on:
		s.set(flagWaiting)
	default:
		s.clear(flagWaiting)
	}
}

// drainWait is somebody who waits until nothing waits for a client.
type drainWait struct {
	session *Session
	ctx     context.Context
	fn      func()
}

// Drained calls fn on the session's loop once what the caller sent up to now, and
// what others did meanwhile, has been taken by the client's connection, or when the
// session is closed: at once, or within a tick of 10 ms. It is forgotten when ctx is
// done or the server stops. Safe for concurrent use.
func (s *Session) Drained(ctx context.Context, fn func()) {
	s.Run(func() {
		if s.isDrained() {
			fn()
			return
		}
		l := s.loop
		l.drains = append(l.drains, drainWait{s, ctx, fn})
		l.dueBy(l.now + 1)
	})
}

func (s *Session) isDrained() bool {
	return s.has(flagClosed) || s.cork == nil && s.waiting() == 0 && s.takes()
}

// takes reports that gnet holds nothing for the client.
func (s *Session) takes() bool { return s.conn == nil || s.conn.out == nil }

// tellDrained looks at those who wait for clients to drain. It is called once a tick.
// Loop-only.
func (l *loop) tellDrained() {
	if len(l.drains) == 0 {
		return
	}
	waiting := l.drains
	l.drains = nil // fn may add to it
	for _, w := range waiting {
		switch {
		case w.ctx.Err() != nil:
		case w.session.isDrained():
			w.session.run(w.fn)
		default:
			l.drains = append(l.drains, w)
		}
	}
	if len(l.drains) > 0 {
		l.dueBy(l.now + 1)
	}
}
