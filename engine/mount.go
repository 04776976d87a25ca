package engine

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// ServeHTTP serves the engine's requests where they come in over somebody else's
// http.Server: mount it in any mux or router, over HTTP/1.1, TLS and HTTP/2. A
// request is the engine's if its path, as the client sent it or as the mux left it,
// is below Options.Path; all others get 404. Listen or Start comes first; before
// that, and after Shutdown, the answer is 503.
//
// A WebSocket over plain TCP moves to a loop, and costs net/http nothing more. What
// cannot move is served over a connection within the process: one goroutine per
// held poll, two per WebSocket over TLS. The timeouts of the http.Server do not cut
// polls short.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := s.loopFor(r)
	q := s.asOurs(r)
	var other http.Handler
	if q != nil {
		other = s.elsewhereTarget(q)
	}
	switch {
	case q == nil:
		http.NotFound(w, r)
	case l == nil || s.stoppedServing():
		unavailable(w, r)
	case other != nil:
		s.forward(other, w, q)
	case wantsUpgrade(r):
		s.takeOver(w, q, l)
	default:
		s.exchange(w, q, l)
	}
}

// stoppedServing reports that the loops have ended: nothing would be answered.
func (s *Server) stoppedServing() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// asOurs returns the request as the loops are to see it; nil if it is not for the
// engine. Where only the path that a mux left behind is ours, that goes into the
// request line.
func (s *Server) asOurs(r *http.Request) *http.Request {
	q := r.WithContext(r.Context()) // a shallow copy
	if !s.owns([]byte(rawPath(r))) {
		if !s.owns([]byte(r.URL.EscapedPath())) {
			return nil
		}
		q.RequestURI = r.URL.RequestURI()
	}
	q.TransferEncoding = nil // a middleware that has read the body may have left it
	if q.ContentLength < 0 {
		q.TransferEncoding = []string{"chunked"} // HTTP/2 does not say so
	}
	return q
}

// loopFor returns the loop of the request's session, or any; nil before there are loops.
func (s *Server) loopFor(r *http.Request) *loop {
	sid, n, ok := http1.QueryValue([]byte(r.URL.RawQuery), "sid")
	if n == 1 && ok {
		if e := s.table.get(sid); e != nil {
			return e.loop
		}
	}
	return s.anyLoop()
}

// peerOf is the client as net/http, or a middleware that knows the proxies, says.
func peerOf(r *http.Request) Peer {
	p := Peer{TLS: r.TLS}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.Addr = at
	} else if ip, err := netip.ParseAddr(r.RemoteAddr); err == nil {
		p.Addr = netip.AddrPortFrom(ip, 0)
	}
	return p
}

// wantsUpgrade reports a request that a loop may answer with 101, and closes the
// connection of otherwise: see http1.Request.Upgrade.
func wantsUpgrade(r *http.Request) bool {
	if r.Method != http.MethodGet || r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1) || r.Header.Get("Upgrade") == "" {
		return false
	}
	for _, line := range r.Header["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(token, " \t"), "upgrade") {
				return true
			}
		}
	}
	return false
}

func unavailable(w http.ResponseWriter, r *http.Request) {
	name, value, _ := strings.Cut(strings.TrimSpace(string(retryAfter())), ": ")
	w.Header().Set(name, value)
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
	http.Error(w, "cannot serve this request now", http.StatusServiceUnavailable)
}

// takeOver takes the connection of a request that wants to change to WebSocket.
func (s *Server) takeOver(w http.ResponseWriter, r *http.Request, l *loop) {
	if s.full(0) {
		s.gauges.refused.Add(1)
		unavailable(w, r)
		return
	}
	nc, buf, err := http.NewResponseController(w).Hijack()
	if err != nil { // a ResponseWriter that a middleware wrapped, without Unwrap
		s.opts.Logger.Warn("engine: a connection could not be taken from net/http", "error", err)
		http.Error(w, "WebSocket is not available here", http.StatusNotImplemented)
		return
	}
	a := &arrival{bytes: requestBytes(r, buf.Reader), returned: true, from: newOrigin(peerOf(r), false)}
	switch nc := nc.(type) {
	case *handedConn: // of our own port or another server's, by way of Options.Handler
		s.enroll(l, nc.leaveHTTP(s, a), a)
	case *net.TCPConn, *net.UnixConn: // exactly: the Close of a type that wraps them may matter
		s.enroll(l, nc, a)
	default:
		s.splice(nc, a, l)
	}
}

// requestBytes is what a client sent up to now: a request, and what was read behind it.
func requestBytes(r *http.Request, ahead *bufio.Reader) []byte {
	behind, _ := ahead.Peek(ahead.Buffered())
	return append(http1.AppendRequestHead(nil, r), behind...)
}

// splice carries the bytes between a connection that no loop can take and a pipe, in
// the place of which that arrives at the loop, until either ends.
func (s *Server) splice(nc net.Conn, a *arrival, l *loop) {
	defer func() { _ = nc.Close() }()
	p, err := s.newPipe(l, a.from)
	if err != nil {
		r := http1.Response{Status: http.StatusServiceUnavailable, Header: retryAfter(), Close: true}
		_ = nc.SetWriteDeadline(time.Now().Add(s.opts.CloseTimeout))
		_, _ = nc.Write(r.AppendTo(nil))
		return
	}
	out := make(chan struct{})
	go func() {
		defer close(out)
		carry(slowWriter{nc, s.opts.MaxBlocked}, p)
		_ = nc.SetDeadline(time.Now().Add(s.opts.CloseTimeout)) // for the client to hang up
		closeHalf(nc)
	}()
	if _, err := p.Write(a.bytes); err == nil {
		carry(p, nc)
	}
	_ = p.Close()
	_ = nc.SetWriteDeadline(time.Now()) // a client that is gone takes nothing
	<-out
}

// carryBuffer is what a spliced WebSocket keeps in each direction, in bytes.
const carryBuffer = 4 << 10

// slowWriter gives its peer so much time to take each write. The loop cannot see a client
// that takes nothing while the pipe does.
type slowWriter struct {
	net.Conn
	patience time.Duration
}

func (w slowWriter) Write(b []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(w.patience))
	return w.Conn.Write(b)
}

// carry copies until one end fails.
func carry(dst io.Writer, src io.Reader) {
	b := make([]byte, carryBuffer)
	for {
		n, err := src.Read(b)
		if n > 0 {
			if _, err := dst.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// exchange has the request answered over a pipe.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request, l *loop) {
	p, err := s.take(l, peerOf(r))
	if err != nil {
		unavailable(w, r)
		return
	}
	x := mountedRequest{srv: s, w: w, r: r, pipe: p, ctl: http.NewResponseController(w)}
	stop := context.AfterFunc(r.Context(), func() { _ = p.Close() }) // fact 23: the loop is to see it
	whole := x.run()
	if stop() && whole {
		s.pipes.rest(p)
	} else {
		_ = p.Close()
	}
}
