package socketio

import "encoding/binary"

// An offset says how far a client has come in what it was sent: the epoch of the log
// that the events are counted by, and a number that grows with every event of that
// log. It travels as the last argument of an event, in a form of fixed length, so
// that a packet can be finished before its number is known. To the client it is
// opaque. Node: the offsets of socket.io-adapter are made by yeast.
const (
	epochLen  = 6 // characters: 36 random bits
	countLen  = 8 // characters: 48 bits, big end first, so that offsets sort as text
	offsetLen = epochLen + countLen
)

type epoch [epochLen]byte

// digits is base64url's alphabet in the order of its characters, as yeast has it:
// text that sorts as the numbers do.
const digits = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// digitOf is the value of each character; 0xff for what is none.
var digitOf = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(digits) {
		t[digits[i]] = byte(i)
	}
	return t
}()

// newEpoch makes an epoch of random bytes.
func newEpoch(random [8]byte) (e epoch) {
	r := binary.LittleEndian.Uint64(random[:])
	for i := range e {
		e[i] = digits[r&63]
		r >>= 6
	}
	return e
}

// putOffset writes an offset into dst, which has room for offsetLen bytes.
func putOffset(dst []byte, e epoch, n uint64) {
	copy(dst, e[:])
	for i := offsetLen - 1; i >= epochLen; i-- {
		dst[i] = digits[n&63]
		n >>= 6
	}
}

// offsetOf returns an offset as text.
func offsetOf(e epoch, n uint64) string {
	var b [offsetLen]byte
	putOffset(b[:], e, n)
	return string(b[:])
}

// parseOffset reads an offset; ok is false where it is not one of this epoch.
func parseOffset(s string, e epoch) (n uint64, ok bool) {
	if len(s) != offsetLen || s[:epochLen] != string(e[:]) {
		return 0, false
	}
	for i := epochLen; i < offsetLen; i++ {
		d := digitOf[s[i]]
		if d == 0xff {
			return 0, false
		}
		n = n<<6 | uint64(d)
	}
	return n, true
}
