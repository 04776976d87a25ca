package ws

import (
	"math/bits"
	"unicode/utf8"

	"github.com/valyala/bytebufferpool"
)

// messageLen returns the payload bytes held of the current message.
func (r *Reader) messageLen() int64 {
	if r.message == nil {
		return 0
	}
	return int64(len(r.message.B))
}

// begin enters a data frame.
func (r *Reader) begin(h header) {
	if h.op() != OpContinuation {
		r.op, r.packed = h.op(), h.packed()
	}
	r.frames++
	r.fin = h.fin()
	r.left = h.length
	r.key = h.key
}

// resumePayload goes on with a data frame that the last input ended in, and
// returns the bytes after it.
func (r *Reader) resumePayload(b []byte, lim *Limits, s Sink) (rest []byte, err error) {
	n := int(min(r.left, int64(len(b))))
	if err = r.part(b[:n]); err != nil || r.left > 0 {
		return nil, err
	}
	return b[n:], r.end(lim, s)
}

// part takes p, the next masked payload bytes of the current frame.
func (r *Reader) part(p []byte) error {
	unmask(p, r.key)
	r.key = bits.RotateLeft32(r.key, -8*(len(p)&3))
	r.left -= int64(len(p))
	return r.hold(p)
}

// fragment takes p, the whole and unmasked payload of the current frame. The
// last frame of a message whose others were empty need not be copied.
func (r *Reader) fragment(p []byte, lim *Limits, s Sink) error {
	if !r.fin || r.message != nil {
		if err := r.hold(p); err != nil {
			return err
		}
		return r.end(lim, s)
	}
	r.frames = 0
	if r.packed {
		return r.unpack(r.op, p, lim, s)
	}
	if r.op == OpText && !utf8.Valid(p) {
		return r.fail(ErrInvalidText)
	}
	return s.Message(r.op, p)
}

// hold appends p to the message and checks that it can still become UTF-8. Of a
// compressed one that shows at its end.
func (r *Reader) hold(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	r.message = grow(r.message, len(p))
	m := append(r.message.B, p...)
	r.message.B = m
	if r.op != OpText || r.packed {
		return nil
	}
	fresh := m[len(m)-len(p)-int(r.tail):]
	tail := runeBegun(fresh)
	if !utf8.Valid(fresh[:len(fresh)-tail]) {
		return r.fail(ErrInvalidText)
	}
	r.tail = uint8(tail)
	return nil
}

// end leaves the current frame, and delivers the message if it was its last.
func (r *Reader) end(lim *Limits, s Sink) error {
	if !r.fin {
		return nil
	}
	if r.tail > 0 {
		return r.fail(ErrInvalidText)
	}
	m := r.message               // not nil: fragment sees to messages without a held byte
	r.message, r.frames = nil, 0 // first, so that a Reset by the sink leaves m to us
	if r.packed {
		return r.unpackHeld(m, lim, s)
	}
	err := s.Message(r.op, m.B)
	give(m)
	return err
}

// unpack delivers a compressed message that lies whole in the input: it is copied, for
// the decompressor needs room behind it.
func (r *Reader) unpack(op OpCode, p []byte, lim *Limits, s Sink) error {
	r.op = op
	m := take(len(p) + len(inflateTail))
	m.B = append(m.B, p...)
	return r.unpackHeld(m, lim, s)
}

// unpackHeld delivers a compressed message, and gives m back.
func (r *Reader) unpackHeld(m *bytebufferpool.ByteBuffer, lim *Limits, s Sink) error {
	m = grow(m, len(inflateTail))
	out, fault := inflate(m.B, lim)
	give(m)
	switch {
	case fault != nil:
		return r.fail(fault)
	case r.op == OpText && !utf8.Valid(out.B):
		give(out)
		return r.fail(ErrInvalidText)
	}
	err := s.Message(r.op, out.B)
	give(out)
	return err
}

// runeBegun returns how many bytes at the end of p begin a rune that more bytes
// can complete, 0-3. A beginning that no byte can complete is not counted:
// utf8.FullRune calls it full, and utf8.Valid will refuse it.
func runeBegun(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		last := p[len(p)-n:]
		if !utf8.RuneStart(last[0]) {
			continue
		}
		if utf8.FullRune(last) {
			return 0
		}
		return n
	}
	return 0
}
