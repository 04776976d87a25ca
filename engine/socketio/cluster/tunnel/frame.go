package tunnel

import (
	"encoding/binary"
	"math"
)

// A message is
//
//	version (1 byte), length of the sender's tag (1 byte), the tag, the sender's birth (8 bytes), frames
//
// and a frame
//
//	kind (1 byte; the top bit says that its sender has dialed the stream), number of the stream, fields
//
// with all numbers as unsigned varints. The birth tells two processes apart that have the
// same tag, one after the other.
const version = 1

const (
	maxTag  = 16
	maxMeta = 256 // bytes that a stream may bring along
	maxData = 60 << 10

	maxMessage = 64 << 10
)

type kind uint8

const (
	kindOpen   kind = 1 + iota // meta, and the first data
	kindData                   // offset in the stream, bytes
	kindFinish                 // offset at which the stream ends
	kindWindow                 // offset up to which may be sent
	kindAlive                  // offset up to which was sent, that up to which may be, and 1 if the first is the end
	kindReset                  // cause
	kindHello                  // who is there?
	kindHere                   // I am
	kindBye                    // and now I am not
	kindCount
)

const byDialer = 0x80

// frame is one of a message. Which fields matter is up to the kind; slices lie in the message.
type frame struct {
	kind       kind
	dialed     bool // its sender has dialed the stream
	id         uint64
	at         uint64 // an offset, or the cause
	limit      uint64
	last       bool
	meta, data []byte
}

// header is what a message begins with.
type header struct {
	tag   string
	birth uint64
}

func (h *header) append(b []byte) []byte {
	b = append(b, version, byte(len(h.tag)))
	return binary.LittleEndian.AppendUint64(append(b, h.tag...), h.birth)
}

func (f *frame) append(b []byte) []byte {
	k := byte(f.kind)
	if f.dialed {
		k |= byDialer
	}
	b = binary.AppendUvarint(append(b, k), f.id)
	switch f.kind {
	case kindOpen:
		b = appendBytes(appendBytes(b, f.meta), f.data)
	case kindData:
		b = appendBytes(binary.AppendUvarint(b, f.at), f.data)
	case kindFinish, kindReset:
		b = binary.AppendUvarint(b, f.at)
	case kindWindow:
		b = binary.AppendUvarint(b, f.limit)
	case kindAlive:
		b = binary.AppendUvarint(binary.AppendUvarint(b, f.at), f.limit)
		if f.last {
			return append(b, 1)
		}
		return append(b, 0)
	}
	return b
}

func appendBytes(b, more []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(more))), more...)
}

// parseHeader returns what follows the header of a message.
func parseHeader(b []byte) (h header, frames []byte, err error) {
	if len(b) < 2 || b[0] != version || b[1] > maxTag || len(b) < 2+int(b[1])+8 {
		return h, nil, errMalformed
	}
	n := 2 + int(b[1])
	h.tag, h.birth = string(b[2:n]), binary.LittleEndian.Uint64(b[n:])
	if !ValidTag(h.tag) {
		return h, nil, errMalformed
	}
	return h, b[n+8:], nil
}

// parseFrame reads the frame that b begins with, and returns what follows it.
func parseFrame(b []byte) (f frame, rest []byte, err error) {
	if len(b) == 0 {
		return f, nil, errMalformed
	}
	f.kind, f.dialed = kind(b[0]&^byDialer), b[0]&byDialer != 0
	p := fields{b: b[1:], ok: f.kind > 0 && f.kind < kindCount}
	f.id = p.number()
	switch f.kind {
	case kindOpen:
		f.meta, f.data = p.bytes(maxMeta), p.bytes(maxData)
	case kindData:
		f.at, f.data = p.number(), p.bytes(maxData)
	case kindFinish, kindReset:
		f.at = p.number()
	case kindWindow:
		f.limit = p.number()
	case kindAlive:
		f.at, f.limit = p.number(), p.number()
		f.last = p.number() == 1
	}
	if !p.ok {
		return frame{}, nil, errMalformed
	}
	return f, p.b, nil
}

// fields reads one after the other; ok until one is not there.
type fields struct {
	b  []byte
	ok bool
}

// number reads one that sums of a few do not overflow with.
func (p *fields) number() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 || v > math.MaxInt64/2 {
		p.ok = false
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *fields) bytes(limit uint64) []byte {
	n := p.number()
	if n > limit || n > uint64(len(p.b)) {
		p.ok = false
		return nil
	}
	b := p.b[:n:n]
	p.b = p.b[n:]
	return b
}

// ValidTag reports 1 to 16 letters and digits.
func ValidTag(tag string) bool {
	for _, c := range []byte(tag) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(tag) > 0 && len(tag) <= maxTag
}
