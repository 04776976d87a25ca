package parser

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// EventName takes the name off an event's array, which [Decode] has validated. The name is a part of array, or a slice of
// its own if it was written with escapes; the name of a numeric event is the number's text. rest is what follows: the
// arguments as raw JSON with commas between and no brackets, to be read with [NewArgList]. Safe for concurrent use.
func EventName(array []byte) (name []byte, rest []byte, err error) {
	a := NewArgs(array)
	first, ok := a.Next()
	if !ok || !isName(first) {
		return nil, nil, ErrInvalidPayload
	}
	if first[0] != '"' {
		return first, a.Rest(), nil
	}
	name = first[1 : len(first)-1 : len(first)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = AppendUnescaped(make([]byte, 0, len(name)), name)
	}
	return name, a.Rest(), nil
}

// isName reports whether a raw value is a string or a number.
func isName(v []byte) bool {
	return v[0] == '"' && len(v) >= 2 && v[len(v)-1] == '"' || v[0] == '-' || isDigit(v[0])
}

// checkEventName checks the first element of a valid array as socket.io-parser does.
func checkEventName(array []byte) error {
	const longest = len("removeListener") * len(`\u0072`) // a reserved name in its longest spelling
	a := NewArgs(array)
	first, ok := a.Next()
	if !ok || !isName(first) {
		return ErrInvalidPayload
	}
	if first[0] != '"' || len(first)-2 > longest {
		return nil
	}
	name := first[1 : len(first)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var buf [longest]byte
		name = AppendUnescaped(buf[:0], name)
	}
	if ReservedName(name) {
		return ErrReserved
	}
	return nil
}

// AppendUnescaped appends the text of a JSON string whose raw form, without quotes, is s. It is never longer than s. Halves of
// surrogate pairs become U+FFFD. What is not a valid escape is copied as it stands. Safe for concurrent use.
func AppendUnescaped(dst, s []byte) []byte {
	for len(s) > 0 {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		if s[i+1] == 'u' && len(s) >= i+6 {
			r, size := unescapeRune(s[i:])
			dst = utf8.AppendRune(dst, r)
			s = s[i+size:]
			continue
		}
		dst = append(dst, unescapeByte(s[i+1]))
		s = s[i+2:]
	}
	return dst
}

// unescapeRune decodes the \u escape at the beginning of s, or the surrogate pair of two, and returns its length.
func unescapeRune(s []byte) (r rune, size int) {
	r = unit(s)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if pair := utf16.DecodeRune(r, unit(s[6:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// unit returns the UTF-16 code unit of the \u escape at the beginning of s.
func unit(s []byte) rune {
	var r rune
	for _, c := range s[2:6] {
		r = r<<4 | rune(hexValue(c)&0xf)
	}
	return r
}

func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
