package engine

import (
	"errors"
	"net/http"
	"sync"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/valyala/bytebufferpool"
)

// httpState is what a connection needs while it speaks HTTP: one request at a
// time is in progress, what arrives behind it waits. 48 bytes, held by a test.
type httpState struct {
	carry   *bytebufferpool.ByteBuffer // bytes not parsed yet
	post    *postState                 // the body being read
	rare    *rareHTTP                  // what few requests need; nil for most
	lines   string                     // ready header lines for the answer that is owed
	scanned int32                      // bytes of carry searched for the end of a head
	flags   httpFlag
	waits   waitKind
}

// rareHTTP is the part of httpState that few requests need. It goes with the answer.
type rareHTTP struct {
	parked *parked // the request, while the application has it
	index  string  // of the JSONP client's callback
	jsonp  bool    // the answer is to be a call of that
}

func (h *httpState) need() *rareHTTP {
	if h.rare == nil {
		h.rare = new(rareHTTP)
	}
	return h.rare
}

type httpFlag uint8

const (
	httpBusy      httpFlag = 1 << iota // an answer is owed
	httpServing                        // inside serveHTTP
	httpKeepAlive                      // the connection may serve another request
	httpMinor0                         // the request was HTTP/1.0
	httpHead                           // the request was HEAD
	httpGzip                           // a poll whose answer may be gzip
	httpDeflate                        // or deflate
)

// waitKind says what the connection's timer watches.
type waitKind uint8

const (
	waitUnset waitKind = iota
	waitHead           // a head has to arrive
	waitBody           // a body has to arrive
	waitIdle           // between two requests
	waitNone           // the answer is ours to give
	waitHook           // the application has to judge the request
)

// maxPipelined bounds what may arrive behind a request in progress, in bytes:
// reading cannot be paused.
const maxPipelined = 64 << 10

// textPlain and textHTML are the content types of polling (facts 1, 16).
const (
	textPlain = "text/plain; charset=UTF-8"
	textHTML  = "text/html"
	jsonType  = "application/json"

	// octetStream is the content type of payloads in bytes, which only revision 3 knows.
	octetStream = "application/octet-stream"
)

// httpStates go round in a connect storm: a WebSocket needs one for its first
// request only.
var httpStates = sync.Pool{New: func() any { return new(httpState) }}

func newHTTPState() *httpState { return httpStates.Get().(*httpState) }

// free gives h back, once no connection has it any more.
func (h *httpState) free() {
	h.reset()
	*h = httpState{}
	httpStates.Put(h)
}

// reset gives the buffers back.
func (h *httpState) reset() {
	if h.carry != nil {
		bytebufferpool.Put(h.carry)
		h.carry = nil
	}
	if h.post != nil {
		h.post.reset()
		h.post = nil
	}
	h.unpark()
	h.rare = nil
}

// feedHTTP takes what was read while the connection speaks HTTP.
func (c *conn) feedHTTP(b []byte) {
	h := c.http
	if h.carry != nil {
		_, _ = h.carry.Write(b)
		b = h.carry.B
	}
	rest := c.serveHTTP(b)
	if c.http == h && c.open() {
		c.keep(rest)
	}
}

// keep stores what could not be parsed yet; it may be the tail of carry itself.
func (c *conn) keep(rest []byte) {
	h := c.http
	switch {
	case len(rest) == 0:
		if h.carry != nil {
			bytebufferpool.Put(h.carry)
			h.carry = nil
		}
	case len(rest) > c.maxBehind() && h.awaitsBody():
		c.tooLarge()
		return
	case len(rest) > c.maxBehind():
		c.refuse(&http1.Error{Status: http.StatusRequestHeaderFieldsTooLarge, Reason: "too much behind a request in progress"})
		return
	case h.carry == nil:
		h.carry = bytebufferpool.Get()
		fallthrough
	default:
		h.carry.B = append(h.carry.B[:0], rest...)
	}
	c.await()
}

// maxBehind bounds what may wait behind a request in progress: the body of a parked
// request waits there, too.
func (c *conn) maxBehind() int {
	if c.http.awaitsBody() {
		return maxPipelined + int(c.loop.srv.opts.MaxHTTPBufferSize)
	}
	return maxPipelined
}

// resume serves what arrived while an answer was owed.
func (c *conn) resume() {
	if h := c.http; c.open() && h != nil && h.flags&httpServing == 0 {
		if h.carry != nil {
			c.feedHTTP(nil)
		} else {
			c.await()
		}
	}
}

// serveHTTP works through b, request by request, and returns what is left of it.
func (c *conn) serveHTTP(b []byte) []byte {
	h := c.http
	h.flags |= httpServing
	for len(b) > 0 && c.open() && c.http == h && h.flags&httpBusy == 0 {
		if h.post != nil {
			b = c.readBody(b)
			continue
		}
		n, err := http1.ParseHead(b, int(h.scanned), &c.loop.request)
		if err != nil {
			c.refuse(err)
			return nil
		}
		if n == 0 {
			h.scanned = int32(len(b))
			break
		}
		h.scanned = 0
		b = c.route(b, n)
	}
	if c.http == h { // else it is another connection's by now
		h.flags &^= httpServing
	}
	return b
}

// await arms the timer for what the connection waits for now.
func (c *conn) await() {
	h, opts := c.http, &c.loop.srv.opts
	kind := waitIdle
	switch {
	case h.isParked():
		kind = waitHook
	case h.flags&httpBusy != 0:
		kind = waitNone
	case h.post != nil:
		kind = waitBody
	case h.carry != nil:
		kind = waitHead
	}
	if kind == h.waits {
		return
	}
	h.waits = kind
	switch kind {
	case waitNone:
		c.loop.connTimers.Disarm(c)
	case waitBody:
		c.expire(c.loop.srv.bodyTicks())
	case waitHead:
		c.expire(ticks(opts.HeaderTimeout))
	case waitIdle:
		if o := originOf(c.gc); o != nil && o.kept {
			c.loop.connTimers.Disarm(c)
			return
		}
		c.expire(ticks(opts.IdleTimeout))
	case waitHook:
		c.expire(ticks(opts.ConnectTimeout))
	}
}

// refuse answers a request that is not HTTP, or not ours to parse, and closes.
func (c *conn) refuse(err error) {
	status := http.StatusBadRequest
	var e *http1.Error
	if errors.As(err, &e) {
		status = e.Status
	}
	c.loop.stats.badRequests.Add(1)
	c.http.flags &^= httpKeepAlive
	c.answer(http1.Response{Status: status})
}

// answer sends the response that is owed, closes the connection where it may not
// be used again, and goes on with what arrived meanwhile.
func (c *conn) answer(r http1.Response) {
	h, l := c.http, c.loop
	if h == nil || !c.open() {
		return
	}
	h.unpark()
	if c.gc.OutboundBuffered() > l.srv.opts.HighWaterMark {
		c.tooSlow(SlowBytes) // sends requests but does not take the answers
		return
	}
	r.Close = h.flags&httpKeepAlive == 0 || l.srv.draining.Load()
	r.KeepAlive10 = h.flags&httpMinor0 != 0
	r.Head = h.flags&httpHead != 0
	if h.lines != "" {
		r.Header = append(append(l.header[:0], r.Header...), h.lines...)
		l.header = r.Header
	}
	l.scratch = r.AppendTo(l.scratch[:0])
	h.flags &^= httpBusy
	h.lines, h.rare = "", nil
	c.write(l.scratch)
	l.trimScratch()
	if r.Close {
		c.hangUp()
	} else if h.flags&httpServing == 0 && c.flags&connAnswered == 0 {
		c.flags |= connAnswered
		l.answered = append(l.answered, c)
	}
}

// answerText sends a polling response.
func (c *conn) answerText(status int, contentType, body string) {
	c.answer(http1.Response{Status: status, ContentType: contentType, Body: []byte(body)})
}

// maxScratch is the largest response buffer a loop keeps, in bytes.
const maxScratch = 256 << 10

func (l *loop) trimScratch() {
	if cap(l.scratch) > maxScratch {
		l.scratch = nil
	}
}
