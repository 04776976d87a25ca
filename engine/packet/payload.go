package packet

import (
	"bytes"
	"unicode/utf8"
)

// Separator stands between the packets of a polling payload (ASCII record separator; Engine.IO revision 4, "Payload").
const Separator = 0x1e

// Payload iterates over the packets of one polling body. It allocates nothing.
type Payload struct {
	rest    []byte
	last    bool // rest holds no further packet
	framing framing
	err     error // the first error, kept
}

// framing is how the packets of a payload are kept apart.
type framing uint8

const (
	separators     framing = iota // revision 4
	lengthsInText                 // revision 3
	lengthsInBytes                // revision 3, application/octet-stream
)

// NewPayload returns an iterator over b. The packets are parts of b, and base64 among them is decoded in place.
func NewPayload(b []byte) Payload { return Payload{rest: b} }

// Next returns the next packet. At the end, ok is false and err nil. At the first packet that is wrong, ok is false and err
// says why, from then on always: the packets before it count, the ones behind it do not, as in Node.
// An empty body is one empty packet, hence [ErrEmpty].
func (p *Payload) Next() (pkt Packet, ok bool, err error) {
	if p.framing == lengthsInText {
		p.skipNoPackets()
	}
	if p.last || p.err != nil {
		return Packet{}, false, p.err
	}
	switch p.framing {
	case lengthsInText:
		pkt, p.err = p.nextTextV3()
	case lengthsInBytes:
		pkt, p.err = p.nextBinaryV3()
	default:
		pkt, p.err = decodeChecked(p.cut())
	}
	return pkt, p.err == nil, p.err
}

// cut takes the bytes up to the next separator.
func (p *Payload) cut() []byte {
	b := p.rest
	if i := bytes.IndexByte(b, Separator); i >= 0 {
		p.rest = b[i+1:]
		return b[:i:i]
	}
	p.rest, p.last = nil, true
	return b
}

// decodeChecked is DecodeText plus the check of text that WebSocket does by itself.
func decodeChecked(b []byte) (Packet, error) {
	pkt, err := DecodeText(b)
	if err == nil && !pkt.Binary && !utf8.Valid(pkt.Data) {
		return Packet{}, ErrUTF8
	}
	return pkt, err
}
