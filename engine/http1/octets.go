package http1

import (
	"bytes"
	"encoding/binary"
)

// Octet classes of RFC 9110 §5.6.2 (token), §5.5 (field value) and RFC 9112 §3.2
// (request target), as bits of octets' entries.
const (
	tokenOctet  = 1 << iota // tchar
	valueOctet              // HTAB, SP, VCHAR, obs-text
	targetOctet             // VCHAR without "#", which RFC 3986 keeps out of what is sent
	hostOctet               // unreserved of RFC 3986 §2.3: no real host name has more
	hexOctet                // HEXDIG in either case
)

var octets = func() (t [256]uint8) {
	for c := range t {
		b := byte(c)
		digit := '0' <= b && b <= '9'
		alnum := digit || 'a' <= b|0x20 && b|0x20 <= 'z'
		mark := func(bit uint8, is bool) {
			if is {
				t[c] |= bit
			}
		}
		mark(tokenOctet, alnum || b != 0 && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), b) >= 0)
		mark(valueOctet, b == '\t' || b >= ' ' && b != 0x7f)
		mark(targetOctet, b > ' ' && b < 0x7f && b != '#')
		mark(hostOctet, alnum || bytes.IndexByte([]byte("-._~"), b) >= 0)
		mark(hexOctet, digit || 'a' <= b|0x20 && b|0x20 <= 'f')
	}
	return t
}()

// all reports whether every octet of b is of the class.
func all(b []byte, class uint8) bool {
	for _, c := range b {
		if octets[c]&class == 0 {
			return false
		}
	}
	return true
}

// Most of a head is values and target: they are checked eight octets at a time. In
// the results of below and equal some high bit is set if there is such an octet.
const (
	ones = 0x0101010101010101
	high = 0x8080808080808080
)

func below(x, n uint64) uint64 { return (x - n*ones) &^ x }
func equal(x, n uint64) uint64 { return below(x^n*ones, 1) }

// validValue is all(b, valueOctet).
func validValue(b []byte) bool {
	if len(b) < 8 {
		return all(b, valueOctet)
	}
	x := binary.LittleEndian.Uint64(b[len(b)-8:]) // overlaps what the loop sees
	bad := below(x, ' ') | equal(x, 0x7f)
	for rest := b; len(rest) > 8; rest = rest[8:] {
		x = binary.LittleEndian.Uint64(rest)
		bad |= below(x, ' ') | equal(x, 0x7f)
	}
	return bad&high == 0 || all(b, valueOctet) // HTAB is below SP and allowed
}

// validTarget is all(b, targetOctet).
func validTarget(b []byte) bool {
	if len(b) < 8 {
		return all(b, targetOctet)
	}
	x := binary.LittleEndian.Uint64(b[len(b)-8:])
	bad := x | below(x, '!') | equal(x, 0x7f) | equal(x, '#')
	for rest := b; len(rest) > 8; rest = rest[8:] {
		x = binary.LittleEndian.Uint64(rest)
		bad |= x | below(x, '!') | equal(x, 0x7f) | equal(x, '#')
	}
	return bad&high == 0
}

// cut is bytes.Cut at a single byte.
func cut(b []byte, sep byte) (before, after []byte, found bool) {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:], true
	}
	return b, nil, false
}

// trimOWS removes optional whitespace (RFC 9110 §5.6.3) from both ends.
func trimOWS(b []byte) []byte {
	for len(b) > 0 && isOWS(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isOWS(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isOWS(c byte) bool { return c == ' ' || c == '\t' }

// equalFold compares without regard to the case of ASCII letters. bytes.EqualFold
// folds Unicode: to it, U+212A is a k.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if b[i] != s[i] && lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// nextElement cuts the first element off a comma-separated list.
func nextElement(list []byte) (element, rest []byte) {
	element, rest, _ = cut(list, ',')
	return trimOWS(element), rest
}

func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var e []byte
		if e, list = nextElement(list); equalFold(e, token) {
			return true
		}
	}
	return false
}
