package engine

import (
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/valyala/bytebufferpool"
)

// postState is the body of a POST while it is being read.
type postState struct {
	body   http1.Body
	got    *bytebufferpool.ByteBuffer // nil while nothing had to be copied
	octets bool                       // a payload in bytes (revision 3)
	form   bool                       // the body is a JSONP client's form
	began  uint64                     // tick
}

func (p *postState) reset() {
	if p.got != nil {
		bytebufferpool.Put(p.got)
		p.got = nil
	}
}

// beginPost starts to read the body of a POST to s.
func (c *conn) beginPost(s *Session, q *http1.Request) {
	octets := string(q.Get("Content-Type")) == octetStream
	switch p := s.poll; {
	case s.has(flagClosed) && !c.loop.srv.draining.Load(): // at shutdown the next poll says it, without an error here
		c.reject(q, &intent{session: s, hasSID: true, transport: Polling, protocol: s.protocol()}, errUnknownSID, nil)
	case q.ContentLength > c.loop.srv.opts.MaxHTTPBufferSize: // fact 20
		c.tooLarge()
	case p.post != nil, octets && !s.has(flagEIO3): // facts 18, 19
		c.http.flags &^= httpKeepAlive
		c.answer(http1.Response{Status: http.StatusBadRequest})
		s.close(ReasonTransportError, byServer)
	default:
		if q.Expect100 {
			if c.write(http1.Continue); c.flags&connClosed != 0 {
				return
			}
		}
		p.post, c.session = c, s
		c.http.post = &postState{
			body: http1.NewBody(q), octets: octets, form: c.http.isJSONP(), began: c.loop.now,
		}
		c.http.flags &^= httpBusy
		if q.ContentLength == 0 {
			c.readBody(nil)
		}
	}
}

// tooLarge answers 413; the session lives on (fact 20).
func (c *conn) tooLarge() {
	c.loop.stats.tooLarge.Add(1)
	c.endPost()
	c.http.flags &^= httpKeepAlive
	c.answer(http1.Response{Status: http.StatusRequestEntityTooLarge})
}

// endPost forgets the body and its session.
func (c *conn) endPost() {
	if p := c.http.post; p != nil {
		p.reset()
		c.http.post = nil
		c.session.poll.post = nil
		c.session = nil
	}
}

// readBody takes body bytes from b and returns what follows the body. A body that
// is there as a whole is used where it lies.
func (c *conn) readBody(b []byte) []byte {
	p := c.http.post
	for {
		data, n, done, err := p.body.Next(b)
		b = b[n:]
		switch {
		case err != nil:
			s := c.session
			c.endPost()
			c.refuse(err)
			s.close(ReasonTransportError, byServer)
			return nil
		case done && p.got == nil:
			c.posted(data)
			return b
		case p.size()+len(data) > int(c.loop.srv.opts.MaxHTTPBufferSize):
			c.tooLarge()
			return nil
		}
		p.add(data)
		if done {
			c.posted(p.got.B)
			return b
		}
		if len(b) == 0 {
			return b
		}
	}
}

func (p *postState) size() int {
	if p.got == nil {
		return 0
	}
	return len(p.got.B)
}

func (p *postState) add(data []byte) {
	if p.got == nil {
		p.got = bytebufferpool.Get()
	}
	p.got.B = append(p.got.B, data...)
}

// posted hands the packets of a complete body to the session and answers "ok",
// whatever they were (facts 16, 21).
func (c *conn) posted(body []byte) {
	s, p := c.session, c.http.post
	c.http.post, s.poll.post, c.session = nil, nil, nil
	c.http.flags |= httpBusy
	c.loop.stats.bytesIn.Add(uint64(len(body)))
	c.loop.posting = c
	s.takeBody(body, p)
	c.loop.posting = nil
	p.reset()
	c.answerText(http.StatusOK, textHTML, "ok")
}

// takeBody takes the packets out of the body of p.
func (s *Session) takeBody(body []byte, p *postState) {
	if !p.form {
		s.takePayloadIn(body, p.octets)
		return
	}
	switch payload, found, ok := formPayload(body); {
	case !ok:
		s.close(ReasonParseError, byServer)
	case found:
		s.takePayloadIn(payload, false)
	}
}

// takePayloadIn works through a polling body packet by packet; the first one that
// is not Engine.IO ends the session.
func (s *Session) takePayloadIn(body []byte, octets bool) {
	it := packet.NewPayload(body)
	if s.has(flagEIO3) {
		it = packet.NewPayloadV3(body, octets)
	}
	for {
		p, ok, err := it.Next()
		switch {
		case err != nil:
			s.close(ReasonParseError, byServer)
			return
		case !ok:
			return
		case s.received(p) != nil:
			return
		}
	}
}

const (
	// bodyGrace is how long a body may take whatever its rate.
	bodyGrace = 5 * ticksPerSecond
	// bodyLook is how often the rate is looked at.
	bodyLook = ticksPerSecond
)

// bodyFlows is asked when the timer of a body has run out: true where it may go on.
func (c *conn) bodyFlows() bool {
	o, p := &c.loop.srv.opts, c.http.post
	took, rate := c.loop.now-p.began, c.loop.srv.rules.Load().MinBodyRate
	if rate <= 0 || took >= ticks(o.BodyTimeout) {
		return false
	}
	if int64(p.size())*ticksPerSecond >= int64(rate)*int64(took-bodyGrace) {
		c.expire(min(bodyLook, ticks(o.BodyTimeout)-took))
		return true
	}
	c.loop.limited(Limited{Limit: LimitBodyRate, Peer: c.host(), Session: c.session})
	return false
}

// bodyTicks is when a body is first looked at.
func (s *Server) bodyTicks() uint64 {
	if s.rules.Load().MinBodyRate > 0 {
		return min(bodyGrace+bodyLook, ticks(s.opts.BodyTimeout))
	}
	return ticks(s.opts.BodyTimeout)
}
