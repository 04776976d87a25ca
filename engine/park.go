package engine

import (
	"bytes"
	"context"
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/valyala/bytebufferpool"
)

// parked is a request that waits for the application's word. Its connection serves no
// other meanwhile; what arrives behind it waits in the connection's carry buffer.
type parked struct {
	conn    *conn          // loop-only; nil when nobody waits for the answer any more
	loop    *loop          // immutable
	head    []byte         // immutable: the request's, as it came
	request *http.Request  // immutable: what the application sees
	chain   []http.Handler // immutable: the middlewares it goes through
	cancel  context.CancelFunc
	served  bool // immutable: its protocol is
	upgrade bool // immutable
	fresh   bool // immutable: it opens a session, and there is nothing wrong with it so far
	verdict verdict
	next    *parked // guarded by judges.mu
}

// park has the application asked about the request at the start of b. It returns what
// follows it.
func (c *conn) park(q *http1.Request, in *intent, b []byte, n int) (rest []byte) {
	l, srv := c.loop, c.loop.srv
	ctx, cancel := context.WithCancel(context.Background())
	p := &parked{
		conn: c, loop: l, head: bytes.Clone(b[:n:n]), request: c.httpRequest(q).WithContext(ctx), cancel: cancel,
		served: in.protocol == 4 || in.eio3, upgrade: q.Upgrade, fresh: in.opens(q),
	}
	if h := srv.hooks.Load(); h != nil {
		p.chain = h.chain
	}
	if !srv.judges.take(p) {
		cancel()
		l.stats.unjudged.Add(1)
		return c.busy()
	}
	srv.gauges.parked.Add(1)
	c.http.need().parked = p
	return b[n:]
}

// unpark takes the connection's request back from the application, whatever that says.
func (h *httpState) unpark() {
	if h.rare == nil || h.rare.parked == nil {
		return
	}
	p := h.rare.parked
	h.rare.parked = nil
	p.loop.srv.gauges.parked.Add(-1)
	p.conn = nil
	p.cancel()
}

// isParked reports that the application has the request.
func (h *httpState) isParked() bool { return h.rare != nil && h.rare.parked != nil }

// awaitsBody reports that what arrives behind a parked request is its body.
func (h *httpState) awaitsBody() bool {
	return h.isParked() && h.rare.parked.request.ContentLength != 0
}

// goOn serves a request that was judged, and what has arrived behind it. Loop-only.
func (p *parked) goOn() {
	defer p.loop.srv.table.names.release(p.verdict.name) // if it did not become a session's
	c := p.conn
	if c == nil || !c.open() { // gone, or to be closed at the end of this turn
		return
	}
	defer p.loop.recoverFor(c)
	h := c.http
	h.unpark()
	b := p.head
	if carry := h.carry; carry != nil {
		b = append(b, carry.B...)
		bytebufferpool.Put(carry)
		h.carry = nil
	}
	q := &p.loop.request
	n, err := http1.ParseHead(b, 0, q)
	if err != nil || n != len(p.head) { // it parsed the first time
		c.doom()
		return
	}
	h.flags |= httpServing
	rest := c.judged(q, b, n, &p.verdict)
	if c.http == h && c.open() {
		rest = c.serveHTTP(rest)
	}
	if c.http == h && c.open() {
		c.keep(rest)
	}
}

// judged serves the request at the start of b as the verdict says.
func (c *conn) judged(q *http1.Request, b []byte, n int, v *verdict) (rest []byte) {
	in := c.intentOf(q)
	in.verdict = v
	c.http.lines += headerLines(v.header, framing, engines)
	switch {
	case v.answer != nil:
		return c.answerOwn(q, v.answer, b[n:])
	case c.loop.srv.draining.Load() && in.session == nil:
		return c.busy()
	case v.refusal == errMiddleware && q.Upgrade:
		return c.rejectUpgrade(q, &in, errMiddleware)
	case v.refusal == errMiddleware:
		return c.reject(q, &in, errMiddleware, b[n:])
	case in.session != nil && in.session.loop != c.loop: // another one by now, under the same name
		return c.moveTo(in.session.loop, b)
	}
	return c.dispatch(q, &in, b, n)
}

// answerOwn sends what a middleware answered.
func (c *conn) answerOwn(q *http1.Request, x *passage, rest []byte) []byte {
	c.loop.stats.answered.Add(1)
	if q.Upgrade || q.ContentLength != 0 {
		c.http.flags &^= httpKeepAlive
		rest = nil
	}
	contentType := x.header.Get("Content-Type")
	if contentType == "" && len(x.body) > 0 {
		contentType = http.DetectContentType(x.body)
	}
	c.http.lines += headerLines(x.header, framing)
	c.answer(http1.Response{Status: x.status, ContentType: oneLine(contentType), Body: x.body})
	return rest
}
