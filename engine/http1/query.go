package http1

import "bytes"

// QueryValue finds key in a raw query of "name=value" pairs joined by "&". val is
// the first value, percent- and plus-decoded: a sub-slice of query when nothing
// needed decoding, else a fresh slice. n says how often the key occurs; 0 means
// absent, and the caller treats n > 1 as a bad request. ok is false if any value of
// the key has bad percent-encoding; val is then nil.
//
// Names are decoded before they are compared (a name that cannot be is nobody's).
// Other pairs are not judged. A ";" separates nothing, as in the WHATWG URL
// standard and in Node. Safe for concurrent use.
func QueryValue(query []byte, key string) (val []byte, n int, ok bool) {
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = cut(query, '&')
		name, value, _ := cut(pair, '=')
		if len(pair) == 0 || !decodesTo(name, key) {
			continue
		}
		if !validPercent(value) {
			return nil, n + 1, false
		}
		if n++; n == 1 {
			val = unescape(value)
		}
	}
	return val, n, true
}

// decodesTo reports whether a raw name decodes to key, without decoding it into
// memory.
func decodesTo(raw []byte, key string) bool {
	for i := range len(key) {
		if len(raw) == 0 {
			return false
		}
		c := raw[0]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && !validPercent(raw[:min(3, len(raw))]):
			return false
		case c == '%':
			c = unhex(raw[1])<<4 | unhex(raw[2])
			raw = raw[2:]
		}
		if c != key[i] {
			return false
		}
		raw = raw[1:]
	}
	return len(raw) == 0
}

// unescape decodes a value whose percent-encoding is valid.
func unescape(raw []byte) []byte {
	if bytes.IndexByte(raw, '%') < 0 && bytes.IndexByte(raw, '+') < 0 {
		return raw
	}
	val := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '+':
			val = append(val, ' ')
		case '%':
			val = append(val, unhex(raw[i+1])<<4|unhex(raw[i+2]))
			i += 2
		default:
			val = append(val, c)
		}
	}
	return val
}
