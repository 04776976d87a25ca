package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// What a trusted proxy says of who has sent a request. A list of addresses grows to the
// right: each proxy adds whom it was asked by, and what is left of that came with the
// request. So it is read from the right, until somebody is met who is no proxy.

const (
	forwardedFor = "X-Forwarded-For"
	forwarded    = "Forwarded"
	realIP       = "X-Real-Ip"
)

// errForwarded: a Forwarded that does not parse (RFC 7239) is refused. To take the proxy
// for the client in its place would let clients write one and be nobody.
var errForwarded = errors.New("engine: malformed Forwarded")

// fieldLines returns the values of a header field, line by line.
type fieldLines func(name string) []string

// client is who has sent a request, as the proxies say.
type client struct {
	addr   netip.AddrPort // the port may be 0; the zero value where they do not say
	scheme string         // "http", "https", or "" likewise
}

// clientOf reads the header of a request that came from a trusted proxy.
func (s *Server) clientOf(lines fieldLines) (k client, err error) {
	k.scheme = schemeOf(lines("X-Forwarded-Proto"))
	for _, name := range s.clientHeaders() {
		values := lines(name)
		if len(values) == 0 {
			continue
		}
		switch name {
		case forwardedFor:
			k.addr = s.rightmost(strings.Split(strings.Join(values, ","), ","))
		case forwarded:
			return s.forwardedClient(values, k)
		default:
			k.addr, _ = parseNode(values[len(values)-1])
		}
		return k, nil
	}
	return k, nil
}

// clientHeaders are the fields that may name a client; the first one present does.
func (s *Server) clientHeaders() []string {
	if name := s.opts.ClientHeader; name != "" {
		return []string{name}
	}
	return []string{forwardedFor, forwarded, realIP}
}

// schemeOf is what the last proxy says that it was asked over.
func schemeOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	list := strings.Split(values[len(values)-1], ",")
	return knownScheme(strings.TrimSpace(list[len(list)-1]))
}

func knownScheme(s string) string {
	switch s = strings.ToLower(s); s {
	case "http", "https":
		return s
	case "ws", "wss":
		return "http" + s[2:]
	}
	return ""
}

// rightmost is the right-most address of the list that is no trusted proxy's; the
// left-most one where all are. Whatever is no address ends the list: who wrote it did not
// say who was in front of it.
func (s *Server) rightmost(list []string) (found netip.AddrPort) {
	for i := len(list) - 1; i >= 0; i-- {
		at, ok := parseNode(list[i])
		if !ok {
			return found
		}
		if found = at; !s.trusted.has(at.Addr()) {
			return found
		}
	}
	return found
}

// parseNode reads an address, with or without a port: 192.0.2.1, 192.0.2.1:80,
// 2001:db8::1, [2001:db8::1] or [2001:db8::1]:80.
func parseNode(s string) (at netip.AddrPort, ok bool) {
	s = strings.TrimSpace(s)
	if ip, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(ip.Unmap().WithZone(""), 0), true
	}
	if inner, found := strings.CutPrefix(s, "["); found && strings.HasSuffix(inner, "]") {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return netip.AddrPortFrom(ip.WithZone(""), 0), err == nil && ip.Is6()
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()), true
}

// forwardedClient reads Forwarded (RFC 7239 section 4). Obfuscated identifiers and
// "unknown" are no addresses.
func (s *Server) forwardedClient(lines []string, k client) (client, error) {
	var fors, protos []string
	for _, line := range lines {
		for rest := line; ; {
			e, after, more, err := forwardedElement(rest)
			if err != nil {
				return client{}, err
			}
			fors, protos = append(fors, e.node), append(protos, e.proto)
			if !more {
				break
			}
			rest = after
		}
	}
	k.addr = s.rightmost(fors)
	if p := knownScheme(protos[len(protos)-1]); p != "" {
		k.scheme = p
	}
	return k, nil
}

// element is what one proxy wrote.
type element struct{ node, proto string }

// forwardedElement reads the element at the start of s. more says that rest, behind a
// comma, has another one.
func forwardedElement(s string) (e element, rest string, more bool, err error) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' { // an empty element
			break
		}
		var name, value string
		if name, value, s, err = forwardedPair(s); err != nil {
			return e, "", false, err
		}
		switch strings.ToLower(name) {
		case "for":
			if e.node != "" {
				return e, "", false, fmt.Errorf("%w: two for in one element", errForwarded)
			}
			e.node = value
		case "proto":
			e.proto = value
		}
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			break
		}
		if s[0] != ';' {
			return e, "", false, fmt.Errorf("%w: no separator", errForwarded)
		}
		s = s[1:]
	}
	if s == "" {
		return e, "", false, nil
	}
	return e, s[1:], true, nil
}

// forwardedPair reads a token, an equals sign, and a token or a quoted string.
func forwardedPair(s string) (name, value, rest string, err error) {
	i := tokenEnd(s)
	if i == 0 || i == len(s) || s[i] != '=' {
		return "", "", "", fmt.Errorf("%w: no name", errForwarded)
	}
	name, s = s[:i], s[i+1:]
	if !strings.HasPrefix(s, `"`) {
		if i = tokenEnd(s); i == 0 {
			return "", "", "", fmt.Errorf("%w: no value", errForwarded)
		}
		return name, s[:i], s[i:], nil
	}
	var b strings.Builder
	for i = 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return name, b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", "", fmt.Errorf("%w: a quote without end", errForwarded)
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", "", fmt.Errorf("%w: a quote without end", errForwarded)
}

// tokenEnd is how many characters of a token s begins with (RFC 9110 section 5.6.2), and
// of what some proxies write without the quotes that an address and a port need.
func tokenEnd(s string) int {
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~:[]", c) >= 0 {
			continue
		}
		return i
	}
	return len(s)
}
