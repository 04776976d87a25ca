package engine

import (
	"bufio"
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// Request is the HTTP request that opened a session, kept as the bytes that
// arrived until Session.ReleaseRequest. Its methods are safe for concurrent use.
//
// Budget: 64 bytes (a size class), held by a test.
type Request struct {
	remote    netip.Addr // immutable; the zero value if the peer has no TCP address
	port      uint16     // immutable
	secure    bool       // immutable
	arrived   int64      // immutable: Unix time in nanoseconds
	connectBy uint64     // immutable: tick by which Established must have been called
	mu        sync.Mutex
	head      *keptHead // guarded by mu: request line and header fields, up to and with the empty line; nil when released
}

func newRequest(head []byte, p Peer, connectBy uint64) *Request {
	r := &Request{
		remote: p.Addr.Addr(), port: p.Addr.Port(), secure: p.secure(),
		head: keepHead(head), arrived: time.Now().UnixNano(), connectBy: connectBy,
	}
	r.head.tls = p.TLS
	return r
}

// RemoteAddr is the client's address; the zero value if it is not known. Where a trusted
// proxy named the client, the port may be 0.
func (r *Request) RemoteAddr() netip.AddrPort { return netip.AddrPortFrom(r.remote, r.port) }

// Secure reports that the client speaks TLS, with the server or with a trusted proxy that
// says so.
func (r *Request) Secure() bool { return r.secure }

// Time is when the request arrived.
func (r *Request) Time() time.Time { return time.Unix(0, r.arrived) }

// HTTP parses the kept bytes: a new value at each call, without a body. Its context has
// the values that middlewares gave it (Server.Use), and no end. After the session's
// ReleaseRequest it returns ErrRequestReleased.
func (r *Request) HTTP() (*http.Request, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head == nil {
		return nil, ErrRequestReleased
	}
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.head.b))) // which copies all it keeps
	if err != nil {
		return nil, err
	}
	q.TLS = r.head.tls
	q.RemoteAddr = (&Peer{Addr: r.RemoteAddr()}).address()
	if r.head.values != nil {
		q = q.WithContext(r.head.values)
	}
	return q, nil
}

// Query returns the decoded query parameters.
func (r *Request) Query() url.Values {
	q, err := r.HTTP()
	if err != nil {
		return url.Values{}
	}
	return q.URL.Query()
}

// release gives the bytes back.
func (r *Request) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head != nil {
		r.head.free()
		r.head = nil
	}
}
