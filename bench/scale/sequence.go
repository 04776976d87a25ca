package main

import (
	"fmt"

	"github.com/fanfare-go/fanfare/bench/report"
)

// sequenceWidth is how many decimal digits a text begins with: the message's number,
// from 0.
const sequenceWidth = 10

func appendSequence(dst []byte, n uint32) []byte { return fmt.Appendf(dst, "%0*d", sequenceWidth, n) }

// sequenceOf reads the number at the beginning of a text.
func sequenceOf(text []byte) (n uint32, ok bool) {
	if len(text) < sequenceWidth {
		return 0, false
	}
	sum := uint64(0)
	for _, c := range text[:sequenceWidth] {
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = sum*10 + uint64(c-'0')
	}
	return uint32(sum), sum <= 1<<32-1
}

// sequence is what one connection has received: 16 bytes.
type sequence struct {
	next   uint32 // the number after the highest one
	missed uint64 // bit i: next-1-i has not come
}

// window is how many numbers back sequence can tell late from doubled.
const window = 64

// take notes the arrival of n in the counts, and reports whether it came for the
// first time. What never comes is nobody's to note: it is what Expected exceeds
// Delivered by.
func (s *sequence) take(n uint32, c *report.Count) bool {
	if n >= s.next {
		gap := uint64(n - s.next)
		s.missed = s.missed<<(gap+1) | (1<<(gap+1) - 2)
		s.next = n + 1
		c.Delivered++
		return true
	}
	back := s.next - 1 - n
	if back < window && s.missed&(1<<back) != 0 {
		s.missed &^= 1 << back
		c.Disordered++
		c.Delivered++
		return true
	}
	c.Doubled++
	return false
}
