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
	eio4      bool
}

// route serves the request whose head is b[:n]; the scratch request holds its
// parts. It returns what of b follows the request, nothing when the connection
// went elsewhere.
func (c *conn) route(b []byte, n int) (rest []byte) {
	q, srv := &c.loop.request, c.loop.srv
	c.note(q)
	if !srv.owns(q.Path) {
		return c.foreign(b)
	}
	c.flags &^= connReturned
	c.loop.stats.requests.Add(1)
	c.http.cors = srv.opts.CORS.lines(q.Get("Origin"))
	if srv.opts.CORS.on() && string(q.Method) == http.MethodOptions {
		if q.ContentLength != 0 { // a body nobody reads must not become the next request
			c.http.flags &^= httpKeepAlive
		}
		c.answer(http1.Response{Status: http.StatusNoContent, Header: srv.opts.CORS.preflight(q)})
		return b[n:]
	}
	in := srv.intentOf(q)
	if srv.draining.Load() && in.session == nil {
		if in.hasSID && string(q.Method) == http.MethodPost { // it was told already, or will be: no error
			c.http.flags &^= httpKeepAlive
			c.answerText(http.StatusOK, textHTML, "ok")
			return nil
		}
		return c.busy() // the others come for their farewell
	}
	if in.session != nil && in.session.loop != c.loop {
		return c.moveTo(in.session.loop, b)
	}
	if q.Upgrade {
		return c.routeUpgrade(q, &in, b, n)
	}
	return c.routePolling(q, &in, b, n)
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

// owns reports whether the engine serves the path: a prefix match that wants the
// slash (Node: path with addTrailingSlash).
func (s *Server) owns(path []byte) bool {
	if !bytes.HasPrefix(path, s.prefix) {
		return false
	}
	return s.opts.OwnPath == nil || !s.opts.OwnPath(string(path))
}

// intentOf reads the query. A parameter that occurs twice is as bad as an unknown one.
func (s *Server) intentOf(q *http1.Request) (in intent) {
	in.transport = s.transportOf(q.Query)
	sid, n, ok := http1.QueryValue(q.Query, "sid")
	in.hasSID = n > 0
	if n == 1 && ok {
		in.session = s.table.get(sid)
	}
	eio, n, _ := http1.QueryValue(q.Query, "EIO")
	in.eio4 = n == 1 && string(eio) == "4"
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
// it, or nil. allowRequest comes before the protocol version.
func (in *intent) verify(q *http1.Request) *requestError {
	switch {
	case in.transport == 0:
		return errUnknownTransport
	case !validOrigin(q.Get("Origin")):
		return errBadRequest
	case in.hasSID && in.session == nil:
		return errUnknownSID
	case in.hasSID && !q.Upgrade && in.session.Transport() != in.transport:
		return errBadRequest
	case in.hasSID:
		return nil
	case string(q.Method) != http.MethodGet:
		return errBadMethod
	case in.transport == WebSocket && !q.Upgrade:
		return errBadRequest
	case !in.eio4:
		return errProtocolVersion
	}
	return nil
}

// routePolling serves a request that is no upgrade.
func (c *conn) routePolling(q *http1.Request, in *intent, b []byte, n int) (rest []byte) {
	if err := in.verify(q); err != nil {
		return c.reject(q, err, b[n:])
	}
	get, post := string(q.Method) == http.MethodGet, string(q.Method) == http.MethodPost
	switch {
	case post && in.hasSID:
		c.beginPost(in.session, q)
		return b[n:]
	case q.ContentLength != 0: // a body nobody asked for
		return c.reject(q, errBadRequest, nil)
	case get && in.hasSID:
		c.noteCoding(q)
		in.session.onGet(c)
	case get && (c.loop.srv.crowded() || !c.loop.admit()):
		return c.busy()
	case get:
		c.handshakePolling(b[:n])
	default: // fact 9
		c.answer(http1.Response{Status: http.StatusInternalServerError})
	}
	return b[n:]
}

// reject answers a request the engine does not accept. A body that comes with it
// is not read: the connection closes.
func (c *conn) reject(q *http1.Request, err *requestError, rest []byte) []byte {
	c.loop.stats.rejected[err.code].Add(1)
	if q.ContentLength != 0 || rest == nil {
		c.http.flags &^= httpKeepAlive
		rest = nil
	}
	c.answer(http1.Response{Status: err.status, ContentType: jsonType, Body: err.body})
	return rest
}
