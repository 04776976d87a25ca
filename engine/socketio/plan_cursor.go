package socketio

import (
	"bytes"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// cursor walks over a text that is known to be one JSON value.
type cursor struct {
	b []byte
	i int // next byte
}

// space steps over white space and returns what stands behind, 0 at the end.
func (c *cursor) space() byte {
	for c.i < len(c.b) {
		if ch := c.b[c.i]; ch > ' ' {
			return ch
		}
		c.i++
	}
	return 0
}

// word steps over a literal, if that is what stands there.
func (c *cursor) word(w string) bool {
	c.space()
	if end := c.i + len(w); end <= len(c.b) && string(c.b[c.i:end]) == w {
		c.i = end
		return true
	}
	return false
}

func (c *cursor) null() bool { return c.space() == 'n' && c.word("null") }

func (c *cursor) colon() bool { return c.step(':') }

func (c *cursor) step(want byte) bool {
	if c.space() != want {
		return false
	}
	c.i++
	return true
}

// within calls element in front of each element between brackets.
func (c *cursor) within(opening, closing byte, element func() bool) bool {
	if !c.step(opening) {
		return false
	}
	if c.step(closing) {
		return true
	}
	for {
		c.space()
		if !element() {
			return false
		}
		if !c.step(',') {
			return c.step(closing)
		}
	}
}

// raw steps over a string and returns what stands between its quotes.
func (c *cursor) raw() (s []byte, escaped, ok bool) {
	if c.space() != '"' {
		return nil, false, false
	}
	start := c.i + 1
	for i := start; ; {
		n := bytes.IndexByte(c.b[i:], '"')
		if n < 0 {
			return nil, false, false
		}
		i += n
		if !escaped {
			first := bytes.IndexByte(c.b[start:i], '\\')
			if first < 0 {
				c.i = i + 1
				return c.b[start:i], false, true
			}
			escaped = true
		}
		slashes := 0
		for c.b[i-1-slashes] == '\\' { // a quote stands in front of them
			slashes++
		}
		if i++; slashes%2 == 0 {
			c.i = i
			return c.b[start : i-1], true, true
		}
	}
}

// key is a string without escapes.
func (c *cursor) key() ([]byte, bool) {
	s, escaped, ok := c.raw()
	return s, ok && !escaped
}

// text is a string.
func (c *cursor) text() (string, bool) {
	s, escaped, ok := c.raw()
	if escaped {
		return string(parser.AppendUnescaped(make([]byte, 0, len(s)), s)), ok
	}
	return string(s), ok
}

// number steps over a number and returns it; whether it is one is for the caller to see.
func (c *cursor) number() []byte {
	c.space()
	start := c.i
	for c.i < len(c.b) {
		if ch := c.b[c.i]; ch <= ' ' || ch == ',' || ch == ']' || ch == '}' {
			break
		}
		c.i++
	}
	return c.b[start:c.i]
}

// skip steps over one value.
func (c *cursor) skip() bool {
	switch c.space() {
	case '"':
		_, _, ok := c.raw()
		return ok
	case '{', '[':
	default:
		return len(c.number()) > 0
	}
	for depth := 0; c.i < len(c.b); {
		switch c.b[c.i] {
		case '"':
			if _, _, ok := c.raw(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if c.i++; depth == 0 {
			return true
		}
	}
	return false
}

// any reads what encoding/json puts into an empty interface.
func (c *cursor) any() (any, bool) {
	switch c.space() {
	case '"':
		return c.text()
	case '{':
		m := make(map[string]any)
		ok := c.within('{', '}', func() bool {
			key, ok := c.text()
			if !ok || !c.colon() {
				return false
			}
			m[key], ok = c.any()
			return ok
		})
		return m, ok
	case '[':
		list := []any{}
		ok := c.within('[', ']', func() bool {
			x, ok := c.any()
			list = append(list, x)
			return ok
		})
		return list, ok
	case 't':
		return true, c.word("true")
	case 'f':
		return false, c.word("false")
	case 'n':
		return nil, c.word("null")
	}
	f, err := strconv.ParseFloat(string(c.number()), 64)
	return f, err == nil
}
