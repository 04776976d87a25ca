package engine

import (
	"fmt"
	"net/netip"
)

// networks is a list of networks. Immutable.
type networks []netip.Prefix

// newNetworks checks the list, and takes IPv4 networks that are written as IPv6 for what
// they are.
func newNetworks(option string, list []netip.Prefix) (networks, error) {
	const mapped = 96 // bits in front of an IPv4 address in IPv6
	all := make(networks, 0, len(list))
	for _, p := range list {
		if !p.IsValid() {
			return nil, fmt.Errorf("%w: %s has a network that is none", ErrBadLimits, option)
		}
		if p.Addr().Is4In6() && p.Bits() >= mapped {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// has reports that ip, an IPv4 address in whatever form, is in one of them.
func (n networks) has(ip netip.Addr) bool {
	if len(n) == 0 {
		return false
	}
	ip = ip.Unmap().WithZone("")
	for _, p := range n {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
