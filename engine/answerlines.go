package engine

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// The header lines that go with an answer besides the engine's own are made when the
// request comes, and wait in httpState.lines: a poll is answered later, and is not to
// keep more than that.

// decorate adds the lines of an accepted request: the cookie and what the hooks want. s
// is the session, nil where there is none yet; initial says that the request opens it.
func (c *conn) decorate(q *http1.Request, in *intent, s *Session, initial bool) {
	srv := c.loop.srv
	hooks := srv.hooks.Load()
	cookie := initial && !q.Upgrade && srv.opts.Cookie != nil
	if in.transport == Polling && ofInternetExplorer(q.Get("User-Agent")) { // fact 12
		c.http.lines += "X-XSS-Protection: 0\r\n"
	}
	if !cookie && (hooks == nil || len(hooks.headers)+len(hooks.initialHeaders) == 0) {
		return
	}
	h := make(http.Header)
	if cookie {
		h.Set("Set-Cookie", srv.opts.Cookie.of(s.ID()))
	}
	if hooks != nil && len(hooks.headers)+len(hooks.initialHeaders) > 0 {
		r := c.requestFor(q, in)
		if initial {
			for _, fn := range hooks.initialHeaders {
				fn(h, r)
			}
		}
		for _, fn := range hooks.headers {
			fn(h, r)
		}
	}
	c.http.lines += headerLines(h, framing, engines)
}

// ofInternetExplorer looks for what Node looks for.
func ofInternetExplorer(agent []byte) bool {
	return bytes.Contains(agent, []byte(";MSIE")) || bytes.Contains(agent, []byte("Trident/"))
}

// fields is a set of canonical field names.
type fields map[string]bool

var (
	// framing says how a message is framed: never the application's to set.
	framing = fields{
		"Content-Type": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true,
		"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Upgrade": true,
	}
	// engines says what else the engine decides where the answer is its own.
	engines = fields{
		"Content-Encoding": true, "Content-Range": true, "Cache-Control": true,
		"Sec-Websocket-Accept": true, "Sec-Websocket-Protocol": true, "Sec-Websocket-Extensions": true,
	}
)

// headerLines writes h, sorted by name, but for fields that are not for the application
// to set.
func headerLines(h http.Header, not ...fields) string {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := http.CanonicalHeaderKey(name)
		if slices.ContainsFunc(not, func(set fields) bool { return set[key] }) {
			continue
		}
		for _, value := range h[name] {
			b = http1.AppendField(b, name, value)
		}
	}
	return string(b)
}

// oneLine is a header's value without what could end its line.
func oneLine(value string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
}

// requestFor is the request as hooks are to see it: as the middlewares left it, if there
// are any.
func (c *conn) requestFor(q *http1.Request, in *intent) *http.Request {
	if in.verdict != nil && in.verdict.request != nil {
		return in.verdict.request
	}
	return c.httpRequest(q)
}

// httpRequest is the request in net/http's form, without its body.
func (c *conn) httpRequest(q *http1.Request) *http.Request {
	r := &http.Request{
		Method: string(q.Method), RequestURI: string(q.Target), Host: string(q.Host),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: q.Minor, ContentLength: q.ContentLength,
		Header: make(http.Header, len(q.Fields)), Body: http.NoBody,
	}
	if q.Minor == 0 {
		r.Proto = "HTTP/1.0"
	}
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		u = &url.URL{Path: string(q.Path), RawQuery: string(q.Query)}
	}
	r.URL = u
	for _, f := range q.Fields {
		switch name := http.CanonicalHeaderKey(string(f.Name)); name {
		case "Host":
		case "Transfer-Encoding":
			r.TransferEncoding = []string{"chunked"}
		default:
			r.Header[name] = append(r.Header[name], string(f.Value))
		}
	}
	p := c.peer()
	r.RemoteAddr, r.TLS = p.address(), p.TLS
	return r
}
