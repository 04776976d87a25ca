package engine

import (
	"bytes"
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// intent is what a request for the engine asks for, read from its query (facts 3, 4).
type intent struct {
	transport Transport // 0 when unknown
	hasSID    bool
	session   *Session // nil when there is no sid or nobody has it
	protocol  int      // as Node reads it: 4, or 3 for everything else
	eio3      bool     // the latter is served
	base64    bool     // the client wants no bytes (b64=1)
	verdict   *verdict // what the application said; nil where it was not asked
}

// route serves the request whose head is b[:n]; the scratch request holds its
// parts. It returns what of b follows the request, nothing when the connection
// went elsewhere.
func (c *conn) route(b []byte, n int) (rest []byte) {
	q, srv := &c.loop.request, c.loop.srv
	c.note(q)
	if err := c.identify(q); err != nil {
		c.refuse(err)
		return nil
	}
	switch {
	case !srv.owns(q.Path):
		return c.foreign(b)
	case c.flags&connReturned == 0 && srv.elsewhere(q.Query) != nil: // else net/http has looked at it
		return c.handOver(b)
	}
	c.flags &^= connReturned
	c.http.lines = srv.cors.Load().lines(q.Get("Origin"))
	if !c.mayAsk() { // who has to move is asked twice: that is what it costs
		return c.tooMany(q, b[n:])
	}
	in := c.intentOf(q)
	if in.session != nil && in.session.loop != c.loop {
		return c.moveTo(in.session.loop, b)
	}
	c.loop.stats.requests.Add(1)
	if k := srv.cors.Load(); k.on() && !k.PreflightContinue && string(q.Method) == http.MethodOptions {
		if q.ContentLength != 0 { // a body nobody reads must not become the next request
			c.http.flags &^= httpKeepAlive
		}
		c.answer(k.answer(q))
		return b[n:]
	}
	if in.session == nil && in.hasSID && string(q.Method) == http.MethodPost && srv.leaves() { // it was told already, or will be: no error
		c.http.flags &^= httpKeepAlive
		c.answerText(http.StatusOK, textHTML, "ok")
		return nil
	}
	if srv.draining.Load() && in.session == nil {
		return c.busy() // the others come for their farewell
	}
	if !srv.turnsAway(&in) && srv.asks(&in, q) {
		if in.opens(q) && !c.mayOpen() {
			return c.tooMany(q, b[n:])
		}
		return c.park(q, &in, b, n)
	}
	return c.dispatch(q, &in, b, n)
}

// dispatch serves a request that the application has nothing to say about, or has judged.
func (c *conn) dispatch(q *http1.Request, in *intent, b []byte, n int) (rest []byte) {
	if c.loop.srv.turnsAway(in) { // maybe since the application was asked
		c.loop.stats.turnedAway.Add(1)
		return c.busy()
	}
	if q.Upgrade {
		return c.routeUpgrade(q, in, b, n)
	}
	return c.routePolling(q, in, b, n)
}

// note remembers of the request what its answer will need.
func (c *conn) note(q *http1.Request) {
	f := c.http.flags &^ (httpKeepAlive | httpMinor0 | httpHead)
	if q.KeepAlive {
		f |= httpKeepAlive
		if q.Minor == 0 {
			f |= httpMinor0
		}
	}
	if string(q.Method) == http.MethodHead {
		f |= httpHead
	}
	c.http.flags = f | httpBusy
	c.http.waits = waitUnset // the deadline of one request is not the next one's
}

// owns reports whether the engine serves the path: Path and its slash, and all that
// begins so; with NoTrailingSlash, Path alone as well.
func (s *Server) owns(path []byte) bool {
	if !bytes.HasPrefix(path, s.prefix) && (!s.opts.NoTrailingSlash || string(path) != s.opts.Path) {
		return false
	}
	return s.opts.OwnPath == nil || !s.opts.OwnPath(string(path))
}

// intentOf reads the query. A parameter that occurs twice is as bad as an unknown one.
func (c *conn) intentOf(q *http1.Request) (in intent) {
	s := c.loop.srv
	if in.transport = s.transportOf(q.Query); in.transport == WebTransport && c.socketTransport() != WebTransport {
		in.transport = 0 // it does not come over HTTP
	}
	sid, n, ok := http1.QueryValue(q.Query, "sid")
	in.hasSID = n > 0
	if n == 1 && ok {
		in.session = s.table.get(sid)
	}
	eio, n, _ := http1.QueryValue(q.Query, "EIO")
	in.protocol, in.eio3 = 3, s.opts.AllowEIO3
	if n == 1 && string(eio) == "4" {
		in.protocol = 4
	}
	b64, n, _ := http1.QueryValue(q.Query, "b64")
	in.base64 = n > 0 && len(b64) > 0
	return in
}

func (s *Server) transportOf(query []byte) Transport {
	name, n, ok := http1.QueryValue(query, "transport")
	if n != 1 || !ok {
		return 0
	}
	for _, t := range s.opts.Transports {
		if string(name) == t.String() {
			return t
		}
	}
	return 0
}

// verify checks a request in Node's order (fact 3) and returns what is wrong with
// it, or nil. AllowRequest comes before the protocol version.
func (in *intent) verify(q *http1.Request) *requestError {
	switch {
	case in.transport == 0:
		return errUnknownTransport
	case !validOrigin(q.Get("Origin")):
		return errInvalidOrigin
	case in.hasSID && in.session == nil:
		return errUnknownSID
	case in.hasSID && !q.Upgrade && in.session.Transport() != in.transport:
		return errTransportMismatch
	case in.hasSID && in.session.protocol() != in.protocol: // Engine.IO 6.6.12
		return errProtocolMismatch
	case in.hasSID && !q.Upgrade && in.transport != Polling: // a WebSocket's session has no use for it
		return errTransportHandshake
	case in.hasSID:
		return nil
	case string(q.Method) != http.MethodGet:
		return errBadMethod
	case in.transport != Polling && !q.Upgrade:
		return errTransportHandshake
	case in.verdict != nil && in.verdict.refusal != nil:
		return in.verdict.refusal
	case in.protocol == 3 && !in.eio3:
		return errProtocolVersion
	}
	return nil
}

// opens reports whether a request would open a session, for all that is checked before
// the application is asked: the protocol's version comes after that.
func (in *intent) opens(q *http1.Request) bool {
	err := in.verify(q)
	return !in.hasSID && (err == nil || err == errProtocolVersion)
}

// routePolling serves a request that is no upgrade.
func (c *conn) routePolling(q *http1.Request, in *intent, b []byte, n int) (rest []byte) {
	if err := in.verify(q); err != nil {
		return c.reject(q, in, err, b[n:])
	}
	if index, ok := c.loop.srv.jsonp(q); ok {
		if !c.loop.srv.cors.Load().admitsScript(q) {
			return c.reject(q, in, errForbidden, b[n:])
		}
		r := c.http.need()
		r.index, r.jsonp, in.base64 = index, true, true // a script carries no bytes
	}
	get, post := string(q.Method) == http.MethodGet, string(q.Method) == http.MethodPost
	switch {
	case post && in.hasSID:
		c.decorate(q, in, in.session, false)
		c.beginPost(in.session, q)
		return b[n:]
	case q.ContentLength != 0: // a body nobody asked for
		return c.reject(q, in, errBadRequest, nil)
	case get && in.hasSID:
		c.decorate(q, in, in.session, false)
		c.noteCoding(q)
		in.session.onGet(c)
	case get && in.verdict == nil && !c.mayOpen(): // before the application was asked, else
		return c.tooMany(q, b[n:])
	case get && (c.loop.srv.crowded() || !c.loop.admit()):
		return c.busy()
	case get:
		c.handshakePolling(q, in, b[:n])
	default: // fact 9
		c.answer(http1.Response{Status: http.StatusInternalServerError})
	}
	return b[n:]
}

// reject answers a request the engine does not accept. A body that comes with it
// is not read: the connection closes.
func (c *conn) reject(q *http1.Request, in *intent, err *requestError, rest []byte) []byte {
	c.loop.stats.rejected[err.code].Add(1)
	c.report(q, in, err)
	if q.ContentLength != 0 || rest == nil {
		c.http.flags &^= httpKeepAlive
		rest = nil
	}
	c.answer(http1.Response{Status: err.status, ContentType: jsonType, Body: err.body})
	return rest
}
