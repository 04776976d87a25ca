package engine

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// ProxyProtocol says whether connections begin with a header of the PROXY protocol.
type ProxyProtocol uint8

// What Options.ProxyProtocol may be.
const (
	// ProxyOff: none does, and one that comes is no HTTP.
	ProxyOff ProxyProtocol = iota
	// ProxyOptional: those of trusted proxies may.
	ProxyOptional
	// ProxyRequired: those of trusted proxies do, and there are no others: everybody else
	// is hung up on.
	ProxyRequired
)

// trustedProxies checks what is said of proxies.
func (o *Options) trustedProxies() (networks, error) {
	trusted, err := newNetworks("TrustedProxies", o.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadProxies, err)
	}
	switch {
	case o.ProxyProtocol > ProxyRequired:
		return nil, fmt.Errorf("%w: there is no ProxyProtocol %d", ErrBadProxies, o.ProxyProtocol)
	case o.ProxyProtocol != ProxyOff && len(trusted) == 0:
		return nil, fmt.Errorf("%w: ProxyProtocol needs to know whom to believe", ErrBadProxies)
	case strings.ContainsFunc(o.ClientHeader, notInToken):
		return nil, fmt.Errorf("%w: ClientHeader %q is no field's name", ErrBadProxies, o.ClientHeader)
	}
	o.ClientHeader = http.CanonicalHeaderKey(o.ClientHeader)
	return trusted, nil
}

func notInToken(r rune) bool {
	return r > '~' || r == ':' || r == '[' || r == ']' || tokenEnd(string(r)) == 0
}

// identify finds out who has sent the request, where the peer is a proxy that may say.
// What it finds stays with the connection until the next request. Loop-only.
func (c *conn) identify(q *http1.Request) error {
	srv, o := c.loop.srv, originOf(c.gc)
	if len(srv.trusted) == 0 {
		return nil
	}
	if !srv.trusted.has(c.networkPeer().Addr()) {
		if o != nil { // a pipe, which serves one peer after the other
			o.client = client{}
		}
		return nil
	}
	k, err := srv.clientOf(func(name string) (lines []string) {
		for v := range q.Values(name) {
			lines = append(lines, string(v))
		}
		return lines
	})
	if err != nil {
		return err
	}
	if o == nil {
		o = newOrigin(Peer{Addr: c.networkPeer()}, false)
		o.port = true
		c.gc.SetSafeContext(o)
	}
	o.client = k
	return nil
}

// identify is that for a request of net/http.
func (h *handedServer) identify(r *http.Request) error {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !h.srv.trusted.has(at.Addr()) {
		return nil //nolint:nilerr // an address that is none is nobody's who is trusted
	}
	k, err := h.srv.clientOf(r.Header.Values)
	if err == nil && k.addr.IsValid() {
		r.RemoteAddr = (&Peer{Addr: k.addr}).address()
	}
	return err
}

// behindProxy reports that the request has come from somebody who is trusted to bring
// those of others.
func (h *handedServer) behindProxy(nc *handedConn) bool {
	return nc != nil && h.srv.trusted.has(addrPort(nc.RemoteAddr()).Addr())
}

// ParseProxyProtocol reads "off", "optional" or "required".
func ParseProxyProtocol(s string) (ProxyProtocol, error) {
	if i := slices.Index(proxyProtocols, s); i >= 0 {
		return ProxyProtocol(i), nil
	}
	return 0, fmt.Errorf("%w: ProxyProtocol is one of %s", ErrBadProxies, strings.Join(proxyProtocols, ", "))
}

// String returns the word that ParseProxyProtocol reads.
func (p ProxyProtocol) String() string {
	if int(p) < len(proxyProtocols) {
		return proxyProtocols[p]
	}
	return "unknown"
}

var proxyProtocols = []string{"off", "optional", "required"}
