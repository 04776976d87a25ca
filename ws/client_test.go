package ws_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gobwas "github.com/gobwas/ws"

	"github.com/fanfare-go/fanfare/ws"
)

// testKey is the masking key of the examples in RFC 6455 section 5.7.
var testKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// clientFrame builds a client's frame with gobwas's writer, not with ours.
func clientFrame(op ws.OpCode, fin bool, key [4]byte, p []byte) []byte {
	f := gobwas.MaskFrameWith(gobwas.NewFrame(op, fin, p), key)
	return gobwas.MustCompileFrame(f)
}

// frame builds a frame with FIN, opener one without.
func frame(op ws.OpCode, p string) []byte  { return clientFrame(op, true, testKey, []byte(p)) }
func opener(op ws.OpCode, p string) []byte { return clientFrame(op, false, testKey, []byte(p)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// log is a Sink that writes down what it is told.
type log struct {
	events []string
	err    error // returned by every call
}

func (l *log) add(format string, args ...any) error {
	l.events = append(l.events, fmt.Sprintf(format, args...))
	return l.err
}

func (l *log) Message(op ws.OpCode, p []byte) error   { return l.add("message %d %q", op, p) }
func (l *log) Ping(p []byte) error                    { return l.add("ping %q", p) }
func (l *log) Pong(p []byte) error                    { return l.add("pong %q", p) }
func (l *log) Closed(c ws.StatusCode, p []byte) error { return l.add("closed %d %q", c, p) }

// outcome is everything a Reader made of an input.
type outcome struct {
	events []string
	err    error
}

// feed gives a copy of input to a new Reader, in pieces as long as next says.
func feed(t testing.TB, input []byte, lim *ws.Limits, next func(left int) int) outcome {
	t.Helper()
	return feedTo(t, new(ws.Reader), input, lim, next)
}

// feedDeflate is feed for a Reader of a connection with permessage-deflate.
func feedDeflate(t testing.TB, input []byte, lim *ws.Limits, next func(left int) int) outcome {
	t.Helper()
	r := new(ws.Reader)
	r.Deflate()
	return feedTo(t, r, input, lim, next)
}

func feedTo(t testing.TB, r *ws.Reader, input []byte, lim *ws.Limits, next func(left int) int) outcome {
	t.Helper()
	var l log
	defer func() {
		r.Reset()
		if n := r.Buffered(); n != 0 {
			t.Errorf("%d bytes held after Reset", n)
		}
	}()
	for rest := bytes.Clone(input); len(rest) > 0; {
		n := next(len(rest))
		if err := r.Feed(rest[:n:n], lim, &l); err != nil {
			return outcome{l.events, err}
		}
		rest = rest[n:]
	}
	return outcome{l.events, nil}
}

func whole(left int) int   { return left }
func oneByte(left int) int { return 1 }

func splitAt(at int) func(int) int {
	first := true
	return func(left int) int {
		if first && at > 0 && at < left {
			first = false
			return at
		}
		return left
	}
}

func randomly(seed uint64) func(int) int {
	rnd := rand.New(rand.NewPCG(seed, seed))
	return func(left int) int { return 1 + rnd.IntN(min(left, 1+rnd.IntN(300))) }
}

// feedEverySplit returns what input leads to, having checked that it leads to
// that however it is split.
func feedEverySplit(t *testing.T, input []byte, lim *ws.Limits) outcome {
	t.Helper()
	return everySplit(t, feed, input, lim)
}

func everySplit(
	t *testing.T, feed func(testing.TB, []byte, *ws.Limits, func(int) int) outcome, input []byte, lim *ws.Limits,
) outcome {
	t.Helper()
	want := feed(t, input, lim, whole)
	same := func(how string, got outcome) {
		t.Helper()
		if !slices.Equal(got.events, want.events) || !errors.Is(got.err, want.err) {
			t.Fatalf("%s: %q, %v; whole: %q, %v", how, got.events, got.err, want.events, want.err)
		}
	}
	same("byte by byte", feed(t, input, lim, oneByte))
	for at := 1; at < len(input); at++ {
		same(fmt.Sprintf("split at %d", at), feed(t, input, lim, splitAt(at)))
	}
	for seed := range uint64(8) {
		same(fmt.Sprintf("random split %d", seed), feed(t, input, lim, randomly(seed)))
	}
	return want
}
