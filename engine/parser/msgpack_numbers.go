package parser

import (
	"encoding/binary"
	"math"
	"strconv"
)

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
