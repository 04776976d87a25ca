package engine

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/panjf2000/gnet/v2"
)

// hostOf is whose connection it is, as far as the network says.
func hostOf(a net.Addr) netip.Addr { return hostOfIP(addrPort(a).Addr()) }

// hostOfIP decides who is one peer: an IPv4 address, also behind the well-known prefix of
// NAT64 (RFC 6052), which would be one peer for all of IPv4 otherwise, or a /64 network.
func hostOfIP(ip netip.Addr) netip.Addr {
	if ip = ip.Unmap(); !ip.Is6() {
		return ip
	}
	ip = ip.WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	p, _ := ip.Prefix(64)
	return p.Addr()
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func (c *conn) host() netip.Addr { return hostOfIP(c.peerAddr().Addr()) }

// host is who opened the session, and, where that was let go, whose connection it has.
func (s *Session) host() netip.Addr { return hostOfIP(s.addr()) }

func (s *Session) addr() netip.Addr {
	if r := s.request.Load(); r != nil && r.remote.IsValid() {
		return r.remote
	}
	var c *conn
	switch {
	case s.conn != nil:
		c = s.conn
	case s.poll != nil && s.poll.get != nil:
		c = s.poll.get
	case s.poll != nil && s.poll.post != nil:
		c = s.poll.post
	case s.poll != nil && s.loop.posting != nil:
		c = s.loop.posting
	default:
		return netip.Addr{}
	}
	return c.peerAddr().Addr()
}

// peers is what is known of those who have connections, or had some a moment ago. Safe
// for concurrent use.
type peers struct {
	mu    sync.Mutex
	table map[netip.Addr]*peer
	swept uint64 // tick at which table was last looked through
}

// peer is one of them: 56 bytes.
type peer struct {
	connections              int
	meters                   int // that know it: see meter
	accepted, opened, wanted level
	said, sent               sharedLevel // of MessagesPerIP and BytesPerIP; not under mu
}

// find returns what is known of ip, making it at first sight; nil where there is no
// room. mu is held.
func (p *peers) find(ip netip.Addr, room int, now uint64) *peer {
	e := p.table[ip]
	if e == nil && len(p.table) >= room {
		p.sweep(now)
	}
	if e == nil && len(p.table) < room {
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
		if e.idle(now) {
			delete(p.table, ip)
		}
	}
}

// idle reports that nothing is to be remembered of e.
func (e *peer) idle(now uint64) bool {
	return e.connections+e.meters == 0 && e.accepted.isFull(now) && e.opened.isFull(now) && e.wanted.isFull(now) &&
		e.said.isFull(now) && e.sent.isFull(now)
}

// accept counts a connection of ip, or says which limit it meets. counted says whether
// leave is to be called in the end.
func (p *peers) accept(r *rules, ip netip.Addr, now uint64) (counted bool, met Limit) {
	if !r.counted || !ip.IsValid() {
		return false, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(ip, r.MaxIPs, now)
	switch {
	case e == nil:
		return false, 0
	case r.ConnectionsPerIP > 0 && e.connections >= r.ConnectionsPerIP:
		return false, LimitConnections
	case !e.accepted.take(&r.accepts, now, 1):
		return false, LimitConnectionRate
	}
	e.connections++
	return true, 0
}

// leave undoes accept.
func (p *peers) leave(ip netip.Addr, now uint64) {
	if !ip.IsValid() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.table[ip]; e != nil && e.connections > 0 {
		if e.connections--; e.idle(now) {
			delete(p.table, ip)
		}
	}
}

// open counts a session of ip; false where it may not be.
func (p *peers) open(r *rules, ip netip.Addr, now uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(ip, r.MaxIPs, now)
	return e == nil || e.opened.take(&r.sessions, now, 1)
}

// want counts a request of ip; false where it may not be.
func (p *peers) want(r *rules, ip netip.Addr, now uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(ip, r.MaxIPs, now)
	return e == nil || e.wanted.take(&r.requests, now, 1)
}

// hold returns what is known of ip for somebody who lets go of it in the end; nil where
// there is no room.
func (p *peers) hold(r *rules, ip netip.Addr, now uint64) *peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(ip, r.MaxIPs, now)
	if e != nil {
		e.meters++
	}
	return e
}

// forgive fills everybody's buckets. A level is when its bucket is full again: by another
// rate the same time may be far more than that bucket holds, and nothing had room until
// then.
func (p *peers) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.table {
		e.accepted, e.opened, e.wanted = 0, 0, 0
		e.said.level.Store(0)
		e.sent.level.Store(0)
	}
}

// letGo undoes hold; e may be nil.
func (p *peers) letGo(e *peer) {
	if e == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e.meters--
}

// len is how many are remembered.
func (p *peers) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.table)
}

// mayOpen takes a place for a new session of the connection's peer.
func (c *conn) mayOpen() bool {
	srv := c.loop.srv
	r := srv.rules.Load()
	if r.sessions.each == 0 {
		return true
	}
	ip := srv.peerOfLimits(r, c.peerAddr().Addr())
	if !ip.IsValid() || srv.peers.open(r, ip, c.loop.now) {
		return true
	}
	c.loop.limited(Limited{Limit: LimitSessionRate, Peer: ip})
	return false
}

// mayAsk counts a request of the connection's peer; false where it is one too many.
func (c *conn) mayAsk() bool {
	r := c.loop.srv.rules.Load()
	return r.requests.each == 0 || c.loop.mayAsk(r, c.peerAddr().Addr(), c.loop.now)
}

// mayAsk is that for any address. Safe for concurrent use.
func (l *loop) mayAsk(r *rules, from netip.Addr, now uint64) bool {
	ip := l.srv.peerOfLimits(r, from)
	if !ip.IsValid() || l.srv.peers.want(r, ip, now) {
		return true
	}
	l.limited(Limited{Limit: LimitRequestRate, Peer: ip})
	return false
}

// tooMany answers a request for one session, or a request, more than the peer may have
// now. The connection of a proxy is that of others, too, and stays.
func (c *conn) tooMany(q *http1.Request, rest []byte) []byte {
	if o := originOf(c.gc); o == nil || !o.client.addr.IsValid() || q.ContentLength != 0 || q.Upgrade {
		c.http.flags &^= httpKeepAlive
		rest = nil
	}
	c.answer(http1.Response{Status: http.StatusTooManyRequests, Header: retryAfter()})
	return rest
}

// countedFor is whom a connection counts against, which it does while connPeer is set.
func countedFor(gc gnet.Conn) netip.Addr {
	if o := originOf(gc); o != nil && o.counted.IsValid() {
		return o.counted
	}
	return hostOf(gc.RemoteAddr())
}
