package engine

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// hostOf decides whose connection it is: the one place that does.
func hostOf(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip, _ := netip.AddrFromSlice(t.IP)
	return hostOfIP(ip)
}

// hostOfIP takes a /64 network for one peer.
func hostOfIP(ip netip.Addr) netip.Addr {
	if ip = ip.Unmap(); ip.Is6() {
		p, _ := ip.WithZone("").Prefix(64)
		return p.Addr()
	}
	return ip
}

func (c *conn) host() netip.Addr { return hostOfIP(c.peerAddr().Addr()) }

// host is who opened the session, and, where that was let go, whose connection it has.
func (s *Session) host() netip.Addr {
	if r := s.request.Load(); r != nil && r.remote.IsValid() {
		return hostOfIP(r.remote)
	}
	switch {
	case s.conn != nil:
		return s.conn.host()
	case s.poll != nil && s.poll.get != nil:
		return s.poll.get.host()
	case s.poll != nil && s.poll.post != nil:
		return s.poll.post.host()
	case s.poll != nil && s.loop.posting != nil:
		return s.loop.posting.host()
	}
	return netip.Addr{}
}

// peers is what is known of those who have connections, or had some a moment ago. Safe
// for concurrent use.
type peers struct {
	on                bool   // immutable: connections are counted
	max               int    // immutable: of table
	most              int    // immutable: connections of each; 0 = any number
	accepts, sessions bucket // immutable

	mu    sync.Mutex
	table map[netip.Addr]*peer
	swept uint64 // tick at which table was last looked through
}

// peer is one of them: 24 bytes.
type peer struct {
	connections      int
	accepted, opened level
}

// init is called before the first connection.
func (p *peers) init(m *Limits) {
	p.max, p.most = m.MaxIPs, m.ConnectionsPerIP
	p.accepts, p.sessions = newBucket(m.ConnectionRatePerIP), newBucket(m.SessionRatePerIP)
	p.on = p.most > 0 || p.accepts.each > 0
	p.table = make(map[netip.Addr]*peer)
}

// find returns what is known of ip, making it at first sight; nil where there is no
// room. mu is held.
func (p *peers) find(ip netip.Addr, now uint64) *peer {
	e := p.table[ip]
	if e == nil && len(p.table) >= p.max {
		p.sweep(now)
	}
	if e == nil && len(p.table) < p.max {
		e = new(peer)
		p.table[ip] = e
	}
	return e
}

// sweepTicks is how often the table is looked through for somebody to forget, at most.
const sweepTicks = uint64(100 * time.Millisecond / tickLength)

// sweep forgets whom nothing is to be remembered of. mu is held.
func (p *peers) sweep(now uint64) {
	if now < p.swept+sweepTicks {
		return
	}
	p.swept = now
	for ip, e := range p.table {
		if e.connections == 0 && e.accepted.isFull(now) && e.opened.isFull(now) {
			delete(p.table, ip)
		}
	}
}

// accept counts a connection of ip, or says which limit it meets. counted says whether
// leave is to be called in the end.
func (p *peers) accept(ip netip.Addr, now uint64) (counted bool, met Limit) {
	if !p.on || !ip.IsValid() {
		return false, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(ip, now)
	switch {
	case e == nil:
		return false, 0
	case p.most > 0 && e.connections >= p.most:
		return false, LimitConnections
	case !e.accepted.take(&p.accepts, now, 1):
		return false, LimitConnectionRate
	}
	e.connections++
	return true, 0
}

// leave undoes accept.
func (p *peers) leave(ip netip.Addr) {
	if !p.on || !ip.IsValid() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.table[ip]; e != nil && e.connections > 0 {
		if e.connections--; e.connections == 0 && p.accepts.each == 0 && p.sessions.each == 0 {
			delete(p.table, ip)
		}
	}
}

// open counts a session of ip; false where it may not be.
func (p *peers) open(ip netip.Addr, now uint64) bool {
	if p.sessions.each == 0 || !ip.IsValid() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(ip, now)
	return e == nil || e.opened.take(&p.sessions, now, 1)
}

// mayOpen takes a place for a new session of the connection's peer.
func (c *conn) mayOpen() bool {
	if c.loop.srv.peers.sessions.each == 0 {
		return true
	}
	ip := c.host()
	if c.loop.srv.peers.open(ip, c.loop.now) {
		return true
	}
	c.loop.limited(Limited{Limit: LimitSessionRate, Peer: ip})
	return false
}

// tooMany answers a request for one session more than the peer may open now.
func (c *conn) tooMany() []byte {
	c.http.flags &^= httpKeepAlive
	c.answer(http1.Response{Status: http.StatusTooManyRequests, Header: retryAfter()})
	return nil
}
