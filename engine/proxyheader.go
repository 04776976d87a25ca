package engine

import (
	"net/netip"
	"time"

	"github.com/fanfare-go/fanfare/engine/internal/proxyproto"
	"github.com/panjf2000/gnet/v2"
	"github.com/valyala/bytebufferpool"
)

// The header of the PROXY protocol is in front of everything else that a connection says:
// of TLS, too. It is collected in the buffer that HTTP has for half a head.

// proxyTimeout is how long a header may take: a balancer has it ready when it connects.
const proxyTimeout = 3 * time.Second

// greets reports whether a connection that was accepted begins with a header; ok is false
// where it may not come in at all.
func (s *Server) greets(gc gnet.Conn) (header, ok bool) {
	if s.opts.ProxyProtocol == ProxyOff {
		return false, true
	}
	trusted := s.trusted.has(addrPort(gc.RemoteAddr()).Addr())
	return trusted, trusted || s.opts.ProxyProtocol == ProxyOptional
}

// begin waits for what a client says first.
func (c *conn) begin() {
	if c.loop.srv.tls != nil {
		c.beginTLS()
		return
	}
	c.http.waits = waitHead
	c.expire(ticks(c.loop.srv.opts.HeaderTimeout))
}

// beginProxied waits for the header. Where there need not be one, the balancer may have
// passed on a client's connection that says nothing yet.
func (c *conn) beginProxied() {
	c.flags |= connProxied
	if c.loop.srv.opts.ProxyProtocol == ProxyOptional {
		c.expire(ticks(c.loop.srv.opts.HeaderTimeout))
		return
	}
	c.expire(ticks(proxyTimeout))
}

// feedProxied takes what was read while the header is not complete.
func (c *conn) feedProxied(b []byte) {
	h, l := c.http, c.loop
	if h.carry != nil {
		_, _ = h.carry.Write(b)
		b = h.carry.B
	}
	header, n, err := proxyproto.Parse(b)
	switch {
	case err == proxyproto.ErrNone && l.srv.opts.ProxyProtocol == ProxyOptional:
	case err != nil:
		l.stats.proxyFailed.Add(1)
		c.doom()
		return
	case n == 0:
		if h.carry == nil {
			h.carry = bytebufferpool.Get()
			h.carry.B = append(h.carry.B[:0], b...)
			c.expire(ticks(proxyTimeout))
		}
		return
	default:
		l.stats.proxied.Add(1)
	}
	if carry := h.carry; carry != nil { // b lies in it
		h.carry = nil
		defer bytebufferpool.Put(carry)
	}
	c.flags &^= connProxied
	if header.Source.IsValid() && !c.introduced(header.Source) {
		return
	}
	c.begin()
	switch rest := b[n:]; {
	case len(rest) == 0:
	case c.flags&connShaking != 0:
		c.feedHandshake(rest)
	default:
		c.feed(rest)
	}
}

// introduced is told whose connection it is, and counts it for them; false where that is
// one too many.
func (c *conn) introduced(client netip.AddrPort) bool {
	l, srv := c.loop, c.loop.srv
	o := newOrigin(Peer{Addr: client}, false)
	o.port = true
	c.gc.SetSafeContext(o)
	r := srv.rules.Load()
	ip := srv.peerOfLimits(r, client.Addr())
	counted, met := srv.peers.accept(r, ip, l.now)
	if met != 0 {
		l.limited(Limited{Limit: met, Peer: ip})
		srv.refuseConn(c.gc)
		c.doom()
		return false
	}
	if counted {
		o.counted = ip
		c.flags |= connPeer
	}
	return true
}
