package parser

import "unicode/utf8"

// msgpackReader turns msgpack into JSON. It goes over the same bytes twice: first to prove and to measure, then to write
// into memory of exactly that size.
type msgpackReader struct {
	b        []byte
	i        int // next byte
	depth    int // arrays and maps around it
	maxDepth int
	most     int // attachments

	writing     bool
	size        int    // of the JSON so far
	attached    int    // attachments so far
	out         []byte // while writing
	attachments [][]byte
}

// kind is what a value was, as far as those around it must know.
type kind uint8

const (
	defined kind = iota
	undefined
)

// value reads the value at r.i.
func (r *msgpackReader) value() (kind, error) {
	if r.i >= len(r.b) {
		return 0, ErrMsgpack
	}
	switch c := r.b[r.i]; {
	case c < 0x80 || c >= 0xe0 || c >= 0xcc && c <= 0xd3: // integers
		return 0, r.integer()
	case c < 0x90 || c == 0xde || c == 0xdf:
		return 0, r.object()
	case c < 0xa0 || c == 0xdc || c == 0xdd:
		return 0, r.array()
	case c < 0xc0 || c >= 0xd9 && c <= 0xdb:
		s, err := r.str()
		if err == nil {
			r.text(s)
		}
		return 0, err
	case c == 0xc0:
		return 0, r.word("null")
	case c == 0xc2:
		return 0, r.word("false")
	case c == 0xc3:
		return 0, r.word("true")
	case c == 0xca || c == 0xcb:
		return 0, r.float()
	case c >= 0xc4 && c <= 0xc6:
		n, err := r.length(c-0xc4, 1)
		if err != nil {
			return 0, err
		}
		return 0, r.attach(n)
	case c >= 0xc7 && c <= 0xc9 || c >= 0xd4 && c <= 0xd8:
		return r.extension()
	}
	return 0, ErrMsgpack
}

// raw puts JSON out.
func (r *msgpackReader) raw(s string) {
	if r.writing {
		r.out = append(r.out, s...)
	} else {
		r.size += len(s)
	}
}

// word is a value of one byte.
func (r *msgpackReader) word(s string) error {
	r.i++
	r.raw(s)
	return nil
}

// text puts a JSON string out.
func (r *msgpackReader) text(s []byte) {
	n := jsonSize(s)
	switch {
	case !r.writing:
		r.size += n
	case n == len(s)+2: // nothing to escape
		r.out = append(append(append(r.out, '"'), s...), '"')
	default:
		r.out = AppendString(r.out, string(s))
	}
}

// length reads a big-endian length of 1, 2 or 4 bytes for width 0, 1 and 2, and checks that so many units of that least
// size are there: what is declared is never taken on trust.
func (r *msgpackReader) length(width byte, unit int) (int, error) {
	r.i++
	size := 1 << width
	if len(r.b)-r.i < size {
		return 0, ErrMsgpack
	}
	var n uint64
	for _, c := range r.b[r.i : r.i+size] {
		n = n<<8 | uint64(c)
	}
	r.i += size
	return r.declared(n, unit)
}

func (r *msgpackReader) declared(n uint64, unit int) (int, error) {
	if n > uint64(len(r.b)-r.i)/uint64(unit) {
		return 0, ErrMsgpack
	}
	return int(n), nil
}

// mapHeader reads how many members a map has.
func (r *msgpackReader) mapHeader() (n int, ok bool) {
	if r.i >= len(r.b) {
		return 0, false
	}
	var err error
	switch c := r.b[r.i]; {
	case c&0xf0 == 0x80:
		r.i++
		n, err = r.declared(uint64(c&0x0f), 2)
	case c == 0xde || c == 0xdf:
		n, err = r.length(c-0xde+1, 2)
	default:
		return 0, false
	}
	return n, err == nil
}

// str reads a string; its bytes may be anything.
func (r *msgpackReader) str() ([]byte, error) {
	if r.i >= len(r.b) {
		return nil, ErrMsgpack
	}
	var n int
	var err error
	switch c := r.b[r.i]; {
	case c&0xe0 == 0xa0:
		r.i++
		n, err = r.declared(uint64(c&0x1f), 1)
	case c >= 0xd9 && c <= 0xdb:
		n, err = r.length(c-0xd9, 1)
	default:
		return nil, ErrMsgpack
	}
	if err != nil {
		return nil, err
	}
	return r.take(n), nil
}

// take returns the next n bytes, which are there.
func (r *msgpackReader) take(n int) []byte {
	r.i += n
	return r.b[r.i-n : r.i : r.i]
}

// enter goes into an array or a map, of which levels more are needed.
func (r *msgpackReader) enter(levels int) error {
	if r.depth+levels > r.maxDepth {
		return ErrDepth
	}
	r.depth++
	return nil
}

func (r *msgpackReader) array() error {
	n, err := int(r.b[r.i]&0x0f), error(nil)
	if c := r.b[r.i]; c >= 0xdc {
		n, err = r.length(c-0xdc+1, 1)
	} else {
		r.i++
		n, err = r.declared(uint64(n), 1)
	}
	if err == nil {
		err = r.enter(1)
	}
	if err != nil {
		return err
	}
	r.raw("[")
	for i := range n {
		if i > 0 {
			r.raw(",")
		}
		k, err := r.value()
		if err != nil {
			return err
		}
		if k == undefined {
			r.raw("null")
		}
	}
	r.raw("]")
	r.depth--
	return nil
}

func (r *msgpackReader) object() error {
	n, ok := r.mapHeader()
	if !ok {
		return ErrMsgpack
	}
	if err := r.enter(1); err != nil {
		return err
	}
	r.raw("{")
	first := true
	for range n {
		size, length := r.size, len(r.out)
		if !first {
			r.raw(",")
		}
		if err := r.key(); err != nil {
			return err
		}
		r.raw(":")
		k, err := r.value()
		if err != nil {
			return err
		}
		if k == undefined {
			r.size, r.out = size, r.out[:length]
		} else {
			first = false
		}
	}
	r.raw("}")
	r.depth--
	return nil
}

// key reads a key. Integers become strings, as in JavaScript.
func (r *msgpackReader) key() error {
	if r.i >= len(r.b) {
		return ErrMsgpack
	}
	switch c := r.b[r.i]; {
	case c&0xe0 == 0xa0 || c >= 0xd9 && c <= 0xdb:
		s, err := r.str()
		if err == nil {
			r.text(s)
		}
		return err
	case c < 0x80 || c >= 0xe0 || c >= 0xcc && c <= 0xd3:
		r.raw(`"`)
		if err := r.integer(); err != nil {
			return err
		}
		r.raw(`"`)
		return nil
	}
	return ErrMsgpack
}

// attach makes the next n bytes an attachment and puts its placeholder out.
func (r *msgpackReader) attach(n int) error {
	if r.depth+1 > r.maxDepth {
		return ErrDepth
	}
	if r.attached == r.most && !r.writing {
		return ErrTooManyAttachments
	}
	var buf [40]byte
	if !r.writing {
		r.digits(AppendPlaceholder(buf[:0], r.attached))
		r.attached++
		r.i += n
		return nil
	}
	r.out = AppendPlaceholder(r.out, len(r.attachments))
	own := make([]byte, n) // not nil even when empty: nil would become null
	copy(own, r.take(n))
	r.attachments = append(r.attachments, own)
	return nil
}

// skipUndefined reads undefined, if that is what stands there.
func (r *msgpackReader) skipUndefined() bool {
	if rest := r.b[r.i:]; len(rest) >= 3 && rest[0] == 0xd4 && rest[1] == 0 {
		r.i += 3
		return true
	}
	return false
}

// jsonSize is how long AppendString makes s.
func jsonSize(s []byte) int {
	n := len(s) + 2
	for i := 0; i < len(s); {
		c := s[i]
		if c < 0x80 {
			switch {
			case c == '"' || c == '\\' || c == '\b' || c == '\t' || c == '\n' || c == '\f' || c == '\r':
				n++
			case c < ' ':
				n += len(`\u0000`) - 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && size == 1 {
			n += len("\uFFFD") - 1
		}
		i += size
	}
	return n
}
