package http1

import (
	"bytes"
	"net/netip"
)

// readTarget checks the request target and splits it (RFC 9112 §3.2): origin-form,
// absolute-form of http and https, and "*" for OPTIONS.
func (q *Request) readTarget(target []byte) error {
	if len(target) == 0 || !validTarget(target) {
		return ErrTarget
	}
	q.Target, q.Path = target, target
	switch {
	case target[0] == '/':
	case string(target) == "*" && string(q.Method) == "OPTIONS":
		return nil
	default:
		if err := q.readAbsolute(target); err != nil {
			return err
		}
	}
	if i := bytes.IndexByte(q.Path, '?'); i >= 0 {
		q.Path, q.Query = q.Path[:i], q.Path[i+1:]
	}
	if len(q.Path) == 0 {
		i := bytes.IndexByte(target, '/') // RFC 9112 §3.2.1: an empty path means "/", and "://" has one to point at
		q.Path = target[i : i+1]
	}
	if !validPercent(q.Path) {
		return ErrTarget
	}
	return nil
}

// readAbsolute leaves in Host the authority and in Path the rest of an
// absolute-form target.
func (q *Request) readAbsolute(target []byte) error {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return ErrTarget
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if !validAuthority(rest[:end]) {
		return ErrTarget
	}
	q.Host, q.Path = rest[:end], rest[end:]
	return nil
}

// validAuthority checks "host" or "host:port" (RFC 3986 §3.2). User information
// and an empty host are not allowed (RFC 9110 §4.2).
func validAuthority(b []byte) bool {
	name, port := b, []byte(nil)
	if len(b) > 0 && b[0] == '[' {
		i := bytes.IndexByte(b, ']')
		if i < 0 || !validIPv6(b[1:i]) {
			return false
		}
		return i+1 == len(b) || b[i+1] == ':' && validPort(b[i+2:])
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		name, port = b[:i], b[i+1:]
	}
	return len(name) > 0 && all(name, hostOctet) && validPort(port)
}

func validPort(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) <= len("65535")
}

// validIPv6 accepts what net/netip does, without zones: they mean nothing to
// another machine.
func validIPv6(b []byte) bool {
	if len(b) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") || bytes.IndexByte(b, '%') >= 0 {
		return false
	}
	a, err := netip.ParseAddr(string(b))
	return err == nil && a.Is6()
}

// validPercent reports whether every "%" is followed by two hexadecimal digits.
func validPercent(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '%')
		if i < 0 {
			return true
		}
		if len(b) < i+3 || !all(b[i+1:i+3], hexOctet) {
			return false
		}
		b = b[i+3:]
	}
}
