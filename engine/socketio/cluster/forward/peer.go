package forward

import (
	"net/http"
	"net/netip"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What a connection says of the peer whose requests it brings: one letter, s for https and p
// for http, and the address in 4 or 16 bytes, or none where it is not known.

const (
	secure = 's'
	plain  = 'p'
)

// appendPeer says whom r has come from.
func appendPeer(b []byte, r *http.Request) []byte {
	scheme := byte(plain)
	if r.TLS != nil {
		scheme = secure
	}
	addr := netip.Addr{}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		addr = at.Addr()
	} else if ip, err := netip.ParseAddr(r.RemoteAddr); err == nil {
		addr = ip
	}
	return append(append(b, scheme), addr.Unmap().WithZone("").AsSlice()...)
}

// parsePeer reads that.
func parsePeer(b []byte) (p socketio.Peer, ok bool) {
	if len(b) == 0 {
		return p, false
	}
	switch b[0] {
	case secure:
		p.Scheme = "https"
	case plain:
		p.Scheme = "http"
	default:
		return p, false
	}
	if len(b) == 1 {
		return p, true
	}
	ip, ok := netip.AddrFromSlice(b[1:])
	p.Addr = netip.AddrPortFrom(ip.Unmap(), 0)
	return p, ok
}
