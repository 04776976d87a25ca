package parser

import (
	"encoding/binary"
	"math/bits"
)

// scan proves in one pass that b is exactly one JSON value (RFC 8259), white space around it allowed, with at most maxDepth
// nested arrays and objects. It accepts what encoding/json.Valid accepts; bytes above 0x7f in strings are not looked at. It
// neither recurses nor allocates: one bit per open level says whether that is an object.
func scan(b []byte, maxDepth int) error {
	var objects [MaxDepth / 64]uint64
	depth := 0
	i := skipSpace(b, 0)
	for {
		// A value begins at i.
		if i >= len(b) {
			return ErrJSON
		}
		switch c := b[i]; c {
		case '"':
			i = scanString(b, i)
		case '[', '{':
			if depth == maxDepth || depth == MaxDepth {
				return ErrDepth
			}
			word, bit := depth/64, uint64(1)<<(depth%64)
			depth++
			i = skipSpace(b, i+1)
			if c == '[' {
				objects[word] &^= bit
				if i < len(b) && b[i] != ']' {
					continue
				}
				break // the end of an empty array is found below
			}
			objects[word] |= bit
			if i < len(b) && b[i] != '}' {
				if i = scanKey(b, i); i >= 0 {
					continue
				}
				return ErrJSON
			}
		case 't':
			i = scanWord(b, i, "true")
		case 'f':
			i = scanWord(b, i, "false")
		case 'n':
			i = scanWord(b, i, "null")
		default:
			i = scanNumber(b, i)
		}
		if i < 0 {
			return ErrJSON
		}

		// A value has ended at i: close what ends with it, then go to the next one.
		for {
			i = skipSpace(b, i)
			if depth == 0 {
				if i == len(b) {
					return nil
				}
				return ErrJSON
			}
			if i >= len(b) {
				return ErrJSON
			}
			object := objects[(depth-1)/64]>>((depth-1)%64)&1 != 0
			closing := byte(']')
			if object {
				closing = '}'
			}
			c := b[i]
			i++
			if c == ',' {
				i = skipSpace(b, i)
				if object {
					i = scanKey(b, i)
				}
				break
			}
			if c != closing {
				return ErrJSON
			}
			depth--
		}
		if i < 0 {
			return ErrJSON
		}
	}
}

// skipSpace returns the first index from i on that holds no white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t') }

func isDigit(c byte) bool { return c-'0' <= 9 }

// scanKey reads a key and its colon at i and returns where the value begins, or -1.
func scanKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	if i = scanString(b, i); i < 0 {
		return -1
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return -1
	}
	return skipSpace(b, i+1)
}

// scanString reads the string whose quote stands at i and returns the index behind its end, or -1.
func scanString(b []byte, i int) int {
	i++
	for {
		i = plainEnd(b, i)
		if i >= len(b) {
			return -1
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			if i = scanEscape(b, i+1); i < 0 {
				return -1
			}
		default: // a control character
			return -1
		}
	}
}

// plainEnd returns the first index from i on that holds a quote, a backslash or a control character. It looks at eight
// bytes at a time: the lowest set bit of the mask is exact, higher ones may be carried over from it.
func plainEnd(b []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		hit := ((w-ones*' ')&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// scanEscape reads what follows a backslash at i and returns the index behind it, or -1.
func scanEscape(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 <= len(b) && hexValue(b[i+1])|hexValue(b[i+2])|hexValue(b[i+3])|hexValue(b[i+4]) < 16 {
			return i + 5
		}
	}
	return -1
}

// hexValue returns the value of a hexadecimal digit, or 16 for anything else.
func hexValue(c byte) uint16 {
	switch {
	case isDigit(c):
		return uint16(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint16(c|0x20-'a') + 10
	}
	return 16
}

// scanWord reads the literal word at i and returns the index behind it, or -1.
func scanWord(b []byte, i int, word string) int {
	if end := i + len(word); end <= len(b) && string(b[i:end]) == word {
		return end
	}
	return -1
}

// scanNumber reads a number at i and returns the index behind it, or -1.
func scanNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b) || !isDigit(b[i]):
		return -1
	case b[i] == '0':
		i++
	default:
		i = skipDigits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		if i++; i >= len(b) || !isDigit(b[i]) {
			return -1
		}
		i = skipDigits(b, i)
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i >= len(b) || !isDigit(b[i]) {
			return -1
		}
		i = skipDigits(b, i)
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}
