package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// The text of every message: a sequence number, the time it was meant to be sent at
// in microseconds of the monotonic clock, and filler up to the payload's size.
const (
	numberDigits = 8
	timeDigits   = 14 // 3 years of uptime

	// MinText is the least size of a text, in bytes.
	MinText = numberDigits + timeDigits

	fillerByte = 'x'
)

var errText = errors.New("not a text of ours")

// texts builds and reads texts of one size.
type texts struct{ filler []byte }

func newTexts(size int) texts {
	return texts{bytes.Repeat([]byte{fillerByte}, size-MinText)}
}

func (t texts) append(dst []byte, number uint32, due time.Duration) []byte {
	dst = appendDigits(dst, uint64(number), numberDigits)
	dst = appendDigits(dst, uint64(due.Microseconds()), timeDigits)
	return append(dst, t.filler...)
}

// parse checks every byte of text.
func (t texts) parse(text []byte) (number uint32, due time.Duration, err error) {
	if len(text) != MinText+len(t.filler) || !bytes.Equal(text[MinText:], t.filler) {
		return 0, 0, fmt.Errorf("%w: %d bytes, want %d: %.60q", errText, len(text), MinText+len(t.filler), text)
	}
	n, ok1 := digits(text[:numberDigits])
	us, ok2 := digits(text[numberDigits:MinText])
	if !ok1 || !ok2 {
		return 0, 0, fmt.Errorf("%w: %.60q", errText, text)
	}
	return uint32(n), time.Duration(us) * time.Microsecond, nil
}

func appendDigits(dst []byte, v uint64, width int) []byte {
	at := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := at + width - 1; i >= at; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

func digits(b []byte) (v uint64, ok bool) {
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, true
}
