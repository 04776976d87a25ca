package webtransport

import (
	"encoding/binary"
	"errors"
	"io"
)

// Engine.IO frames its packets on a WebTransport stream (fact 59): a byte whose top bit
// says binary, with the length in the other seven; 126 announces two more bytes with the
// length, 127 eight.

const (
	binaryBit  = 0x80
	length16   = 126
	length64   = 127
	maxPayload = 1<<53 - 1 // bytes; what JavaScript can count. The server has its own, lower limit
	maxHeader  = 9         // bytes
)

var (
	errEmpty = errors.New("webtransport: a packet of no bytes")
	errLong  = errors.New("webtransport: a packet too long to be one")
)

// header is what is in front of a packet.
type header struct {
	binary bool
	length uint64
}

// readHeader reads one. It returns io.EOF where the stream ends before it.
func readHeader(r io.Reader) (h header, err error) {
	var b [maxHeader]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return h, err
	}
	h.binary, h.length = b[0]&binaryBit != 0, uint64(b[0]&^binaryBit)
	more := 0
	switch h.length {
	case length16:
		more = 2
	case length64:
		more = 8
	}
	if _, err := io.ReadFull(r, b[1:1+more]); err != nil {
		return h, noEOF(err)
	}
	switch more {
	case 2:
		h.length = uint64(binary.BigEndian.Uint16(b[1:]))
	case 8:
		h.length = binary.BigEndian.Uint64(b[1:])
	}
	switch {
	case h.length == 0:
		return h, errEmpty
	case h.length > maxPayload:
		return h, errLong
	}
	return h, nil
}

// noEOF is err, where the end comes in the middle of something.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// append appends the header in its shortest form.
func (h header) append(dst []byte) []byte {
	var top byte
	if h.binary {
		top = binaryBit
	}
	switch {
	case h.length < length16:
		return append(dst, top|byte(h.length))
	case h.length < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, top|length16), uint16(h.length))
	}
	return binary.BigEndian.AppendUint64(append(dst, top|length64), h.length)
}
