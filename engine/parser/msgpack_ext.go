package parser

import (
	"encoding/binary"
	"strconv"
	"time"
)

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
