package packet

import (
	"bytes"
	"encoding/base64"
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

// PayloadV3 iterates over the packets of one polling body of revision 3. It allocates nothing.
type PayloadV3 struct {
	rest   []byte
	binary bool
	err    error // the first error, kept
}

// NewPayloadV3 returns an iterator over b; binary says that its content type was application/octet-stream. The packets are
// parts of b, and base64 among them is decoded in place.
func NewPayloadV3(b []byte, binary bool) PayloadV3 {
	p := PayloadV3{rest: b, binary: binary}
	if len(b) == 0 && !binary { // as Node judges these two
		p.err = ErrEmpty
	}
	return p
}

// Next returns the next packet, as [Payload.Next] does. "0:" in text is how no packets at all are written, and passed over.
func (p *PayloadV3) Next() (pkt Packet, ok bool, err error) {
	for !p.binary && bytes.HasPrefix(p.rest, noPackets) {
		p.rest = p.rest[len(noPackets):]
	}
	switch {
	case p.err != nil || len(p.rest) == 0:
		return Packet{}, false, p.err
	case p.binary:
		pkt, p.err = p.nextBinary()
	default:
		pkt, p.err = p.nextText()
	}
	return pkt, p.err == nil, p.err
}

var noPackets = []byte("0:")

// nextText reads one packet of a payload in text.
func (p *PayloadV3) nextText() (Packet, error) {
	n, b, err := cutLength(p.rest, '0', lengthEnd)
	if err != nil {
		return Packet{}, err
	}
	size, err := utf16Prefix(b, n)
	if err != nil {
		return Packet{}, err
	}
	p.rest = b[size:]
	return DecodeTextV3(b[:size:size])
}

// nextBinary reads one packet of a payload in bytes.
func (p *PayloadV3) nextBinary() (Packet, error) {
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
	p.rest = b[n:]
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
	n := 2 + base64.StdEncoding.EncodedLen(len(data))
	return AppendBase64V3(append(strconv.AppendInt(dst, int64(n), 10), lengthEnd), data)
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
