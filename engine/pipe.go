package engine

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// A pipe is a connection within the process: one end is a loop's, the other a
// goroutine's. Whoever cannot give its connection to a loop (HTTP/2, TLS of
// net/http, QUIC) speaks HTTP/1.1 and WebSocket on a pipe instead, so that there is
// one place for the rules of both.

// Peer says who is at the other end of a connection that did not come in over the
// server's own port.
type Peer struct {
	Addr netip.AddrPort       // of the client; zero if it is not known
	TLS  *tls.ConnectionState // nil if it did not come over TLS; not changed any more
	// Transport is what a WebSocket on the connection stands for: WebTransport, or
	// zero for itself.
	Transport Transport
	// Scheme is what the client speaks, "http" or "https", where a proxy in between says
	// so; empty: TLS says it.
	Scheme string
}

// secure reports that the client speaks TLS.
func (p *Peer) secure() bool { return p.Scheme == "https" || p.Scheme == "" && p.TLS != nil }

// origin is what a loop knows of a connection that is not its own port's, or a proxy's.
type origin struct {
	peer    atomic.Pointer[Peer] // set before a request is written
	kept    bool                 // immutable: may rest between two requests for as long as it likes
	port    bool                 // immutable: it came in over our port, and TLS is its own
	client  client               // loop-only: who has sent the latest request, as a trusted proxy says
	counted netip.Addr           // loop-only: whom it counts against where that is not the network's peer
}

// address is Addr in the form of http.Request.RemoteAddr.
func (p *Peer) address() string {
	switch {
	case !p.Addr.IsValid():
		return ""
	case p.Addr.Port() == 0: // from a middleware that knows the proxies, and no port
		return p.Addr.Addr().String()
	}
	return p.Addr.String()
}

func newOrigin(p Peer, kept bool) *origin {
	o := &origin{kept: kept}
	o.peer.Store(&p)
	return o
}

// context is what gnet keeps with the connection; nil where it came in over our port.
func (o *origin) context() any {
	if o == nil {
		return nil
	}
	return o
}

// originOf returns nil for a connection that came in over our port, from nobody who is
// trusted to bring those of others.
func originOf(gc gnet.Conn) *origin {
	o, _ := gc.SafeContext().(*origin)
	return o
}

// peer says who is at the other end. Loop-only.
func (c *conn) peer() Peer {
	o := originOf(c.gc)
	if o == nil {
		return Peer{Addr: addrPort(c.gc.RemoteAddr()), TLS: c.tlsState()}
	}
	p := *o.peer.Load()
	if o.port {
		p.TLS = c.tlsState()
	}
	if o.client.addr.IsValid() {
		p.Addr = o.client.addr
	}
	if o.client.scheme != "" {
		p.Scheme = o.client.scheme
	}
	return p
}

// peerAddr is the address of peer. Loop-only.
func (c *conn) peerAddr() netip.AddrPort {
	if o := originOf(c.gc); o != nil && o.client.addr.IsValid() {
		return o.client.addr
	}
	return c.networkPeer()
}

// networkPeer is the address at the other end, or whose connection the PROXY protocol or
// net/http says that it is. Loop-only.
func (c *conn) networkPeer() netip.AddrPort {
	if o := originOf(c.gc); o != nil {
		return o.peer.Load().Addr
	}
	return addrPort(c.gc.RemoteAddr())
}

// socketTransport is what a WebSocket on the connection stands for. Loop-only.
func (c *conn) socketTransport() Transport {
	if o := originOf(c.gc); o != nil && o.peer.Load().Transport == WebTransport {
		return WebTransport
	}
	return WebSocket
}

// setSocket notes that the session's transport is a WebSocket, or what one stands for.
func (s *Session) setSocket(t Transport) {
	if t == WebTransport {
		s.set(flagWebTransport)
	}
	s.set(flagWebSocket)
}

// Dial returns the client's end of a new connection to the server, within the
// process: it speaks HTTP/1.1 and WebSocket, as at the port, on behalf of the peer.
// It counts towards MaxConnections and takes two descriptors. Errors: ErrNotListening,
// ErrFull, and what the system has to say. The caller closes it.
func (s *Server) Dial(peer Peer) (net.Conn, error) {
	if !s.isListening() {
		return nil, ErrNotListening
	}
	return s.newPipe(s.anyLoop(), newOrigin(peer, false))
}

// pipe is the goroutine's end of a pipe.
type pipe struct {
	net.Conn
	br   *bufio.Reader
	loop *loop
	from *origin
	all  *pipes
	once sync.Once
}

// Close closes it for good.
func (p *pipe) Close() (err error) {
	p.once.Do(func() {
		p.all.forget(p)
		err = p.Conn.Close()
	})
	return err
}

// CloseWrite lets the loop see the end; see net.UnixConn.
func (p *pipe) CloseWrite() error { return p.Conn.(*net.UnixConn).CloseWrite() }

// maxIdlePipes is how many pipes to one loop are kept for another request.
const maxIdlePipes = 64

// pipes are those there are. Safe for concurrent use.
type pipes struct {
	mu     sync.Mutex
	open   map[*pipe]struct{} // guarded by mu
	idle   map[*loop][]*pipe  // guarded by mu
	closed bool               // guarded by mu
	next   atomic.Uint32      // loop for the next one, round robin
}

// anyLoop returns one loop after the other; nil where none is known.
func (s *Server) anyLoop() *loop {
	loops := s.allLoops()
	if len(loops) == 0 {
		return nil
	}
	return loops[int(s.pipes.next.Add(1))%len(loops)]
}

// newPipe connects the process to one of its loops.
func (s *Server) newPipe(l *loop, from *origin) (*pipe, error) {
	if l == nil {
		return nil, ErrNotListening
	}
	pair, err := socketpair()
	if err != nil {
		return nil, err
	}
	if s.full(max(pair[0], pair[1])) {
		_, _ = syscall.Close(pair[0]), syscall.Close(pair[1])
		s.gauges.refused.Add(1)
		return nil, ErrFull
	}
	ours, err := connOf(pair[0], "pipe")
	theirs, err2 := connOf(pair[1], "pipe")
	if err := errors.Join(err, err2); err != nil {
		closeAll(ours, theirs)
		return nil, err
	}
	p := &pipe{Conn: ours, br: bufio.NewReaderSize(ours, 2048), loop: l, from: from, all: &s.pipes}
	if !s.pipes.note(p) {
		closeAll(ours, theirs)
		return nil, ErrNotListening
	}
	s.enroll(l, theirs, &arrival{from: from})
	return p, nil
}

func closeAll(conns ...net.Conn) {
	for _, nc := range conns {
		if nc != nil {
			_ = nc.Close()
		}
	}
}

// take returns a pipe to the loop for one request of that peer.
func (s *Server) take(l *loop, peer Peer) (*pipe, error) {
	if p := s.pipes.idler(l); p != nil {
		p.from.peer.Store(&peer)
		return p, nil
	}
	return s.newPipe(l, newOrigin(peer, true))
}

func (k *pipes) idler(l *loop) *pipe {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.idle[l]
	n := len(list) - 1
	if n < 0 {
		return nil
	}
	p := list[n]
	list[n], k.idle[l] = nil, list[:n]
	return p
}

// rest keeps a pipe whose request was answered for the next one, or closes it.
func (k *pipes) rest(p *pipe) {
	k.mu.Lock()
	kept := !k.closed && len(k.idle[p.loop]) < maxIdlePipes
	if kept {
		if k.idle == nil {
			k.idle = make(map[*loop][]*pipe)
		}
		k.idle[p.loop] = append(k.idle[p.loop], p)
	}
	k.mu.Unlock()
	if !kept {
		_ = p.Close()
	}
}

func (k *pipes) note(p *pipe) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	if k.open == nil {
		k.open = make(map[*pipe]struct{})
	}
	k.open[p] = struct{}{}
	return true
}

func (k *pipes) forget(p *pipe) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.open, p)
}

// closeAll ends every pipe: nobody is at the other end any more.
func (k *pipes) closeAll() {
	k.mu.Lock()
	k.closed = true
	open := k.open
	k.open, k.idle = nil, nil
	k.mu.Unlock()
	for p := range open {
		_ = p.Close()
	}
}
