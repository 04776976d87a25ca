package ws_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/ws"
)

// Whatever a client sends within the rules arrives, however it is cut into
// fragments (inside runes too), mixed with control frames, and read.
func TestReaderModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want log
		for range rapid.IntRange(1, 6).Draw(t, "messages") {
			op := rapid.SampledFrom([]ws.OpCode{ws.OpText, ws.OpBinary}).Draw(t, "op")
			stream = append(stream, drawMessage(t, op, &want)...)
		}
		next := func(left int) int { return rapid.IntRange(1, min(left, 64)).Draw(t, "read") }
		var r ws.Reader
		var got log
		for rest := stream; len(rest) > 0; {
			n := next(len(rest))
			if err := r.Feed(rest[:n:n], &ws.Limits{}, &got); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if !slices.Equal(got.events, want.events) {
			t.Fatalf("got %q, want %q", got.events, want.events)
		}
		if r.Buffered() != 0 {
			t.Fatalf("%d bytes held", r.Buffered())
		}
	})
}

// drawMessage draws the frames of one message and tells want what is to come of
// them.
func drawMessage(t *rapid.T, op ws.OpCode, want *log) (frames []byte) {
	payload := []byte(rapid.StringN(0, 200, -1).Draw(t, "payload"))
	first := op
	for rest := payload; ; op = ws.OpContinuation {
		n := rapid.IntRange(0, len(rest)).Draw(t, "fragment")
		fin := n == len(rest)
		frames = append(frames, clientFrame(op, fin, testKey, rest[:n])...)
		if rest = rest[n:]; fin {
			_ = want.Message(first, payload)
			return frames
		}
		if rapid.Bool().Draw(t, "ping") {
			ping := rapid.SliceOfN(rapid.Byte(), 0, 125).Draw(t, "ping payload")
			frames = append(frames, clientFrame(ws.OpPing, true, testKey, ping)...)
			_ = want.Ping(ping)
		}
	}
}
