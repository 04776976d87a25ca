package parser

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// AppendPacket appends the message of a packet. Its data are valid JSON in which a placeholder stands for each attachment;
// what is not is [ErrJSON] or [ErrIllegalAttachments], and dst as it was. The packet's own count does not matter.
func (Msgpack) AppendPacket(dst []byte, p *Packet, attachments [][]byte) ([]byte, error) {
	w := msgpackWriter{in: p.Data, out: dst, attachments: attachments}
	members := 2
	if len(p.Data) > 0 {
		members++
	}
	if p.HasID {
		members++
	}
	w.out = append(w.out, 0x80|byte(members))
	w.str("type")
	w.out = append(w.out, byte(plainType(p.Type)))
	if len(p.Data) > 0 {
		w.str("data")
		if err := w.all(); err != nil {
			return dst, err
		}
	}
	if p.HasID {
		w.str("id")
		w.uint(p.ID)
	}
	w.str("nsp")
	w.header(0xa0, 32, 0xd9, len(p.Namespace))
	w.out = append(w.out, p.Namespace...)
	return w.out, nil
}

// plainType is the type without binary.
func plainType(t Type) Type {
	switch t {
	case BinaryEvent:
		return Event
	case BinaryAck:
		return Ack
	}
	return t
}

// msgpackWriter turns JSON into msgpack.
type msgpackWriter struct {
	in          []byte
	i           int // next byte of in
	depth       int
	out         []byte
	scratch     []byte // of strings with escapes
	attachments [][]byte
}

// deepest is how deep JSON of ours may be nested: encoding/json reads no deeper.
const deepest = 10_000

// all writes the one value of the data.
func (w *msgpackWriter) all() error {
	w.i = skipSpace(w.in, 0)
	if err := w.value(); err != nil {
		return err
	}
	if skipSpace(w.in, w.i) != len(w.in) {
		return ErrJSON
	}
	return nil
}

// value writes the value at w.i.
func (w *msgpackWriter) value() error {
	if w.i >= len(w.in) {
		return ErrJSON
	}
	switch w.in[w.i] {
	case '{':
		return w.object()
	case '[':
		return w.array()
	case '"':
		return w.text()
	case 't':
		return w.word("true", 0xc3)
	case 'f':
		return w.word("false", 0xc2)
	case 'n':
		return w.word("null", 0xc0)
	}
	return w.number()
}

func (w *msgpackWriter) word(text string, code byte) error {
	end := scanWord(w.in, w.i, text)
	if end < 0 {
		return ErrJSON
	}
	w.i = end
	w.out = append(w.out, code)
	return nil
}

// str writes a short string of ours.
func (w *msgpackWriter) str(s string) {
	w.out = append(append(w.out, 0xa0|byte(len(s))), s...)
}

// header writes the kind and length of a string, array or map: in one byte below short, else behind the code that is given
// for strings, or the one of 16 bits for the others.
func (w *msgpackWriter) header(fixed byte, short int, code byte, n int) {
	w.out = appendHead(w.out, fixed, short, code, n)
}

func appendHead(dst []byte, fixed byte, short int, code byte, n int) []byte {
	switch {
	case n < short:
		return append(dst, fixed|byte(n))
	case n <= math.MaxUint8 && code == 0xd9:
		return append(dst, code, byte(n))
	case n <= math.MaxUint16:
		if code == 0xd9 {
			code++
		}
		return binary.BigEndian.AppendUint16(append(dst, code), uint16(n))
	}
	if code == 0xd9 {
		code++
	}
	return binary.BigEndian.AppendUint32(append(dst, code+1), uint32(n))
}

// bin writes an attachment.
func (w *msgpackWriter) bin(b []byte) {
	switch n := len(b); {
	case n <= math.MaxUint8:
		w.out = append(w.out, 0xc4, byte(n))
	case n <= math.MaxUint16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, 0xc5), uint16(n))
	default:
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xc6), uint32(n))
	}
	w.out = append(w.out, b...)
}

// text writes a string.
func (w *msgpackWriter) text() error {
	end := scanString(w.in, w.i)
	if end < 0 {
		return ErrJSON
	}
	s := w.in[w.i+1 : end-1]
	if bytes.IndexByte(s, '\\') >= 0 {
		w.scratch = AppendUnescaped(w.scratch[:0], s)
		s = w.scratch
	}
	w.i = end
	w.header(0xa0, 32, 0xd9, len(s))
	w.out = append(w.out, s...)
	return nil
}

// within writes what is between brackets: its head has one byte at first, and grows when there turns out to be more than
// that can say.
func (w *msgpackWriter) within(fixed, code, closing byte, element func() error) error {
	if w.depth++; w.depth > deepest {
		return ErrDepth
	}
	start, n := len(w.out), 0
	w.out = append(w.out, 0)
	w.i = skipSpace(w.in, w.i+1)
	for w.i < len(w.in) && w.in[w.i] != closing {
		if err := element(); err != nil {
			return err
		}
		n++
		w.i = skipSpace(w.in, w.i)
		if w.i < len(w.in) && w.in[w.i] == ',' {
			w.i = skipSpace(w.in, w.i+1)
			if w.i < len(w.in) && w.in[w.i] == closing {
				return ErrJSON
			}
		} else if w.i >= len(w.in) || w.in[w.i] != closing {
			return ErrJSON
		}
	}
	if w.i >= len(w.in) {
		return ErrJSON
	}
	w.i++
	w.depth--
	var head [5]byte
	h := appendHead(head[:0], fixed, 16, code, n)
	w.out[start] = h[0]
	if more := len(h) - 1; more > 0 {
		w.out = append(w.out, h[1:]...) // for the room
		copy(w.out[start+1+more:], w.out[start+1:])
		copy(w.out[start+1:], h[1:])
	}
	return nil
}

func (w *msgpackWriter) array() error { return w.within(0x90, 0xdc, ']', w.value) }

// object writes a map, or the attachment that the object stands for.
func (w *msgpackWriter) object() error {
	start := len(w.out)
	placeholder, num := false, -1
	err := w.within(0x80, 0xde, '}', func() error {
		value := scanKey(w.in, w.i)
		if value < 0 {
			return ErrJSON
		}
		key := w.in[w.i+1 : scanString(w.in, w.i)-1]
		if err := w.text(); err != nil {
			return err
		}
		w.i = value
		if err := w.value(); err != nil {
			return err
		}
		switch raw := w.in[value:w.i]; {
		case len(w.attachments) == 0:
		case isKey(key, placeholderKey):
			placeholder = string(raw) == "true"
		case isKey(key, numberKey):
			num = placeholderNumber(raw)
		}
		return nil
	})
	if err != nil || !placeholder {
		return err
	}
	if num < 0 || num >= len(w.attachments) {
		return ErrIllegalAttachments
	}
	w.out = w.out[:start]
	w.bin(w.attachments[num])
	return nil
}

// number writes a number: as an integer where it is one, however it is written.
func (w *msgpackWriter) number() error {
	end := scanNumber(w.in, w.i)
	if end < 0 {
		return ErrJSON
	}
	s := string(w.in[w.i:end])
	w.i = end
	if !strings.ContainsAny(s, ".eE") { // or the errors would cost more than the number
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			w.int(i)
			return nil
		}
		if u, err := strconv.ParseUint(s, 10, 64); err == nil {
			w.uint(u)
			return nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil: // beyond what a double holds: infinite in JavaScript, too
		w.float(f)
	case f == math.Trunc(f) && math.Abs(f) <= maxID:
		w.int(int64(f))
	default:
		w.float(f)
	}
	return nil
}

func (w *msgpackWriter) float(f float64) {
	w.out = binary.BigEndian.AppendUint64(append(w.out, 0xcb), math.Float64bits(f))
}

// uint writes an integer in as few bytes as it takes.
func (w *msgpackWriter) uint(u uint64) {
	switch {
	case u < 0x80:
		w.out = append(w.out, byte(u))
	case u <= math.MaxUint8:
		w.out = append(w.out, 0xcc, byte(u))
	case u <= math.MaxUint16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, 0xcd), uint16(u))
	case u <= math.MaxUint32:
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xce), uint32(u))
	default:
		w.out = binary.BigEndian.AppendUint64(append(w.out, 0xcf), u)
	}
}

func (w *msgpackWriter) int(i int64) {
	switch {
	case i >= 0:
		w.uint(uint64(i))
	case i >= -32:
		w.out = append(w.out, byte(i))
	case i >= math.MinInt8:
		w.out = append(w.out, 0xd0, byte(i))
	case i >= math.MinInt16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, 0xd1), uint16(i))
	case i >= math.MinInt32:
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xd2), uint32(i))
	default:
		w.out = binary.BigEndian.AppendUint64(append(w.out, 0xd3), uint64(i))
	}
}
