package ws

import (
	"encoding/binary"
	"math/bits"

	gobwas "github.com/gobwas/ws"
)

// cipherFrom is the payload length in bytes from which gobwas's vector code and
// utf8.Valid take less time than the loop here, which finds ASCII on the way.
// Without UTF-8 to check, the vector code is ahead from about 200 bytes, by
// some 10 ns. Measured by BenchmarkUnmaskCrossover.
const cipherFrom = 512

const highBits = 0x8080808080808080

// Unmask masks or unmasks b in place, RFC 6455 section 5.3. offset is how many
// bytes of the payload came before b. Safe for concurrent use.
func Unmask(b []byte, key [4]byte, offset int) {
	unmask(b, bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*(offset&3)))
}

// unmask unmasks b with a little-endian key. It returns true if it found b to
// be ASCII, which it only looks at where that is free.
func unmask(b []byte, key uint32) (ascii bool) {
	if len(b) >= cipherFrom {
		var k [4]byte
		binary.LittleEndian.PutUint32(k[:], key)
		gobwas.Cipher(b, k, 0)
		return false
	}
	return unmaskWords(b, key)&highBits == 0
}

// unmaskWords is unmask by 64-bit words. It returns the union of the unmasked
// bytes, each at some place of the word.
func unmaskWords(b []byte, key uint32) (union uint64) {
	k := uint64(key)<<32 | uint64(key)
	for len(b) >= 32 {
		w0 := binary.LittleEndian.Uint64(b) ^ k
		w1 := binary.LittleEndian.Uint64(b[8:]) ^ k
		w2 := binary.LittleEndian.Uint64(b[16:]) ^ k
		w3 := binary.LittleEndian.Uint64(b[24:]) ^ k
		binary.LittleEndian.PutUint64(b, w0)
		binary.LittleEndian.PutUint64(b[8:], w1)
		binary.LittleEndian.PutUint64(b[16:], w2)
		binary.LittleEndian.PutUint64(b[24:], w3)
		union |= w0 | w1 | w2 | w3
		b = b[32:]
	}
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b) ^ k
		binary.LittleEndian.PutUint64(b, w)
		union |= w
		b = b[8:]
	}
	if len(b) >= 4 {
		w := binary.LittleEndian.Uint32(b) ^ key
		binary.LittleEndian.PutUint32(b, w)
		union |= uint64(w)
		b = b[4:]
	}
	for i := range b {
		c := b[i] ^ byte(key>>(8*i))
		b[i] = c
		union |= uint64(c)
	}
	return union
}
