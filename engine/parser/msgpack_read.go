package parser

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

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

// number reads an integer of any size and sign.
func (r *msgpackReader) number() (u uint64, negative, ok bool) {
	if r.i >= len(r.b) {
		return 0, false, false
	}
	c := r.b[r.i]
	switch {
	case c < 0x80:
		r.i++
		return uint64(c), false, true
	case c >= 0xe0:
		r.i++
		return uint64(int64(int8(c))), true, true
	case c < 0xcc || c > 0xd3:
		return 0, false, false
	}
	signed := c >= 0xd0
	size := 1 << ((c - 0xcc) & 3)
	if len(r.b)-r.i-1 < size {
		return 0, false, false
	}
	r.i++
	for _, d := range r.take(size) {
		u = u<<8 | uint64(d)
	}
	if signed {
		shift := 64 - 8*size
		s := int64(u<<shift) >> shift
		return uint64(s), s < 0, true
	}
	return u, false, true
}

// uint reads an integer that is not negative.
func (r *msgpackReader) uint() (uint64, bool) {
	u, negative, ok := r.number()
	return u, ok && !negative
}

func (r *msgpackReader) integer() error {
	u, negative, ok := r.number()
	if !ok {
		return ErrMsgpack
	}
	var buf [20]byte
	if negative {
		r.digits(strconv.AppendInt(buf[:0], int64(u), 10))
	} else {
		r.digits(strconv.AppendUint(buf[:0], u, 10))
	}
	return nil
}

// digits is raw for bytes.
func (r *msgpackReader) digits(b []byte) {
	if r.writing {
		r.out = append(r.out, b...)
	} else {
		r.size += len(b)
	}
}

// float reads a float of 4 or 8 bytes and writes it as JSON.stringify does.
func (r *msgpackReader) float() error {
	double := r.b[r.i] == 0xcb
	size := 4
	if double {
		size = 8
	}
	if len(r.b)-r.i-1 < size {
		return ErrMsgpack
	}
	r.i++
	bytes := r.take(size)
	f := 0.0
	if double {
		f = math.Float64frombits(binary.BigEndian.Uint64(bytes))
	} else {
		f = float64(math.Float32frombits(binary.BigEndian.Uint32(bytes)))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.raw("null")
		return nil
	}
	var buf [32]byte
	r.digits(appendFloat(buf[:0], f))
	return nil
}

// appendFloat appends a finite number in the form that JavaScript gives it (ECMA-262, Number::toString).
func appendFloat(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0') // also for -0
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // e-07 is e-7
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
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

// extension reads an extension of fixed or declared length.
func (r *msgpackReader) extension() (kind, error) {
	if r.skipUndefined() {
		return undefined, nil
	}
	c := r.b[r.i]
	fixed := c >= 0xd4
	n, err := 0, error(nil)
	if fixed {
		r.i++
		n, err = r.declared(1<<(c-0xd4), 1)
	} else {
		n, err = r.length(c-0xc7, 1)
	}
	if err != nil || len(r.b)-r.i < n+1 {
		return 0, ErrMsgpack
	}
	t := int8(r.b[r.i])
	r.i++
	data := r.b[r.i : r.i+n]
	switch {
	case t == 0 && c == 0xd7: // Date
		r.i += n
		r.date(time.UnixMilli(int64(binary.BigEndian.Uint64(data))))
		return 0, nil
	case t == 0 && !fixed: // ArrayBuffer
		return 0, r.attach(n)
	case t == -1:
		if at, ok := timestamp(data); ok {
			r.i += n
			r.date(at)
			return 0, nil
		}
	}
	return 0, r.foreign(t, n)
}

// foreign is an extension that only its sender knows.
func (r *msgpackReader) foreign(t int8, n int) error {
	if err := r.enter(2); err != nil {
		return err
	}
	r.raw("[")
	var buf [4]byte
	r.digits(strconv.AppendInt(buf[:0], int64(t), 10))
	r.raw(",")
	err := r.attach(n)
	r.raw("]")
	r.depth--
	return err
}

// timestamp reads the timestamp extension of the msgpack specification.
func timestamp(data []byte) (time.Time, bool) {
	switch len(data) {
	case 4:
		return time.Unix(int64(binary.BigEndian.Uint32(data)), 0), true
	case 8:
		u := binary.BigEndian.Uint64(data)
		return time.Unix(int64(u&(1<<34-1)), int64(u>>34)), u>>34 < 1e9
	case 12:
		nanos := binary.BigEndian.Uint32(data)
		return time.Unix(int64(binary.BigEndian.Uint64(data[4:])), int64(nanos)), nanos < 1e9
	}
	return time.Time{}, false
}

// date puts a time out as Date.prototype.toJSON does: null beyond the range of a Date.
func (r *msgpackReader) date(t time.Time) {
	const most = 8.64e12 // seconds on either side of 1970 (ECMA-262, Time Values)
	if s := t.Unix(); s > most || s < -most || s == most && t.Nanosecond() > 0 {
		r.raw("null")
		return
	}
	var buf [40]byte
	r.digits(appendDate(buf[:0], t.UTC()))
}

// appendDate appends the ISO 8601 string of a Date, with more digits of the second where there are any.
func appendDate(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	layout := "2006-01-02T15:04:05.000"
	if t.Nanosecond()%1e6 != 0 {
		layout = "2006-01-02T15:04:05.000000000"
	}
	if y := t.Year(); y < 0 || y > 9999 {
		sign := byte('+')
		if y < 0 {
			sign, y = '-', -y
		}
		dst = append(dst, sign)
		for unit := 100_000; unit > 0; unit /= 10 {
			dst = append(dst, '0'+byte(y/unit%10))
		}
		layout = layout[len("2006"):]
	}
	return append(t.AppendFormat(dst, layout), 'Z', '"')
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
