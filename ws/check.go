package ws

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Defaults for the zero fields of Limits.
const (
	// DefaultMessage is in bytes, maxHttpBufferSize of Socket.IO's Node server.
	DefaultMessage = 1_000_000
	// DefaultFragments is in frames.
	DefaultFragments = 1024
)

// Limits bounds what one peer may make us buffer. Immutable once in use, hence
// shared by all connections and safe for concurrent use.
type Limits struct {
	// Message is the largest payload of a whole message, in bytes. It is
	// compared with the lengths in the headers, before a payload byte is
	// buffered, and, where that is compressed, with what becomes of it. 0 means
	// DefaultMessage.
	Message int64
	// Fragments is how many frames one message may have. 0 means
	// DefaultFragments.
	Fragments int
	// Inflated counts compressed messages; nil for nobody who asks.
	Inflated *Inflated
}

func (l *Limits) message() int64 {
	if l.Message <= 0 {
		return DefaultMessage
	}
	return l.Message
}

func (l *Limits) fragments() uint32 {
	if l.Fragments <= 0 {
		return DefaultFragments
	}
	return uint32(min(int64(l.Fragments), math.MaxUint32))
}

// header is a frame header in which no fault was found so far. It is complete
// when at least size bytes were there to be read. It has four fields because
// the compiler keeps structs of up to four in registers.
type header struct {
	length int64  // payload bytes
	key    uint32 // masking key, little-endian
	size   uint8  // bytes of the header, 2-14; 2 while the second is missing
	first  byte   // FIN, RSV, opcode
}

func (h header) op() OpCode { return OpCode(h.first & bitsOp) }
func (h header) fin() bool  { return h.first&bitFIN != 0 }

// packed reports RSV1 alone, where it may be.
func (h header) packed() bool {
	return h.first&bitsRSV == bitRSV1 && (h.op() == OpText || h.op() == OpBinary)
}

func (h header) control() bool { return h.first&bitControl != 0 }

// maxClientHeader is the longest header of a client frame in bytes:
// 2 + 8 of length + 4 of key.
const maxClientHeader = 14

// readHeader reads the header at b[0:], which must not be empty, and applies
// every rule that can be decided from the bytes present, first byte first: a
// fault is found at the same byte however the input was split.
func (r *Reader) readHeader(b []byte, lim *Limits) (header, *CloseError) {
	h := header{first: b[0], size: 2}
	if err := r.checkFirst(h, lim); err != nil {
		return h, err
	}
	if len(b) < 2 {
		return h, nil
	}
	if b[1]&bitMask == 0 {
		return h, ErrUnmasked
	}
	h.size, h.length = 2+4, int64(b[1]&bitsLen)
	if h.length > MaxControlPayload {
		if h.control() {
			return h, ErrControlTooLong
		}
		var err *CloseError
		if h.size, h.length, err = readLength(b); err != nil {
			return h, err
		}
	}
	if !h.control() && h.length > lim.message()-r.messageLen() {
		return h, ErrMessageTooBig
	}
	if n := int(h.size); len(b) >= n {
		h.key = binary.LittleEndian.Uint32(b[n-4 : n])
	}
	return h, nil
}

// checkFirst applies the rules about a frame's first byte. RSV1 is for the first
// frame of a message, where compression was agreed upon (RFC 7692 section 6.1).
func (r *Reader) checkFirst(h header, lim *Limits) *CloseError {
	op := h.op()
	switch {
	case h.first&bitsRSV != 0 && (!r.deflate || !h.packed()):
		return ErrReservedBits
	case op.IsReserved():
		return ErrReservedOpCode
	case h.control():
		if !h.fin() {
			return ErrFragmentedControl
		}
	case op == OpContinuation:
		if r.frames == 0 {
			return ErrUnexpectedContinuation
		}
		if r.frames >= lim.fragments() {
			return ErrTooManyFragments
		}
	case r.frames != 0:
		return ErrExpectedContinuation
	}
	return nil
}

// readLength reads the 16 or 64-bit length of the header at b[0:], and tells the
// size of the header. While the length is incomplete it returns 0, which no
// limit objects to.
func readLength(b []byte) (size uint8, length int64, err *CloseError) {
	if b[1]&bitsLen == length16 {
		if len(b) < 4 {
			return 2 + 2 + 4, 0, nil
		}
		length = int64(binary.BigEndian.Uint16(b[2:4]))
		if length < length16 {
			err = ErrLengthNotMinimal
		}
		return 2 + 2 + 4, length, err
	}
	if len(b) < 10 {
		return maxClientHeader, 0, nil
	}
	length = int64(binary.BigEndian.Uint64(b[2:10]))
	switch {
	case length < 0:
		err = ErrLengthSign
	case length <= 0xffff:
		err = ErrLengthNotMinimal
	}
	return maxClientHeader, length, err
}

// checkClose splits a close payload, RFC 6455 section 5.5.1. A payload without
// a code counts as 1005.
func checkClose(p []byte) (StatusCode, []byte, *CloseError) {
	switch len(p) {
	case 0:
		return StatusNoStatus, nil, nil
	case 1:
		return 0, nil, ErrShortClose
	}
	code, reason := StatusCode(binary.BigEndian.Uint16(p)), p[2:]
	if !validCloseCode(code) {
		return 0, nil, ErrInvalidCloseCode
	}
	if !utf8.Valid(reason) {
		return 0, nil, ErrInvalidCloseReason
	}
	return code, reason, nil
}

// validCloseCode reports whether a peer may send code. 1012-1014 are in IANA's
// registry and Node's ws accepts them; the rest of 1015-2999 is unassigned.
func validCloseCode(code StatusCode) bool {
	switch {
	case code >= 1000 && code <= 1014:
		return code != 1004 && code != 1005 && code != 1006
	default:
		return code >= 3000 && code <= 4999
	}
}
