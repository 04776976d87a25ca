package ws

import (
	"math/bits"

	"github.com/valyala/bytebufferpool"
)

// Carry buffers have a power of two of bytes and are pooled by size: a single
// pool would hand one large message's buffer, or after calibration the most
// usual size, to every peer that sends half a header. So what a peer makes us
// hold is at most twice what it sent, or 256 B.
const (
	minCarryBits = 8  // 256 B, fits any header and any control frame
	maxCarryBits = 22 // 4 MiB; larger ones are left to the garbage collector
)

var carries [maxCarryBits - minCarryBits + 1]bytebufferpool.Pool

// carryBits returns the power of two of the buffer for n bytes.
func carryBits(n int) int {
	return max(bits.Len(uint(n-1)), minCarryBits)
}

// take returns an empty buffer with room for n bytes, n > 0.
func take(n int) *bytebufferpool.ByteBuffer {
	k := carryBits(n)
	if k > maxCarryBits {
		return &bytebufferpool.ByteBuffer{B: make([]byte, 0, 1<<k)}
	}
	b := carries[k-minCarryBits].Get()
	if cap(b.B) < n {
		b.B = make([]byte, 0, 1<<k)
	}
	return b
}

// give returns a buffer of take's to its pool. Nil is allowed.
func give(b *bytebufferpool.ByteBuffer) {
	if b == nil {
		return
	}
	// The pool calibrates itself by length: at full length it learns its own
	// size, and neither drops buffers nor makes ones of another size.
	b.B = b.B[:cap(b.B)]
	if poison {
		for i := range b.B {
			b.B[i] = 0xdd
		}
	}
	if k := carryBits(len(b.B)); k <= maxCarryBits {
		carries[k-minCarryBits].Put(b)
	}
}

// grow returns b, or a buffer with b's content in its place, with room for n
// more bytes. Sizes being powers of two, growth costs linear time in all.
func grow(b *bytebufferpool.ByteBuffer, n int) *bytebufferpool.ByteBuffer {
	if b == nil {
		return take(n)
	}
	if cap(b.B)-len(b.B) >= n {
		return b
	}
	g := take(len(b.B) + n)
	g.B = append(g.B, b.B...)
	give(b)
	return g
}
