package fleet

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// target is a server; source an address to connect from. Both in the form of the
// socket calls.
type (
	target struct {
		to   unix.SockaddrInet4
		host string // of the request
	}
	source struct{ from unix.SockaddrInet4 }
)

// maxSources bounds a range of addresses; 254 have ports for 7 million connections.
const maxSources = 254

func resolve(servers []string) ([]target, error) {
	all := make([]target, 0, len(servers))
	for _, s := range servers {
		a, err := net.ResolveTCPAddr("tcp4", s)
		if err != nil {
			return nil, fmt.Errorf("fleet: %w", err)
		}
		all = append(all, target{unix.SockaddrInet4{Port: a.Port, Addr: a.AddrPort().Addr().As4()}, s})
	}
	return all, nil
}

// ParseSources reads a range such as 127.0.0.2-127.0.0.9, or one address.
func ParseSources(text string) ([]string, error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	a, err1 := netip.ParseAddr(first)
	b, err2 := netip.ParseAddr(last)
	if err1 != nil || err2 != nil || !a.Is4() || !b.Is4() || b.Less(a) {
		return nil, fmt.Errorf("loadgen: --sources %q: give an IPv4 address or a range such as 127.0.0.2-127.0.0.9", text)
	}
	var all []string
	for ; !b.Less(a); a = a.Next() {
		if len(all) == maxSources {
			return nil, fmt.Errorf("loadgen: --sources %q has more than %d addresses", text, maxSources)
		}
		all = append(all, a.String())
	}
	return all, nil
}

func parseAddresses(texts []string) ([]source, error) {
	all := make([]source, 0, len(texts))
	for _, t := range texts {
		a, err := netip.ParseAddr(t)
		if err != nil || !a.Is4() {
			return nil, fmt.Errorf("fleet: %q is not an IPv4 address", t)
		}
		all = append(all, source{unix.SockaddrInet4{Addr: a.As4()}})
	}
	return all, nil
}
