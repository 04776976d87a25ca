package engine

import (
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/packet"
)

// polling is what a session needs while its transport is long-polling: at most
// one GET and one POST at a time, and what waits for the next GET. Loop-only.
type polling struct {
	get   *conn  // whose answer we owe
	post  *conn  // whose body is being read
	probe *conn  // the WebSocket that wants to take over
	inner *Inner // whose packets are handed over at once; nil for all but those within the process
	backlog
	flags pollFlag
}

type pollFlag uint8

const (
	pollPing     pollFlag = 1 << iota // a ping is to be sent; in revision 3, a pong
	pollProbed                        // the probe was answered: every GET is released at once
	pollLosing                        // the oldest frames are being dropped
	pollCompress                      // something of what was taken may be compressed
)

// enqueue queues a reference for the next GET, which is answered at the end of
// the turn. Volatile frames need a GET that waits (Node: a writable transport).
func (s *Session) enqueue(f *Frame) {
	p, l := s.poll, s.loop
	if f.volatile && !p.takes() {
		l.stats.volatileDropped.Add(1)
		return
	}
	lost, cause, ok := p.makeRoom(l, f)
	if !ok {
		s.tooSlow(cause)
		return
	}
	p.add(l, f)
	if !p.takes() {
		s.set(flagWaiting)
	}
	s.markDirty()
	if lost && p.flags&pollLosing == 0 {
		p.flags |= pollLosing
		s.tellSlow(Slow{cause, false, p.bytes, len(p.frames)})
	}
	if l.srv.queuedBytes() > l.srv.opts.MaxQueuedBytes {
		l.dueBy(l.now + 1) // to shed
	}
}

// takes reports that what is queued leaves at the end of the turn.
func (p *polling) takes() bool { return p.get != nil || p.inner != nil }

// markDirty has the session flushed at the end of the turn.
func (s *Session) markDirty() {
	if !s.has(flagDirty) {
		s.set(flagDirty)
		s.loop.dirty = append(s.loop.dirty, s)
	}
}

// flush answers the held GET with everything that waits.
func (s *Session) flush() {
	p := s.poll
	if p != nil && p.inner != nil {
		s.flushInner()
		return
	}
	if p == nil || p.get == nil || s.has(flagClosed) || (len(p.frames) == 0 && p.flags&pollPing == 0) {
		return
	}
	if !s.flushShared() {
		s.answerGet(s.takePayload(s.loop.payload[:0]))
	}
}

// dropQueue releases what waits for the next GET.
func (s *Session) dropQueue() {
	s.poll.drop(s.loop)
	s.poll.flags &^= pollLosing
	s.clear(flagWaiting)
}

// answerGet answers the held GET with a payload in the form k.
func (s *Session) answerGet(payload []byte, k form) {
	c := s.poll.get
	s.poll.get, c.session = nil, nil
	c.answerPoll(payload, k, s.poll.flags&pollCompress != 0)
	if s.loop.payload = payload; cap(payload) > maxScratch {
		s.loop.payload = nil
	}
}

var noStore = []byte("cache-control: no-store\r\n")

// releaseGet answers the held GET with a noop, so that the client can let go of
// polling (facts 34, 35).
func (s *Session) releaseGet() {
	if s.poll.get != nil {
		k := s.bareForm()
		s.answerGet(k.appendBare(s.loop.payload[:0], packet.Noop), k)
	}
}

// onGet takes a poll.
func (s *Session) onGet(c *conn) {
	p := s.poll
	switch {
	case s.has(flagClosed):
		s.sayFarewell(c)
	case p.get != nil: // fact 17
		c.answer(http1.Response{Status: http.StatusBadRequest})
		s.close(ReasonTransportError, byServer)
	default:
		p.get, c.session = c, s
		switch {
		case len(p.frames) > 0 || p.flags&pollPing != 0:
			s.flush()
		case p.flags&pollProbed != 0:
			s.releaseGet()
		}
	}
}

// sayFarewell answers a poll that comes after the server closed the session (fact 24):
// what was still queued, or else a noop and the close packet. Node has them in one
// answer; the clients 4.5 and 4.8 drop what stands beside a close packet.
func (s *Session) sayFarewell(c *conn) {
	if len(s.poll.frames) > 0 {
		b, k := s.takePayload(s.loop.payload[:0])
		delete(s.loop.parting, s)
		s.loop.armSession(s, s.loop.now+farewellTicks)
		c.answerPoll(b, k, s.poll.flags&pollCompress != 0)
		return
	}
	k := s.bareForm()
	b := k.appendBare(k.appendBare(s.loop.payload[:0], packet.Noop), packet.Close)
	s.remove()
	c.answerPoll(b, k, false)
}
