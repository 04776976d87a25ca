package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

func TestPollingFacts(t *testing.T) {
	eachWayIn(t, engine.Options{MaxHTTPBufferSize: 100_000}, pollingFacts)
}

func pollingFacts(t *testing.T, f *fixture) {
	f.fact(t, "Fact15 packets are joined by 0x1e, binary is base64", fact15)
	f.fact(t, "Fact16 a POST is answered ok, whatever was in it", fact16)
	f.fact(t, "Fact17 a second GET ends the session", fact17)
	f.fact(t, "Fact18 a second POST ends the session", fact18)
	f.fact(t, "Fact19 octet-stream ends the session", fact19)
	f.fact(t, "Fact20 a body over the limit spares the session", fact20)
	f.fact(t, "Fact21 an invalid packet drops what is behind it", fact21)
	f.fact(t, "Fact22 the client says goodbye", fact22)
	f.fact(t, "Fact23 an aborted poll ends the session", fact23)
	f.fact(t, "Fact24 the server's goodbye waits for the next GET", fact24)
	f.fact(t, "Fact25 long answers are compressed for clients that accept it", fact25)
	f.fact(t, "text that is not UTF-8 is a parse error", postedText)
	f.fact(t, "a body with broken chunks ends the session", brokenChunks)
}

func fact15(t *testing.T, f *fixture) {
	p := f.poller()
	const header = `52-["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`
	fr := engine.NewFrame(0)
	fr.End(append(fr.Begin(), header...))
	fr.AppendBinary([]byte{1, 2, 3})
	fr.AppendBinary([]byte{4})
	p.r.s.Send(fr)
	fr.Release()
	p.r.send("behind")
	until(t, "both wait", func() bool { return p.r.s.PollState().Queued == 2 })
	p.get.request("GET", p.url, "")
	p.get.expect(polled("4"+header, "bAQID", "bBA==", "4behind"))

	p.post.request("POST", p.url, "4"+header+sep+"bAQID"+sep+"bBA=="+sep+"4behind")
	p.post.expect(postedOK)
	if a, b := receive(t, p.r.texts), receive(t, p.r.texts); a != header || b != "behind" {
		t.Errorf("texts %q, %q", a, b)
	}
	if a, b := receive(t, p.r.binaries), receive(t, p.r.binaries); string(a)+string(b) != "\x01\x02\x03\x04" {
		t.Errorf("binaries %v, %v", a, b)
	}
}

func fact16(t *testing.T, f *fixture) {
	p := f.poller()
	p.post.request("POST", p.url, "4fine", "Content-Type: text/plain;charset=UTF-8")
	p.post.expect(postedOK)
	p.post.request("POST", p.url, "4also fine", "Content-Type: application/x-www-form-urlencoded")
	p.post.expect(postedOK)
	p.post.request("POST", p.url, "what is this?")
	p.post.expect(postedOK)
	p.r.ended(t, engine.ReasonParseError)
	p = f.poller()
	p.post.request("POST", p.url, "4"+violation)
	p.post.expect(postedOK)
	p.r.ended(t, engine.ReasonForcedClose)
	p = f.poller()
	p.post.request("POST", p.url, "") // an empty packet
	p.post.expect(postedOK)
	p.r.ended(t, engine.ReasonParseError)
}

func fact17(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.post.request("GET", p.url, "")
	p.post.expect(bare("400 Bad Request"))
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonTransportError)
	p.gone()
}

func fact18(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.begin(10, "4half")
	second := f.dial()
	second.request("POST", p.url, "4x")
	second.expect(bare("400 Bad Request", closeLine))
	second.eof()
	if _, err := p.post.br.ReadByte(); err == nil {
		t.Error("the first POST was answered")
	}
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonTransportError)
	p.gone()
	p = f.poller() // without a GET that waits
	p.begin(10, "4half")
	f.dial().do("POST", p.url, "4x")
	p.r.ended(t, engine.ReasonTransportError)
	p.gone()
}

func fact19(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.post.request("POST", p.url, "4x", "Content-Type: application/octet-stream")
	p.post.expect(bare("400 Bad Request", closeLine))
	p.post.eof()
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonTransportError)
	p.gone()
	p = f.poller()
	p.post.request("POST", p.url, "4x", "Content-Type: application/octet-stream")
	p.post.expect(bare("400 Bad Request", closeLine))
	p.r.ended(t, engine.ReasonTransportError)
	p.gone()
}

// fact20: whatever the way in which the body is too large, however much of it is on
// its way already, the answer arrives.
func fact20(t *testing.T, f *fixture) {
	p := f.poller()
	large := "4" + strings.Repeat("x", 100_000)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 10_000, strings.Repeat("y", 10_000))
	head := "POST " + p.url + " HTTP/1.1\r\nHost: x\r\n"
	for name, bytes := range map[string]string{
		"announced":         head + "Content-Length: 100001\r\n\r\n",
		"announced, absurd": head + "Content-Length: 9223372036854775807\r\n\r\n",
		"sent":              head + "Content-Length: 100001\r\n\r\n" + large,
		"sent, much":        head + "Content-Length: 4000000\r\n\r\n" + strings.Repeat(large, 40)[:4_000_000],
		"chunks":            head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 40),
		"one chunk":         head + "Transfer-Encoding: chunked\r\n\r\n186a1\r\n" + large + "\r\n0\r\n\r\n",
	} {
		c := f.dial()
		c.write(bytes)
		c.expect(bare("413 Request Entity Too Large", closeLine))
		if t.Failed() {
			t.Fatal(name)
		}
		c.eof()
		p.alive()
	}
	p.post.request("POST", p.url, large[:100_000]) // just within
	p.post.expect(postedOK)
	if got := receive(t, p.r.texts); got != large[1:100_000] {
		t.Fatalf("%d bytes arrived", len(got))
	}
	p.hold()
	p.r.send("still here")
	p.get.expect(polled("4still here"))
}

func fact21(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.post.request("POST", p.url, "4first"+sep+"9bad"+sep+"4never")
	p.post.expect(postedOK)
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonParseError)
	if got := receive(t, p.r.texts); got != "first" || len(p.r.texts) > 0 {
		t.Errorf("received %q and %d more", got, len(p.r.texts))
	}
	p.gone()
	p = f.poller()
	p.post.request("POST", p.url, "x")
	p.post.expect(postedOK)
	p.r.ended(t, engine.ReasonParseError)
	p.gone()
}

func fact22(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.post.request("POST", p.url, "4last words"+sep+"1"+sep+"4never")
	p.post.expect(postedOK)
	p.get.expect(polled("6"))
	p.r.ended(t, engine.ReasonTransportClose)
	if got := receive(t, p.r.texts); got != "last words" || len(p.r.texts) > 0 {
		t.Errorf("received %q and %d more", got, len(p.r.texts))
	}
	p.gone()
	p = f.poller() // without a GET that waits
	p.post.request("POST", p.url, "1")
	p.post.expect(postedOK)
	p.r.ended(t, engine.ReasonTransportClose)
	p.gone()
}

func fact23(t *testing.T, f *fixture) {
	for name, abort := range map[string]func(p *poller){
		"GET, FIN": func(p *poller) { p.hold(); _ = p.get.Close() },
		"GET, RST": func(p *poller) { p.hold(); p.get.reset() },
		"POST":     func(p *poller) { p.begin(10, "4x"); _ = p.post.Close() },
	} {
		p := f.poller()
		abort(p)
		if got := p.r.reason(t); got != engine.ReasonTransportError {
			t.Errorf("%s: %v", name, got)
		}
		p.gone()
	}
	p := f.poller() // a connection lost between two polls costs nothing
	p.get.reset()
	p.alive()
}

// fact24: that the farewell is kept for 30 s is the heartbeat's test. Differs from
// Node, on purpose: Receiver.Closed is called at once, not when the farewell was
// taken.
func fact24(t *testing.T, f *fixture) {
	p := f.poller()
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	p.get.request("GET", p.url, "")
	p.get.expect(polled("6", "1"))
	p.gone()

	p = f.poller()
	p.r.send("unread")
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	p.post.request("POST", p.url, "4too late")
	p.post.expect(codeError(1, "Session ID unknown", closeLine))
	p.get.request("GET", p.url, "")
	p.get.expect(polled("4unread"))
	p.get.request("GET", p.url, "")
	p.get.expect(polled("6", "1"))
	p.gone()

	p = f.poller() // with a GET that waits
	p.hold()
	p.r.s.Close()
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonForcedClose)
	p.gone()
}

// Differs from Node, on purpose: it replaces what is not UTF-8 by U+FFFD.
func postedText(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.post.request("POST", p.url, "4fine: \u20ac"+sep+"4\xff\xfe")
	p.post.expect(postedOK)
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonParseError)
	if got := receive(t, p.r.texts); got != "fine: \u20ac" {
		t.Errorf("received %q", got)
	}
}

func brokenChunks(t *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.post.write("POST " + p.url + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4xno end")
	p.post.expect(bare("400 Bad Request", closeLine))
	p.post.eof()
	p.get.expect(polled("1"))
	p.r.ended(t, engine.ReasonTransportError)
	p.gone()
}
