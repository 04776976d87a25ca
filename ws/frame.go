package ws

import (
	"encoding/binary"
	"unicode/utf8"
)

// MaxHeaderSize is the longest header of a server frame, in bytes: 2 and 8 of
// length; a server does not mask.
const MaxHeaderSize = 10

// CloseFrame is the close frame without a code, which the peer sees as 1005:
// what Node's server sends except for messages that are too big. Immutable.
var CloseFrame = []byte{bitFIN | byte(OpClose), 0}

// HeaderSize returns the bytes of the header of a server frame with n payload
// bytes: 2, 4 or 10. Safe for concurrent use.
func HeaderSize(n int) int {
	switch {
	case n <= MaxControlPayload:
		return 2
	case n <= 0xffff:
		return 4
	default:
		return 10
	}
}

// PutHeader writes the header of an unfragmented server frame with n payload
// bytes to buf[0:] and returns its size. buf must have HeaderSize(n) bytes.
// Safe for concurrent use.
func PutHeader(buf []byte, op OpCode, n int) int {
	size := HeaderSize(n)
	buf = buf[:size]
	buf[0] = bitFIN | byte(op)
	switch size {
	case 2:
		buf[1] = byte(n)
	case 4:
		buf[1] = length16
		binary.BigEndian.PutUint16(buf[2:], uint16(n))
	default:
		buf[1] = length64
		binary.BigEndian.PutUint64(buf[2:], uint64(n))
	}
	return size
}

// AppendHeader appends the header of a server frame with n payload bytes. Safe
// for concurrent use.
func AppendHeader(dst []byte, op OpCode, n int) []byte {
	var h [MaxHeaderSize]byte
	return append(dst, h[:PutHeader(h[:], op, n)]...)
}

// AppendFrame appends a whole server frame. Safe for concurrent use.
func AppendFrame(dst []byte, op OpCode, payload []byte) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}

// AppendClose appends a close frame. The reason is cut to the 123 bytes that a
// control frame has room for, between two runes. Code 0 makes the close frame
// without a payload. Safe for concurrent use.
func AppendClose(dst []byte, code StatusCode, reason string) []byte {
	if code == 0 {
		return append(dst, CloseFrame...)
	}
	if n := MaxControlPayload - 2; len(reason) > n {
		for n > 0 && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	dst = AppendHeader(dst, OpClose, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// NextFrame splits the first frame off b, which holds server frames as built
// by the functions above; payload and rest lie inside b. ok is false when b
// does not begin with a whole frame of that kind. Safe for concurrent use.
func NextFrame(b []byte) (op OpCode, payload, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&^bitsOp != bitFIN {
		return 0, nil, b, false
	}
	size, n := 2, uint64(b[1]) // a mask bit makes it too long for any case
	switch {
	case n == length16 && len(b) >= 4:
		size, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case n == length64 && len(b) >= 10:
		size, n = 10, binary.BigEndian.Uint64(b[2:])
	case n > MaxControlPayload:
		return 0, nil, b, false
	}
	if n > uint64(len(b)-size) {
		return 0, nil, b, false
	}
	end := size + int(n)
	return OpCode(b[0] & bitsOp), b[size:end:end], b[end:], true
}
