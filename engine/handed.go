package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// handedServer serves connections whose requests are not for the engine with a
// standard http.Server. A connection that turns to the engine after all (browsers
// reuse what they have) goes back to a loop.
type handedServer struct {
	srv   *Server
	http  *http.Server
	conns chan net.Conn
	done  chan struct{} // closed when no connection is accepted any more
	once  sync.Once
	ended chan struct{} // closed when Serve has returned
	next  atomic.Uint32 // loop for the next session, round robin
}

// maxHandedWaiting bounds connections that wait for the http.Server's accept.
const maxHandedWaiting = 1024

func newHandedServer(s *Server) *handedServer {
	h := &handedServer{
		srv: s, conns: make(chan net.Conn, maxHandedWaiting),
		done: make(chan struct{}), ended: make(chan struct{}),
	}
	h.http = &http.Server{
		Handler:           h,
		ConnContext:       func(ctx context.Context, nc net.Conn) context.Context { return context.WithValue(ctx, handedKey{}, nc) },
		ReadHeaderTimeout: s.opts.HeaderTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    http1.MaxHeadBytes,
		ErrorLog:          slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn),
	}
	return h
}

// serve runs the http.Server until shutdown.
func (h *handedServer) serve() {
	defer close(h.ended)
	_ = h.http.Serve(h) // ErrServerClosed, always
}

// take serves nc, of which b was read already, over TLS where k is not nil; a says
// whose it is.
func (h *handedServer) take(nc net.Conn, b []byte, k *tlsLayer, a *arrival) {
	h.srv.gauges.handed.Add(1)
	c := &handedConn{Conn: nc, raw: nc, read: b, srv: h.srv, peer: a.peer, from: a.from}
	if k != nil {
		k.nc = nc
		c.Conn, c.tls = k.tls, k
	}
	select {
	case h.conns <- c:
	default:
		c.gone()
		_ = nc.Close()
	}
}

// handedKey finds the connection of a request.
type handedKey struct{}

// setTLS says of a request what net/http only sees where it does TLS itself.
func setTLS(r *http.Request) {
	if c, ok := r.Context().Value(handedKey{}).(*handedConn); ok && c.tls != nil {
		state := c.tls.tls.ConnectionState()
		r.TLS = &state
	}
}

// Accept, Close and Addr make it the http.Server's listener.
func (h *handedServer) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (h *handedServer) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr is the server's.
func (h *handedServer) Addr() net.Addr { return h.srv.Addr() }

func (h *handedServer) shutdown(ctx context.Context) error {
	err := h.http.Shutdown(ctx)
	if err != nil {
		_ = h.http.Close()
	}
	<-h.ended
	for {
		select {
		case c := <-h.conns:
			_ = c.Close()
		default:
			return err
		}
	}
}

// ServeHTTP sends requests for the engine back to a loop, those for sessions of other
// servers to these, and gives Options.Handler the rest.
func (h *handedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.srv.owns([]byte(rawPath(r))) {
		h.serveForeign(w, r)
		return
	}
	other := h.srv.elsewhereTarget(r)
	switch {
	case other != nil:
		h.serveElsewhere(other, w, r)
	case h.srv.draining.Load() || h.giveBack(w, r) != nil:
		w.Header().Set("Connection", "close")
		http.Error(w, "cannot serve this request now", http.StatusServiceUnavailable)
	}
}

// serveForeign gives Options.Handler a request, of whom it says that it is.
func (h *handedServer) serveForeign(w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.admit(w, r):
	case h.srv.opts.Handler == nil: // the connection came for Options.Forward
		http.NotFound(w, r)
	default:
		setTLS(r)
		h.srv.opts.Handler.ServeHTTP(w, r)
	}
}

// serveElsewhere gives other, which is Options.Forward's, a request as the network brought
// it: who has sent it is the other server's to find out, like everything else.
func (h *handedServer) serveElsewhere(other http.Handler, w http.ResponseWriter, r *http.Request) {
	if h.admit(w, r.WithContext(r.Context())) { // a shallow copy
		setTLS(r)
		h.srv.forward(other, w, r)
	}
}

// admit finds out who has sent the request, and answers it where that one may not.
func (h *handedServer) admit(w http.ResponseWriter, r *http.Request) bool {
	nc, _ := r.Context().Value(handedKey{}).(*handedConn)
	proxied := h.behindProxy(nc)
	if err := h.identify(r); err != nil {
		http.Error(w, "malformed header", http.StatusBadRequest)
		return false
	}
	if !h.mayAsk(r) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(retryAfter())), ": ")
		w.Header().Set(name, value)
		if !proxied {
			w.Header().Set("Connection", "close")
		}
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return false
	}
	return true
}

// mayAsk counts the request; false where it is one too many.
func (h *handedServer) mayAsk(r *http.Request) bool {
	rules := h.srv.rules.Load()
	l := h.srv.anyLoop()
	if rules.requests.each == 0 || l == nil {
		return true
	}
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	if ip, err := netip.ParseAddr(r.RemoteAddr); err == nil {
		at = netip.AddrPortFrom(ip, 0)
	}
	return l.mayAsk(rules, at.Addr(), h.srv.clock.now())
}

// rawPath is the path as it stands in the request line, as the loops see it
// (http1.Request.Path): parsed and written again it could be another, and the
// request would go to and fro.
func rawPath(r *http.Request) string {
	target := r.RequestURI
	if _, rest, absolute := strings.Cut(target, "://"); absolute && !strings.HasPrefix(target, "/") {
		i := strings.IndexAny(rest, "/?")
		if i < 0 || rest[i] == '?' {
			return "/"
		}
		target = rest[i:]
	}
	path, _, _ := strings.Cut(target, "?")
	return path
}

var errNotOurs = errors.New("engine: not a connection of ours")

// giveBack takes the connection from net/http, writes the request's head out again
// and enrolls both in a loop.
func (h *handedServer) giveBack(w http.ResponseWriter, r *http.Request) error {
	loops := h.srv.allLoops()
	if len(loops) == 0 {
		return errNotOurs
	}
	nc, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	c, ok := nc.(*handedConn)
	if !ok {
		_ = nc.Close()
		return nil
	}
	a := &arrival{bytes: requestBytes(r, buf.Reader), returned: true, from: c.from}
	h.srv.enroll(loops[int(h.next.Add(1))%len(loops)], c.leaveHTTP(h.srv, a), a)
	return nil
}

// leaveHTTP takes the connection out of net/http's hands, for the server s: a gets what it
// brings along. Where s is another one than ours, it counts against nobody any more.
func (c *handedConn) leaveHTTP(s *Server, a *arrival) net.Conn {
	a.bytes = append(a.bytes, c.read...)
	if s == c.srv {
		a.peer, c.peer = c.peer, netip.Addr{}
	}
	if a.tls = c.tls; a.tls != nil {
		a.tls.nc = nil
	}
	c.gone()
	return c.raw
}

// handedConn is a connection with bytes that were read before net/http got it.
type handedConn struct {
	net.Conn           // with TLS, that
	raw      net.Conn  // without
	tls      *tlsLayer // nil without TLS
	read     []byte    // not yet read again; only one goroutine reads at a time
	srv      *Server
	peer     netip.Addr // whose ConnectionsPerIP it counts against; the zero value for nobody's
	from     *origin    // nil where the network says whose it is
	once     sync.Once
}

// Read gives the bytes read before, then the connection's.
func (c *handedConn) Read(b []byte) (int, error) {
	if len(c.read) > 0 {
		n := copy(b, c.read)
		if c.read = c.read[n:]; len(c.read) == 0 {
			c.read = nil
		}
		return n, nil
	}
	return c.Conn.Read(b)
}

// RemoteAddr is whose connection it is.
func (c *handedConn) RemoteAddr() net.Addr {
	if c.from != nil {
		if at := c.from.peer.Load().Addr; at.IsValid() {
			return net.TCPAddrFromAddrPort(at)
		}
	}
	return c.Conn.RemoteAddr()
}

// Close closes the connection and counts it off.
func (c *handedConn) Close() error {
	c.gone()
	return c.Conn.Close()
}

// CloseWrite is what net/http calls before it closes a connection that may still be sending.
func (c *handedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *handedConn) gone() {
	c.once.Do(func() {
		c.srv.gauges.handed.Add(-1)
		c.srv.peers.leave(c.peer, c.srv.clock.now())
	})
}
