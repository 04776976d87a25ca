package ws_test

import (
	"bytes"
	"fmt"
	"testing"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"

	"github.com/fanfare-go/fanfare/ws"
)

// countSink counts and keeps nothing.
type countSink struct{ messages, bytes, controls, closes int }

func (c *countSink) Message(_ ws.OpCode, p []byte) error {
	c.messages++
	c.bytes += len(p)
	return nil
}
func (c *countSink) Ping([]byte) error                  { c.controls++; return nil }
func (c *countSink) Pong([]byte) error                  { c.controls++; return nil }
func (c *countSink) Closed(ws.StatusCode, []byte) error { c.closes++; return nil }

// zeroKeyed returns a client frame whose masking key is zero. It costs as much
// to unmask as any other, and is the same frame afterwards, so that a benchmark
// can feed it again.
func zeroKeyed(op ws.OpCode, p []byte) []byte {
	return clientFrame(op, true, [4]byte{}, p)
}

func text(n int, sample string) []byte {
	return bytes.Repeat([]byte(sample), n/len(sample)+1)[:n/len(sample)*len(sample)]
}

func BenchmarkFeed(b *testing.B) {
	samples := []struct{ name, sample string }{{"ascii", "a"}, {"cyrillic", "ж"}}
	for _, s := range samples {
		for _, n := range []int{16, 32, 125, 1024, 65536} {
			b.Run(fmt.Sprintf("%s/%dB", s.name, n), func(b *testing.B) {
				benchmarkFeed(b, zeroKeyed(ws.OpText, text(n, s.sample)))
			})
		}
	}
	for _, n := range []int{16, 125, 1024, 65536} {
		b.Run(fmt.Sprintf("binary/%dB", n), func(b *testing.B) {
			benchmarkFeed(b, zeroKeyed(ws.OpBinary, make([]byte, n)))
		})
	}
}

func benchmarkFeed(b *testing.B, input []byte) {
	var r ws.Reader
	var s countSink
	lim := ws.Limits{}
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Feed(input, &lim, &s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFeedBatch reads 1,000 frames of 32 bytes at once.
func BenchmarkFeedBatch(b *testing.B) {
	input := bytes.Repeat(zeroKeyed(ws.OpText, text(32, "a")), 1000)
	benchmarkFeed(b, input)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/frame")
}

// BenchmarkFeedStraddling reads a frame of 900 kB by 64 KiB.
func BenchmarkFeedStraddling(b *testing.B) {
	input := zeroKeyed(ws.OpBinary, make([]byte, 900_000))
	var r ws.Reader
	var s countSink
	lim := ws.Limits{}
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := input; len(rest) > 0; {
			n := min(len(rest), 64<<10)
			if err := r.Feed(rest[:n], &lim, &s); err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
}

// BenchmarkUnmaskCrossover is where cipherFrom comes from. For text the loop
// also finds out whether it is ASCII, so the cipher has utf8.Valid to its cost.
func BenchmarkUnmaskCrossover(b *testing.B) {
	key := [4]byte{1, 2, 3, 4}
	for _, n := range []int{16, 32, 64, 128, 192, 256, 384, 512, 768, 1024, 4096, 65536} {
		p := make([]byte, n)
		b.Run(fmt.Sprintf("words/%dB", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				ws.UnmaskWords(p, 0x04030201)
			}
		})
		b.Run(fmt.Sprintf("cipher/%dB", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				gobwas.Cipher(p, key, 0)
			}
		})
		b.Run(fmt.Sprintf("cipher+utf8/%dB", n), func(b *testing.B) {
			text, key := bytes.Repeat([]byte{'a'}, n), [4]byte{}
			b.SetBytes(int64(n))
			for b.Loop() {
				gobwas.Cipher(text, key, 0)
				if !utf8.Valid(text) {
					b.Fatal("not text")
				}
			}
		})
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	for _, n := range []int{16, 125, 1024, 65536} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			p, dst := make([]byte, n), make([]byte, 0, n+ws.MaxHeaderSize)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				dst = ws.AppendFrame(dst[:0], ws.OpText, p)
			}
		})
	}
}

func BenchmarkHandshake(b *testing.B) {
	h := goodHandshake()
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if h.Check() != nil {
			b.Fatal("refused")
		}
		dst = h.AppendAccept(dst[:0], nil)
	}
}
