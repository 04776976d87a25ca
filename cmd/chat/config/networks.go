package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// namedNetworks are words for networks that need no explanation.
var namedNetworks = map[string][]string{
	"loopback": {"127.0.0.0/8", "::1/128"},
	"private":  {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"}, // RFC 1918, 3927, 4193, 4291
	"none":     nil,
}

// networks reads a list of addresses, networks and words.
func networks(flag string, list []string) (all []netip.Prefix, err error) {
	for _, word := range list {
		word = strings.TrimSpace(word)
		named, known := namedNetworks[word]
		if !known {
			named = []string{word}
		}
		for _, text := range named {
			p, err := network(text)
			if err != nil {
				return nil, fmt.Errorf("%s %q is not a network: give an address, a network such as 10.0.0.0/8 or fd00::/8, loopback, private or none", flag, word)
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func network(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Unmap().WithZone("").Prefix(ip.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p != p.Masked() {
		return p, fmt.Errorf("%s has bits behind its length", text)
	}
	return p, err
}
