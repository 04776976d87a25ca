package packet

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// A payload of revision 3 has the length in front of each packet. In text that is a decimal number, a colon, and the
// packet, and the length counts what JavaScript calls characters: UTF-16 code units. Where a packet is binary and the
// client can read it, the payload is bytes: 0 for a text packet or 1 for a binary one, the digits of the length as
// numbers from 0 to 9, 255, and the packet, whose length counts bytes.
const (
	lengthEnd       = ':' // behind the length in text
	binaryLengthEnd = 255 // behind the length in bytes
	kindText        = 0
	kindBinary      = 1
	maxLengthDigits = 9 // more than any body has; fits an int everywhere
)

// NewPayloadV3 returns an iterator over a polling body of revision 3; binary says that its content type was
// application/octet-stream. Otherwise it is as [NewPayload]. "0:" in text is how no packets at all are written, and passed
// over.
func NewPayloadV3(b []byte, binary bool) Payload {
	switch {
	case binary:
		return Payload{rest: b, framing: lengthsInBytes, last: len(b) == 0}
	case len(b) == 0: // as Node judges these two
		return Payload{err: ErrEmpty}
	}
	return Payload{rest: b, framing: lengthsInText}
}

var noPackets = []byte("0:")

func (p *Payload) skipNoPackets() {
	for p.err == nil && bytes.HasPrefix(p.rest, noPackets) {
		p.advance(len(noPackets))
	}
}

// advance takes n bytes off.
func (p *Payload) advance(n int) {
	p.rest = p.rest[n:]
	p.last = len(p.rest) == 0
}

// nextTextV3 reads one packet of a payload in text.
func (p *Payload) nextTextV3() (Packet, error) {
	n, b, err := cutLength(p.rest, '0', lengthEnd)
	if err != nil {
		return Packet{}, err
	}
	size, err := utf16Prefix(b, n)
	if err != nil {
		return Packet{}, err
	}
	p.advance(len(p.rest) - len(b) + size)
	return DecodeTextV3(b[:size:size])
}

// nextBinaryV3 reads one packet of a payload in bytes.
func (p *Payload) nextBinaryV3() (Packet, error) {
	kind := p.rest[0]
	if kind > kindBinary {
		return Packet{}, ErrUnknownType
	}
	n, b, err := cutLength(p.rest[1:], 0, binaryLengthEnd)
	if err != nil {
		return Packet{}, err
	}
	if n > len(b) {
		return Packet{}, ErrLength
	}
	p.advance(len(p.rest) - len(b) + n)
	b = b[:n:n]
	if kind == kindBinary {
		return DecodeBinaryV3(b)
	}
	if !utf8.Valid(b) {
		return Packet{}, ErrUTF8
	}
	return DecodeTextV3(b)
}

// cutLength reads a decimal number whose digits begin at zero, and what ends it.
func cutLength(b []byte, zero, end byte) (n int, rest []byte, err error) {
	for i, c := range b {
		switch {
		case c == end && i > 0:
			return n, b[i+1:], nil
		case c-zero > 9 || i == maxLengthDigits:
			return 0, nil, ErrLength
		}
		n = n*10 + int(c-zero)
	}
	return 0, nil, ErrLength
}

// utf16Prefix returns how many bytes at the start of b are n UTF-16 code units.
func utf16Prefix(b []byte, n int) (size int, err error) {
	for n > 0 {
		if size == len(b) {
			return 0, ErrLength
		}
		if b[size] < utf8.RuneSelf {
			size, n = size+1, n-1
			continue
		}
		r, width := utf8.DecodeRune(b[size:])
		if r == utf8.RuneError && width == 1 {
			return 0, ErrUTF8
		}
		size, n = size+width, n-units(width)
	}
	if n < 0 { // half of a surrogate pair
		return 0, ErrLength
	}
	return size, nil
}

// utf16Len returns how many UTF-16 code units the text b has.
func utf16Len(b []byte) (n int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i, n = i+1, n+1
			continue
		}
		_, width := utf8.DecodeRune(b[i:])
		i, n = i+width, n+units(width)
	}
	return n
}

// units is how many UTF-16 code units a character of so many bytes has.
func units(width int) int {
	if width == utf8.UTFMax {
		return 2
	}
	return 1
}

// AppendPayloadTextV3 appends a text packet, which pkt is with its type digit, to a payload in text.
func AppendPayloadTextV3(dst, pkt []byte) []byte {
	dst = append(strconv.AppendInt(dst, int64(utf16Len(pkt)), 10), lengthEnd)
	return append(dst, pkt...)
}

// AppendPayloadBase64V3 appends a binary message to a payload in text.
func AppendPayloadBase64V3(dst, data []byte) []byte {
	dst = strconv.AppendInt(dst, int64(Base64LenV3(len(data))), 10)
	return AppendBase64V3(append(dst, lengthEnd), data)
}

// AppendBinaryPayloadTextV3 appends a text packet, which pkt is with its type digit, to a payload in bytes.
func AppendBinaryPayloadTextV3(dst, pkt []byte) []byte {
	return append(appendBinaryLength(dst, kindText, len(pkt)), pkt...)
}

// AppendBinaryPayloadDataV3 appends a binary message to a payload in bytes.
func AppendBinaryPayloadDataV3(dst, data []byte) []byte {
	return AppendBinaryV3(appendBinaryLength(dst, kindBinary, 1+len(data)), data)
}

func appendBinaryLength(dst []byte, kind byte, n int) []byte {
	dst = append(dst, kind)
	from := len(dst)
	dst = strconv.AppendInt(dst, int64(n), 10)
	for i := range dst[from:] {
		dst[from+i] -= '0'
	}
	return append(dst, binaryLengthEnd)
}
