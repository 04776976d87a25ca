package ws_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"

	"github.com/fanfare-go/fanfare/ws"
)

// packed sets RSV1 on the first frame of what a client sends.
func packed(frame []byte) []byte {
	frame[0] |= 0x40
	return frame
}

// deflated is s compressed by the standard library, the flush's end left out.
func deflated(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	_, _ = io.WriteString(w, s)
	_ = w.Flush()
	return string(b.Bytes()[:b.Len()-4])
}

// The examples of RFC 7692 section 7.2.3, and what must not pass for them.
func TestReaderDecompresses(t *testing.T) {
	const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	sentence := strings.Repeat("Grüße an alle, ", 100)
	long := deflated(sentence)
	for _, tt := range []struct {
		name  string
		input []byte
		want  []string
	}{
		{"one frame (7.2.3.1)", packed(frame(ws.OpText, hello)), []string{`message 1 "Hello"`}},
		{"two frames (7.2.3.1)", join(packed(opener(ws.OpText, hello[:3])), frame(ws.OpContinuation, hello[3:])), []string{`message 1 "Hello"`}},
		{"no context to share (7.2.3.2)", join(packed(frame(ws.OpText, hello)), packed(frame(ws.OpText, hello))), []string{`message 1 "Hello"`, `message 1 "Hello"`}},
		{"block without compression (7.2.3.3)", packed(frame(ws.OpText, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")), []string{`message 1 "Hello"`}},
		{"block with BFINAL (7.2.3.4)", packed(frame(ws.OpText, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00")), []string{`message 1 "Hello"`}},
		{"block with BFINAL and nothing behind it", packed(frame(ws.OpText, "\xf3\x48\xcd\xc9\xc9\x07\x00")), []string{`message 1 "Hello"`}},
		{"two streams", packed(frame(ws.OpText, "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00")), []string{`message 1 "HelloHello"`}},
		{"two blocks (7.2.3.5)", packed(frame(ws.OpText, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")), []string{`message 1 "Hello"`}},
		{"empty (7.2.3.6)", packed(frame(ws.OpText, "\x00")), []string{`message 1 ""`}},
		{"binary", packed(frame(ws.OpBinary, deflated("\xff\xfe"))), []string{`message 2 "\xff\xfe"`}},
		{"uncompressed among them", join(frame(ws.OpText, "a"), packed(frame(ws.OpText, hello)), opener(ws.OpText, "b"), frame(ws.OpContinuation, "c")), []string{`message 1 "a"`, `message 1 "Hello"`, `message 1 "bc"`}},
		{"a ping inside", join(packed(opener(ws.OpText, hello[:1])), frame(ws.OpPing, "p"), opener(ws.OpContinuation, ""), frame(ws.OpContinuation, hello[1:])), []string{`ping "p"`, `message 1 "Hello"`}},
		{"all in the last fragment", join(packed(opener(ws.OpText, "")), frame(ws.OpContinuation, hello)), []string{`message 1 "Hello"`}},
		{"long", join(packed(opener(ws.OpText, long[:10])), frame(ws.OpContinuation, long[10:])), []string{fmt.Sprintf("message 1 %q", sentence)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := everySplit(t, feedDeflate, tt.input, &ws.Limits{})
			if got.err != nil || !slices.Equal(got.events, tt.want) {
				t.Errorf("got %q, %v; want %q", got.events, got.err, tt.want)
			}
		})
	}
}

func TestReaderRefusesBadCompression(t *testing.T) {
	const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	lim := ws.Limits{Message: 1000}
	for _, tt := range []struct {
		name  string
		input []byte
		want  *ws.CloseError
	}{
		{"RSV1 on a continuation", join(packed(opener(ws.OpText, hello[:3])), packed(frame(ws.OpContinuation, hello[3:]))), ws.ErrReservedBits},
		{"RSV1 on the continuation of a plain message", join(opener(ws.OpText, "a"), packed(frame(ws.OpContinuation, hello))), ws.ErrReservedBits},
		{"RSV1 on a ping", packed(frame(ws.OpPing, "p")), ws.ErrReservedBits},
		{"RSV1 on a close frame", packed(frame(ws.OpClose, "")), ws.ErrReservedBits},
		{"RSV2", header(0xe1, 0x80), ws.ErrReservedBits},
		{"RSV3", header(0xd1, 0x80), ws.ErrReservedBits},
		{"reserved opcode with RSV1", header(0xc3, 0x80), ws.ErrReservedBits},
		{"a message inside another", join(packed(opener(ws.OpText, hello[:3])), packed(frame(ws.OpText, hello))), ws.ErrExpectedContinuation},
		{"no such block", packed(frame(ws.OpText, "\x07")), ws.ErrDeflate},
		{"no byte at all", packed(frame(ws.OpText, "")), ws.ErrDeflate},
		{"nothing in two frames", join(packed(opener(ws.OpText, "")), frame(ws.OpContinuation, "")), ws.ErrDeflate},
		{"a block that says it is longer", packed(frame(ws.OpBinary, "\x00\xff\x00\x00\xffHello")), ws.ErrDeflate},
		{"distance into an earlier message", join(packed(frame(ws.OpText, hello)), packed(frame(ws.OpText, "\xf2\x00\x11\x00\x00"))), ws.ErrDeflate},
		{"streams without end", packed(frame(ws.OpBinary, strings.Repeat("\x03\x00", 400))), ws.ErrDeflate},
		{"not UTF-8", packed(frame(ws.OpText, deflated("a\xff"))), ws.ErrInvalidText},
		{"half a rune", packed(frame(ws.OpText, deflated("a\xe2\x82"))), ws.ErrInvalidText},
		{"a byte too many", packed(frame(ws.OpText, deflated(strings.Repeat("a", 1001)))), ws.ErrMessageTooBig},
		{"too many bytes compressed", packed(frame(ws.OpText, strings.Repeat("a", 1001))), ws.ErrMessageTooBig},
		{"too many bytes over two frames", join(packed(opener(ws.OpText, strings.Repeat("a", 600))), frame(ws.OpContinuation, strings.Repeat("a", 600))), ws.ErrMessageTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := everySplit(t, feedDeflate, tt.input, &lim)
			if !errors.Is(got.err, tt.want) {
				t.Errorf("got %q, %v; want %v", got.events, got.err, tt.want)
			}
		})
	}
	if got := everySplit(t, feed, packed(frame(ws.OpText, hello)), &lim); !errors.Is(got.err, ws.ErrReservedBits) {
		t.Errorf("without the extension: %q, %v", got.events, got.err)
	}
	if got := feedDeflate(t, packed(frame(ws.OpText, deflated(strings.Repeat("a", 1000)))), &lim, whole); got.err != nil {
		t.Errorf("the limit is a byte short: %v", got.err)
	}
}

// 64 KB that would become 64 MB: nothing is made of it beyond the limit, and nothing is
// kept. No stream can hold more than 1,032 times its length.
func TestACompressionBombCostsTheLimitAndNoMore(t *testing.T) {
	var bomb bytes.Buffer
	w, _ := flate.NewWriter(&bomb, 6)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = w.Write(zeros)
	}
	_ = w.Flush()
	p := bomb.Bytes()[:bomb.Len()-4]
	if len(p) > 70_000 {
		t.Fatalf("the bomb has %d bytes", len(p))
	}
	input := packed(clientFrame(ws.OpBinary, true, testKey, p))
	var n ws.Inflated
	lim := ws.Limits{Inflated: &n}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const bombs = 20
	for range bombs {
		if got := feedDeflate(t, input, &lim, whole); !errors.Is(got.err, ws.ErrMessageTooBig) {
			t.Fatalf("got %v", got.err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / bombs; n > 3<<20 { // pools are empty under -race: 2 MiB of buffers, doubling
		t.Errorf("%d bytes allocated for one bomb", n)
	}
	if n.Messages.Load() != 0 {
		t.Error("refused messages are counted")
	}
}

func TestInflatedCountsMessagesAndBytes(t *testing.T) {
	var n ws.Inflated
	p := deflated(strings.Repeat("a", 500))
	input := join(packed(frame(ws.OpText, p)), frame(ws.OpText, "plain"), packed(frame(ws.OpText, p)))
	feedDeflate(t, input, &ws.Limits{Inflated: &n}, whole)
	if m, from, to := n.Messages.Load(), n.From.Load(), n.To.Load(); m != 2 || from != 2*uint64(len(p)) || to != 1000 {
		t.Errorf("%d messages, %d bytes from %d", m, to, from)
	}
}

func TestReaderDecompressesWithoutAllocating(t *testing.T) {
	if ws.Poison {
		t.Skip("pools drop buffers under -race")
	}
	input := packed(zeroKeyed(ws.OpText, []byte(deflated(strings.Repeat("hello, ", 200)))))
	var r ws.Reader
	r.Deflate()
	lim, s := ws.Limits{}, countSink{}
	if n := testing.AllocsPerRun(100, func() { _ = r.Feed(input, &lim, &s) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

func deflater(t testing.TB, level, window int) *ws.Deflater {
	t.Helper()
	d, err := ws.NewDeflater(level, window)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// unpack reads server frames as a client with permessage-deflate does, with the
// standard library. It reports how many were compressed.
func unpack(t testing.TB, b []byte) (messages []string, compressed int) {
	t.Helper()
	for in := bytes.NewReader(b); in.Len() > 0; {
		h, err := gobwas.ReadHeader(in)
		if err != nil || !h.Fin || h.Masked || h.Length > int64(in.Len()) {
			t.Fatalf("frame %+v, %v", h, err)
		}
		p := make([]byte, h.Length)
		_, _ = io.ReadFull(in, p)
		if h.Rsv1() {
			compressed++
			r := flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
			if p, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		messages = append(messages, string(p))
	}
	return messages, compressed
}

func TestDeflaterCompressesEachMessageByItself(t *testing.T) {
	for level := 1; level <= 9; level++ {
		d := deflater(t, level, 15)
		rnd := rand.New(rand.NewPCG(uint64(level), 1))
		noise := make([]byte, 5000)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		want := []string{strings.Repeat("hello, ", 300), "short", "", string(noise), strings.Repeat("hello, ", 300), strings.Repeat("0123456789abcdef", 20_000)}
		var b []byte
		for _, s := range want {
			b = d.AppendFrame(b, ws.OpText, []byte(s))
		}
		got, compressed := unpack(t, b)
		if !slices.Equal(got, want) || compressed != 3 {
			t.Errorf("level %d: %d messages, %d compressed", level, len(got), compressed)
		}
		again := d.AppendFrame(nil, ws.OpText, []byte(want[0]))
		if !bytes.Equal(again, b[:len(again)]) {
			t.Errorf("level %d: the same message, other bytes", level)
		}
	}
}

// A client that was promised a small window finds nothing in a message that reaches
// further back.
func TestDeflaterKeepsToTheWindow(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for window := 9; window <= 15; window++ {
		noise := make([]byte, 1<<window)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		d := deflater(t, 6, window)
		near := len(d.AppendFrame(nil, ws.OpBinary, slices.Concat(noise[:len(noise)/4], noise[:len(noise)/4])))
		if near > len(noise)/2-len(noise)/8 {
			t.Errorf("%d bits: nothing found within the window: %d bytes", window, near)
		}
		if window < 15 { // klauspost's and zlib's largest distance are 32 KiB, no match is longer
			far := slices.Concat(noise, []byte("-----"), noise)
			if n := len(d.AppendFrame(nil, ws.OpBinary, far)); n < len(far) {
				t.Errorf("%d bits: %d bytes became %d", window, len(far), n)
			}
		}
	}
}

func TestNewDeflaterSaysWhatItCannotDo(t *testing.T) {
	for _, c := range [][2]int{{0, 15}, {10, 15}, {-1, 15}, {1, 8}, {1, 16}} {
		if _, err := ws.NewDeflater(c[0], c[1]); err == nil {
			t.Errorf("level %d, %d bits: no error", c[0], c[1])
		}
	}
	if n := deflater(t, 1, 12).WindowBits(); n != 12 {
		t.Errorf("%d bits", n)
	}
}

func TestDeflaterIsSafeForConcurrentUse(t *testing.T) {
	d := deflater(t, 1, 15)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			want := strings.Repeat(fmt.Sprint("goroutine ", i, ", "), 200)
			for range 50 {
				if got, _ := unpack(t, d.AppendFrame(nil, ws.OpText, []byte(want))); len(got) != 1 || got[0] != want {
					t.Errorf("goroutine %d: %.50q", i, got)
				}
			}
		})
	}
	all.Wait()
}

// FuzzInflate holds what a compressed message becomes against the standard library,
// and feeds what became of it through the Deflater and back.
func FuzzInflate(f *testing.F) {
	f.Add([]byte(deflated(strings.Repeat("Hello, wörld ", 20))), uint16(300), uint64(1))
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), uint16(5), uint64(2))
	f.Add([]byte("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), uint16(4), uint64(3))
	f.Add([]byte(deflated(strings.Repeat("0", 60_000))), uint16(0xffff), uint64(4))
	f.Add([]byte(strings.Repeat("\x03\x00", 10)), uint16(9), uint64(5))
	d := deflater(f, 1, 15)
	f.Fuzz(func(t *testing.T, p []byte, limit uint16, seed uint64) {
		lim := ws.Limits{Message: 1 + int64(limit), Fragments: 100}
		input := join(packed(clientFrame(ws.OpBinary, false, testKey, p[:len(p)/2])), clientFrame(ws.OpContinuation, true, testKey, p[len(p)/2:]))
		got := feedDeflate(t, input, &lim, whole)
		for how, next := range map[string]func(int) int{"byte by byte": oneByte, "random": randomly(seed)} {
			if split := feedDeflate(t, input, &lim, next); !slices.Equal(split.events, got.events) || !errors.Is(split.err, got.err) {
				t.Fatalf("%s: %q, %v; whole: %q, %v", how, split.events, split.err, got.events, got.err)
			}
		}
		want, err := inflateReference(p, lim.Message)
		switch {
		case int64(len(p)) > lim.Message || errors.Is(err, ws.ErrMessageTooBig):
			if !errors.Is(got.err, ws.ErrMessageTooBig) && !errors.Is(got.err, ws.ErrDeflate) {
				t.Fatalf("got %q, %v; want too big", got.events, got.err)
			}
		case err != nil:
			if !errors.Is(got.err, ws.ErrDeflate) {
				t.Fatalf("got %q, %v; want %v", got.events, got.err, err)
			}
		case got.err != nil || len(got.events) != 1 || got.events[0] != fmt.Sprintf("message 2 %q", want):
			t.Fatalf("got %.100q, %v; want %.100q", got.events, got.err, want)
		default:
			if back, _ := unpack(t, d.AppendFrame(nil, ws.OpBinary, want)); !bytes.Equal([]byte(back[0]), want) {
				t.Fatalf("%q came back as %q", want, back)
			}
		}
	})
}

// inflateReference inflates a message as RFC 7692 section 7.2.2 describes it, with the
// standard library.
func inflateReference(p []byte, limit int64) (out []byte, err error) {
	const tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"
	in := bytes.NewReader(append(bytes.Clone(p), tail...))
	for range 256 {
		b, err := io.ReadAll(io.LimitReader(flate.NewReader(in), limit+1-int64(len(out))))
		if out = append(out, b...); int64(len(out)) > limit {
			return nil, ws.ErrMessageTooBig
		}
		if err != nil {
			return nil, err
		}
		if in.Len() <= len(tail) {
			return out, nil
		}
	}
	return nil, errors.New("too many streams")
}

// FuzzReaderDeflate feeds streams in which any frame may have RSV1.
func FuzzReaderDeflate(f *testing.F) {
	const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	f.Add(packed(frame(ws.OpText, hello)), uint64(1))
	f.Add(join(packed(opener(ws.OpText, hello[:3])), frame(ws.OpPing, "p"), frame(ws.OpContinuation, hello[3:]), frame(ws.OpText, "x")), uint64(2))
	f.Add(join(packed(frame(ws.OpText, deflated("a\xe2\x82"))), frame(ws.OpClose, "")), uint64(3))
	f.Add(packed(frame(ws.OpBinary, deflated(strings.Repeat("a", 200)))), uint64(4))
	f.Add(join(opener(ws.OpText, "a"), packed(frame(ws.OpContinuation, hello))), uint64(5))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		lim := ws.Limits{Message: 150, Fragments: 5}
		got := feedDeflate(t, stream, &lim, whole)
		for how, next := range map[string]func(int) int{"byte by byte": oneByte, "random": randomly(seed)} {
			if split := feedDeflate(t, stream, &lim, next); !slices.Equal(split.events, got.events) || !errors.Is(split.err, got.err) {
				t.Fatalf("%s: %q, %v; whole: %q, %v", how, split.events, split.err, got.events, got.err)
			}
		}
		for _, e := range got.events {
			if !utf8.ValidString(e) || len(e) > 8*150+20 {
				t.Fatalf("event %q", e)
			}
		}
		plain := feed(t, stream, &lim, whole)
		if !errors.Is(plain.err, ws.ErrReservedBits) && (!slices.Equal(plain.events, got.events) || !errors.Is(plain.err, got.err)) {
			t.Fatalf("without RSV1 it makes a difference: %q, %v; %q, %v", got.events, got.err, plain.events, plain.err)
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	for _, n := range []int{1 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			r, s, lim := new(ws.Reader), countSink{}, ws.Limits{}
			r.Deflate()
			input := packed(zeroKeyed(ws.OpText, []byte(deflated(jsonOf(n)))))
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Feed(input, &lim, &s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDeflater(b *testing.B) {
	for _, n := range []int{1 << 10, 16 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			d, p, dst := deflater(b, 1, 15), []byte(jsonOf(n)), []byte(nil)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				dst = d.AppendFrame(dst[:0], ws.OpText, p)
			}
			b.ReportMetric(float64(len(dst))/float64(n), "ratio")
		})
	}
}

// jsonOf is n bytes of an event as chats have them.
func jsonOf(n int) string {
	rnd := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	for b.WriteString(`42["chat",[`); b.Len() < n; {
		fmt.Fprintf(&b, `{"id":%d,"user":"user%d","text":"message number %d from the lobby","ok":true},`, rnd.IntN(1e6), rnd.IntN(500), rnd.IntN(1e4))
	}
	return b.String()[:n]
}
