package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/ws"
)

// stream is what a server sends a client from the upgrade to the second message.
func stream() []byte {
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
	for _, p := range []string{`0{"sid":"a","maxPayload":1}`, "2", `40{"sid":"b"}`, replyPrefix + "0000000000" + strings.Repeat("x", 200) + `"]`} {
		b = ws.AppendFrame(b, ws.OpText, []byte(p))
	}
	b = ws.AppendFrame(b, ws.OpPing, []byte("p"))
	return ws.AppendFrame(b, ws.OpText, []byte(replyPrefix+`0000000001"]`))
}

// fed gives a connection the pieces, and returns what happened and what it sent.
func fed(t *testing.T, pieces ...[]byte) (e events, numbers []uint32, sent string, err error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	k := &connection{fd: int32(w.Fd())}
	e.delivered = func(n uint32) { numbers = append(numbers, n) }
	for _, p := range pieces {
		if err = k.feed(p, &e); err != nil {
			break
		}
	}
	_ = w.Close()
	b, _ := io.ReadAll(r)
	return e, numbers, string(b), err
}

func TestEverySplitOfTheStreamIsTheSame(t *testing.T) {
	want := string(connectFrame) + string(pongPacket) + string(appendClientFrame(nil, ws.OpPong, []byte("p")))
	all := stream()
	for at := range len(all) + 1 {
		e, numbers, sent, err := fed(t, all[:at:at], all[at:])
		if err != nil || e.joined != 1 || e.pings != 1 || e.counts != (report.Count{Delivered: 2}) || len(numbers) != 2 || sent != want {
			t.Fatalf("split at %d: %+v %v %q %v", at, e, numbers, sent, err)
		}
	}
	var bytes [][]byte
	for i := range all {
		bytes = append(bytes, all[i:i+1:i+1])
	}
	if e, _, sent, err := fed(t, bytes...); err != nil || e.counts.Delivered != 2 || sent != want {
		t.Fatal(e, sent, err)
	}
}

func TestWhatAServerMayNotSayIsAnError(t *testing.T) {
	upgraded := "HTTP/1.1 101 x\r\n\r\n"
	text := func(p string) string { return string(ws.AppendFrame(nil, ws.OpText, []byte(p))) }
	joined := upgraded + text("0{}") + text("40{}")
	for name, c := range map[string]struct{ said, want string }{
		"refusal":       {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "the server refused the upgrade: HTTP/1.1 503"},
		"no open":       {upgraded + text("40{}"), "an unexpected packet"},
		"connect error": {upgraded + text("0{}") + text(`44{"message":"no"}`), `an unexpected packet: "44`},
		"early reply":   {upgraded + text("0{}") + text(replyPrefix+`0000000000"]`), "an unexpected packet"},
		"no number":     {joined + text(replyPrefix+`hello"]`), "a reply without its number"},
		"empty":         {joined + text(""), "an unexpected packet"},
		"close":         {joined + string(ws.CloseFrame), "a frame with opcode 8"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, _, err := fed(t, []byte(c.said)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatal(err)
			}
		})
	}
}

func TestClientFramesAreMasked(t *testing.T) {
	if got := string(appendClientFrame([]byte("x"), ws.OpText, []byte("40"))); got != "x\x81\x82\x00\x00\x00\x0040" {
		t.Errorf("%q", got)
	}
	if got := string(appendClientFrame(nil, ws.OpText, make([]byte, 300))[:8]); got != "\x81\xfe\x01\x2c\x00\x00\x00\x00" {
		t.Errorf("%q", got)
	}
}
