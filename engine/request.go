package engine

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is the HTTP request that opened a session, kept as the bytes that
// arrived. Immutable; its methods are safe for concurrent use.
type Request struct {
	head      []byte // request line and header fields, up to and with the empty line
	remote    net.Addr
	arrived   time.Time
	connectBy uint64 // tick by which Established must have been called
}

// Time is when the request arrived.
func (r *Request) Time() time.Time { return r.arrived }

// HTTP parses the kept bytes: a new value at each call, without a body.
func (r *Request) HTTP() (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(bytes.NewReader(r.head)))
}

// Query returns the decoded query parameters.
func (r *Request) Query() url.Values {
	q, err := r.HTTP()
	if err != nil {
		return url.Values{}
	}
	return q.URL.Query()
}

// cloneAddr copies what gnet takes back when the connection closes.
func cloneAddr(a net.Addr) net.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return &net.TCPAddr{IP: bytes.Clone(t.IP), Port: t.Port, Zone: strings.Clone(t.Zone)}
	}
	return a
}
