package socketio

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Handshake is what a client said when it connected. Node: socket.handshake. It
// is read-only.
type Handshake struct {
	Headers http.Header // of the request that opened the connection
	Time    time.Time   // when that request arrived
	Address string      // IP address of the client
	XDomain bool        // the request had an Origin
	Secure  bool        // the client speaks TLS, with the server or with a trusted proxy
	Issued  int64       // Time in milliseconds since 1970
	URL     string      // the request's target, query included
	Query   url.Values  // decoded query parameters, Engine.IO's own included
	Auth    Raw         // the payload of the CONNECT packet: a JSON object, or nil

	values context.Context // of the request; nil where nothing is known of it
}

// Value returns what a middleware of the Engine put into the context of the request that
// opened the connection under key; nil where there is nothing, Headers are empty, or the
// socket is another server's. Node: what middlewares put into socket.request.
func (h *Handshake) Value(key any) any {
	if h.values == nil {
		return nil
	}
	return h.values.Value(key)
}

// Handshake returns what the client said when it connected. In middlewares and
// connect functions it is complete, and it is kept for the life of a socket that
// it was asked for there. Sockets that nobody asked let the bytes go once their
// connect functions have returned, because idle connections are to be small: a
// Handshake asked for later is empty. It stays complete with Options.KeepHandshake;
// and all but Auth does on a server with more than the default namespace, since
// the next namespace may ask.
//
// A client whose request was let go can join a namespace on the same connection
// again only where nobody may ask, as there is no middleware and no connect
// function: anywhere else that closes the connection ([ErrHandshakeReleased]). The
// stock client does not do it, since it hangs up when it leaves its last namespace;
// but make namespaces before Listen, or it finds them on its next connection only.
func (s *Socket) Handshake() *Handshake {
	s.mu.Lock()
	if s.rare != nil && s.rare.handshake != nil {
		defer s.mu.Unlock()
		return s.rare.handshake
	}
	s.mu.Unlock()
	h := s.client.handshake()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.need()
	if r.handshake == nil {
		if r.auth != "" {
			h.Auth = Raw(r.auth)
		}
		r.handshake = h
	}
	return r.handshake
}

// DecodeAuth puts the client's auth object into v; where the client sent none, v
// stays as it is. Like Handshake, it is for middlewares and connect functions, and
// what it needs is kept for those who were asked there; too late, it returns
// [ErrHandshakeReleased].
func (s *Socket) DecodeAuth(v any) error {
	s.mu.Lock()
	late := s.is(released)
	s.mu.Unlock()
	if late {
		return ErrHandshakeReleased
	}
	auth := s.Handshake().Auth
	if auth == nil {
		return nil
	}
	return s.nsp.server.options.JSON.Unmarshal(auth, v)
}

// ForgetHandshake undoes that somebody has asked for the Handshake: unless somebody asks
// again, it is let go once the connect functions have returned. For middlewares that read
// a token, which should not stay in memory, and need not. Those that were given the
// Handshake keep it.
func (s *Socket) ForgetHandshake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare != nil {
		s.rare.handshake = nil
	}
}

// handshake reads the kept bytes of the opening request.
func (c *client) handshake() *Handshake {
	h := &Handshake{Headers: http.Header{}, Query: url.Values{}}
	request := c.session.Request()
	if request == nil {
		return h
	}
	h.Time = request.Time()
	h.Issued = h.Time.UnixMilli()
	if addr := c.session.RemoteAddr(); addr != nil {
		h.Address = host(addr.String())
	}
	r, err := request.HTTP()
	if err != nil {
		return h
	}
	h.values = r.Context()
	h.Headers, h.URL, h.Query = r.Header, r.RequestURI, r.URL.Query()
	h.Headers.Set("Host", r.Host)
	h.XDomain, h.Secure = r.Header.Get("Origin") != "", request.Secure()
	return h
}

// host cuts the port off an address.
func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}
