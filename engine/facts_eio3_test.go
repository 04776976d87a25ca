package engine_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/packet"
	gobwas "github.com/gobwas/ws"
)

// What clients of Engine.IO 3 see on the wire, where Options.AllowEIO3 lets them in.

const (
	pollURL3 = "/socket.io/?EIO=3&transport=polling"
	wsURL3   = "/socket.io/?EIO=3&transport=websocket"
)

func TestEIO3Facts(t *testing.T) {
	f := startFacts(t, engine.Options{AllowEIO3: true})
	f.fact(t, "Fact13 Engine.IO 3 is served if allowed", fact13)
	f.fact(t, "every EIO but 4, and none, is 3", eio3IsTheRest)
	f.fact(t, "a session keeps its protocol", eio3IsKept)
	f.fact(t, "lengths count UTF-16 code units", eio3Lengths)
	f.fact(t, "binary over polling is bytes", eio3Bytes)
	f.fact(t, "binary over polling with b64=1 is base64", eio3Base64)
	f.fact(t, "what is no payload is a parse error", eio3NoPayload)
	f.fact(t, "binary over WebSocket has a type", eio3WebSocket)
	f.fact(t, "binary over WebSocket with b64=1 is text", eio3WebSocketBase64)
	f.fact(t, "the client pings", eio3Heartbeat)
	f.fact(t, "the upgrade", eio3Upgrade)
	f.fact(t, "a pong that no poll came for follows the upgrade", eio3PongAfterUpgrade)
	f.fact(t, "goodbyes", eio3Goodbyes)
	f.fact(t, "JSONP", eio3JSONP)
	f.fact(t, "compressed answers", eio3Compressed)
}

// counted is a text packet in a payload.
func counted(p string) string { return fmt.Sprintf("%d:%s", len(utf16.Encode([]rune(p))), p) }

// polled3 is the answer to a GET with these packets, in text.
func polled3(packets ...string) string {
	var b strings.Builder
	for _, p := range packets {
		b.WriteString(counted(p))
	}
	return httpAnswer("200 OK", plain, b.String(), noStoreLine)
}

// polledBytes is the answer to a GET with this payload in bytes.
func polledBytes(payload string) string {
	return httpAnswer("200 OK", "application/octet-stream", payload, noStoreLine)
}

// poller3 is a session of Engine.IO 3 that polls; the query may say b64=1.
func (f *fixture) poller3(query string) *poller {
	f.t.Helper()
	get := f.dial()
	body := get.do("GET", pollURL3+query, "").body
	length, open, _ := strings.Cut(body, ":")
	if fmt.Sprint(len(open)) != length {
		f.t.Fatalf("handshake: %q", body)
	}
	o := parseOpen(f.t, open)
	return &poller{f: f, get: get, post: f.dial(), sid: o.SID, url: pollURL3 + "&sid=" + o.SID, r: f.session(o.SID)}
}

// posts sends a body and requires the usual answer.
func (p *poller) posts(body string, header ...string) {
	p.f.t.Helper()
	p.post.request("POST", p.url, body, header...)
	p.post.expect(postedOK)
}

// polls requires this answer to the next GET.
func (p *poller) polls(want string) {
	p.f.t.Helper()
	p.get.request("GET", p.url, "")
	p.get.expect(want)
}

const inBytes = "Content-Type: application/octet-stream"

// parcel is an event with two attachments, a text in front and one behind.
func parcel(r *recorder) {
	r.send("in front €")
	f := engine.NewFrame(0)
	f.End(append(f.Begin(), "52-header 😀"...))
	f.AppendBinary([]byte{1, 2, 3})
	f.AppendBinary(nil)
	r.s.Send(f)
	f.Release()
	r.send("behind")
}

func fact13(t *testing.T, f *fixture) {
	c := f.dial()
	c.request("GET", pollURL3, "")
	c.expect("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 122\r\ncache-control: no-store\r\n\r\n118:0{\"sid\":\"")
	p := f.poller3("")
	p.posts("7:4hello!1:2")
	if got := receive(t, p.r.texts); got != "hello!" {
		t.Errorf("received %q", got)
	}
	p.polls("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 3\r\ncache-control: no-store\r\n\r\n1:3")
	if got := p.r.s.Protocol(); got != 3 {
		t.Errorf("protocol %d", got)
	}
	if n := f.srv.Stats().OpenedEIO3; n != 2 {
		t.Errorf("%d sessions of Engine.IO 3", n)
	}
	w := f.upgradeWS(wsURL3)
	open := w.text()
	f.echoes(w, f.session(parseOpen(t, open).SID))
	four := f.poller()
	if got := four.r.s.Protocol(); got != 4 {
		t.Errorf("protocol %d", got)
	}
	four.alive()
}

func eio3IsTheRest(t *testing.T, f *fixture) {
	for _, eio := range []string{"", "EIO=", "EIO=3", "EIO=5", "EIO=4&EIO=4", "eio=4"} {
		body := f.dial().do("GET", "/socket.io/?transport=polling&"+eio, "").body
		if !strings.HasPrefix(body, "118:0{") {
			t.Errorf("%q: %q", eio, body)
		}
	}
}

func eio3IsKept(t *testing.T, f *fixture) {
	three, four := f.poller3(""), f.poller()
	for _, target := range []string{pollURL + "&sid=" + three.sid, pollURL3 + "&sid=" + four.sid} {
		for _, method := range []string{"GET", "POST"} {
			c := f.dial()
			c.request(method, target, "")
			c.expect(codeError(3, "Bad request"))
		}
	}
	for _, target := range []string{wsURL + "&sid=" + three.sid, wsURL3 + "&sid=" + four.sid} {
		c := f.dial()
		c.request("GET", target, "", wsHeader)
		c.expect(refused("Bad request"))
		c.eof()
	}
	four.alive()
	three.posts("6:4alive")
	if got := receive(t, three.r.texts); got != "alive" {
		t.Errorf("received %q", got)
	}
}

func eio3Lengths(t *testing.T, f *fixture) {
	p := f.poller3("")
	texts := []string{"", "a", "ä", "€", "😀", "e\u0301", "👩‍👩‍👧 and 𝒳", "\uFFFD", strings.Repeat("€😀", 10_000)}
	var body, want strings.Builder
	for _, s := range texts[1:] {
		body.WriteString(counted("4" + s))
	}
	p.posts(body.String(), "Content-Type: text/plain;charset=UTF-8")
	for _, s := range texts[1:] {
		if got := receive(t, p.r.texts); got != s {
			t.Errorf("received %.40q, want %.40q", got, s)
		}
	}
	for _, s := range texts {
		want.WriteString(counted("4" + s))
		p.r.send(s)
	}
	until(t, "all wait", func() bool { return p.r.s.PollState().Queued == len(texts) })
	p.polls(httpAnswer("200 OK", plain, want.String(), noStoreLine))
}

func eio3Bytes(t *testing.T, f *fixture) {
	p := f.poller3("")
	parcel(p.r)
	until(t, "all wait", func() bool { return p.r.s.PollState().Queued == 3 })
	const header = "452-header 😀"
	payload := "\x00\x01\x03\xff4in front €\x00\x01\x05\xff" + header + "\x01\x04\xff\x04\x01\x02\x03\x01\x01\xff\x04\x00\x07\xff4behind"
	p.polls(polledBytes(payload))

	p.posts(payload+"\x00\x01\xff2", inBytes)
	for _, want := range []string{"in front €", header[1:], "behind"} {
		if got := receive(t, p.r.texts); got != want {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	if a, b := receive(t, p.r.binaries), receive(t, p.r.binaries); string(a) != "\x01\x02\x03" || len(b) != 0 {
		t.Errorf("binaries %v, %v", a, b)
	}
	parcel(p.r) // with the pong that is owed in front
	until(t, "all wait", func() bool { return p.r.s.PollState().Queued == 3 })
	p.polls(polledBytes("\x00\x01\xff3" + payload))
	p.r.send("text alone is text again")
	p.polls(polled3("4text alone is text again"))
	p.posts("", inBytes) // no packets at all
	p.posts("0:")
	p.posts(counted("4alive"))
	if got := receive(t, p.r.texts); got != "alive" {
		t.Errorf("received %q", got)
	}
}

func eio3Base64(t *testing.T, f *fixture) {
	p := f.poller3("&b64=1")
	parcel(p.r)
	until(t, "all wait", func() bool { return p.r.s.PollState().Queued == 3 })
	packets := []string{"4in front €", "452-header 😀", "b4AQID", "b4", "4behind"}
	p.polls(polled3(packets...))
	var body strings.Builder
	for _, s := range packets {
		body.WriteString(counted(s))
	}
	p.posts(body.String())
	if a, b := receive(t, p.r.binaries), receive(t, p.r.binaries); string(a) != "\x01\x02\x03" || len(b) != 0 {
		t.Errorf("binaries %v, %v", a, b)
	}
	bytes := f.poller3("&b64=") // as good as not there
	parcel(bytes.r)
	until(t, "all wait", func() bool { return bytes.r.s.PollState().Queued == 3 })
	bytes.polls("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n")
}

func eio3NoPayload(t *testing.T, f *fixture) {
	for _, tt := range []struct {
		body   string
		header []string
	}{
		{"4as revision 4 writes it", nil}, {"", nil}, {"2:4", nil}, {":4a", nil}, {"x:4a", nil}, {"-1:4a", nil},
		{"2:4😀", nil}, {"2:4\xff", nil}, {"1:9", nil}, {"4:b4!!", nil}, {"99999999999999999999:4", nil},
		{"2:4a", []string{inBytes}}, {"\x00\xff", []string{inBytes}}, {"\x00\x05\xff4", []string{inBytes}},
		{"\x01\x01\xff\x02", []string{inBytes}}, {"\x00\x02\xff4\xff", []string{inBytes}},
	} {
		p := f.poller3("")
		p.hold()
		p.posts(tt.body, tt.header...)
		p.get.expect(polled3("1"))
		p.r.ended(t, engine.ReasonParseError)
	}
	p := f.poller3("") // what is in front of it counts
	p.posts("2:4a9:4")
	if got := receive(t, p.r.texts); got != "a" {
		t.Errorf("received %q", got)
	}
	p.r.ended(t, engine.ReasonParseError)
}

func eio3WebSocket(t *testing.T, f *fixture) {
	w := f.upgradeWS(wsURL3)
	r := f.session(parseOpen(t, w.text()).SID)
	parcel(r)
	for _, want := range []string{"4in front €", "452-header 😀", "\x04\x01\x02\x03", "\x04", "4behind"} {
		fr := w.nextFrame()
		if binary := want[0] == 4; string(fr.payload) != want || (fr.op == gobwas.OpBinary) != binary {
			t.Errorf("got %v, want %q", fr, want)
		}
	}
	w.frame(true, gobwas.OpBinary, "\x04\x09\x08")
	w.frame(true, gobwas.OpBinary, "\x04")
	w.sendText("b4AQID")
	for _, want := range []string{"\x09\x08", "", "\x01\x02\x03"} {
		if got := receive(t, r.binaries); string(got) != want {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	w.sendText("1") // and others that are ignored, as in fact 29
	w.sendText("5")
	w.sendText("6")
	f.echoes(w, r)
	for name, bad := range map[string]func(w *wsConn){
		"no type":      func(w *wsConn) { w.frame(true, gobwas.OpBinary, "") },
		"another type": func(w *wsConn) { w.frame(true, gobwas.OpBinary, "\x02probe") },
		"as in 4":      func(w *wsConn) { w.frame(true, gobwas.OpBinary, "\x01\x02") },
		"base64 of 4":  func(w *wsConn) { w.sendText("bAQID") },
		"empty":        func(w *wsConn) { w.sendText("") },
	} {
		w := f.upgradeWS(wsURL3)
		r := f.session(parseOpen(t, w.text()).SID)
		bad(w)
		if got := r.reason(t); got != engine.ReasonParseError {
			t.Errorf("%s: ended with %q", name, got)
		}
		w.closes(1005)
	}
}

func eio3WebSocketBase64(t *testing.T, f *fixture) {
	w := f.upgradeWS(wsURL3 + "&b64=1")
	r := f.session(parseOpen(t, w.text()).SID)
	parcel(r)
	for _, want := range []string{"4in front €", "452-header 😀", "b4AQID", "b4", "4behind"} {
		if got := w.text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p := f.poller3("&b64=1") // each transport has a b64 of its own
	w = f.upgradeWS(wsURL3 + "&sid=" + p.sid)
	w.sendText("2probe")
	if got := w.text(); got != "3probe" {
		t.Fatalf("probe: %q", got)
	}
	w.sendText("5")
	until(t, "the upgrade", func() bool { return p.r.s.Transport() == engine.WebSocket })
	parcel(p.r)
	w.text()
	w.text()
	if fr := w.nextFrame(); fr.op != gobwas.OpBinary || !bytes.Equal(fr.payload, []byte{4, 1, 2, 3}) {
		t.Errorf("got %v", fr)
	}
}

func eio3Heartbeat(t *testing.T, f *fixture) {
	w := f.upgradeWS(wsURL3)
	r := f.session(parseOpen(t, w.text()).SID)
	for range 3 {
		w.sendText("2")
		if got := w.text(); got != "3" {
			t.Errorf("got %q", got)
		}
	}
	f.echoes(w, r)
	w.sendText("3") // the server's to send
	r.ended(t, engine.ReasonTransportError)
	w.closes(1005)

	p := f.poller3("")
	p.hold()
	p.posts("1:2")
	p.get.expect(polled3("3"))
	p.posts("1:3")
	p.r.ended(t, engine.ReasonTransportError)
}

// upgrade3 takes a polling session to WebSocket.
func (p *poller) upgrade3() *wsConn {
	p.f.t.Helper()
	w := p.f.upgradeWS(wsURL3 + "&sid=" + p.sid)
	w.sendText("2probe")
	if got := w.text(); got != "3probe" {
		p.f.t.Fatalf("probe: %q", got)
	}
	return w
}

func eio3Upgrade(t *testing.T, f *fixture) {
	for range 4 { // connections meet the session's loop, or have to move to it
		p := f.poller3("")
		p.hold()
		w := p.upgrade3()
		p.get.expect(polled3("6"))
		parcel(p.r)
		until(t, "it waits", func() bool { return p.r.s.PollState().Queued == 3 })
		w.sendText("5")
		for _, want := range []string{"4in front €", "452-header 😀", "\x04\x01\x02\x03", "\x04", "4behind"} {
			if got := w.nextFrame(); string(got.payload) != want {
				t.Fatalf("flushed %v, want %q", got, want)
			}
		}
		f.echoes(w, p.r)
	}
}

func eio3PongAfterUpgrade(t *testing.T, f *fixture) {
	p := f.poller3("")
	w := p.upgrade3()
	p.posts("1:2")
	w.sendText("5")
	if got := w.text(); got != "3" {
		t.Errorf("got %q", got)
	}
	f.echoes(w, p.r)
}

func eio3Goodbyes(t *testing.T, f *fixture) {
	p := f.poller3("") // fact 22
	p.hold()
	p.posts("1:1")
	p.get.expect(polled3("6"))
	p.r.ended(t, engine.ReasonTransportClose)

	p = f.poller3("") // fact 24
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	p.polls(polled3("6", "1"))

	p = f.poller3("")
	parcel(p.r)
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	p.polls(polledBytes("\x00\x01\x03\xff4in front €\x00\x01\x05\xff452-header 😀" +
		"\x01\x04\xff\x04\x01\x02\x03\x01\x01\xff\x04\x00\x07\xff4behind"))
	p.polls(polled3("6", "1"))

	p = f.poller3("") // fact 17
	p.hold()
	second := f.dial()
	second.request("GET", p.url, "")
	second.expect(bare("400 Bad Request"))
	p.get.expect(polled3("1"))
	p.r.ended(t, engine.ReasonTransportError)
}

// eio3JSONP: a script has no bytes, whether the client says b64=1, as the official one does, or not.
func eio3JSONP(t *testing.T, f *fixture) {
	get := f.dial()
	body := get.do("GET", pollURL3+"&j=7", "").body
	_, rest, _ := strings.Cut(body, `\"sid\":\"`)
	sid, _, _ := strings.Cut(rest, `\"`)
	if !strings.HasPrefix(body, `___eio[7]("118:0{\"sid\":\"`) {
		t.Fatalf("handshake: %q", body)
	}
	r, url := f.session(sid), pollURL3+"&j=8&sid="+sid
	post := f.dial()
	post.request("POST", url, "d=4%3A4%F0%9F%98%80a10%3Ab4AQIDBA%3D%3D1%3A2", "Content-Type: application/x-www-form-urlencoded")
	post.expect(postedOK)
	if got := receive(t, r.texts); got != "😀a" {
		t.Errorf("received %q", got)
	}
	if got := receive(t, r.binaries); string(got) != "\x01\x02\x03\x04" {
		t.Errorf("received %v", got)
	}
	parcel(r)
	until(t, "all wait", func() bool { return r.s.PollState().Queued == 3 })
	want := "___eio[8](\"" + counted("3") + counted("4in front €") + counted("452-header 😀") + counted("b4AQID") + counted("b4") + counted("4behind") + "\");"
	if a := get.do("GET", url, ""); a.body != want || a.Header.Get("Content-Type") != plain {
		t.Errorf("%v %q, want %q", a.Header, a.body, want)
	}
}

func eio3Compressed(t *testing.T, f *fixture) {
	long := strings.Repeat("€😀", 500)
	unpacked := func(p *poller) (contentType, body string) {
		a := p.get.do("GET", p.url, "", "Accept-Encoding: gzip")
		if got := a.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("Content-Encoding %q", got)
		}
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return a.Header.Get("Content-Type"), string(b)
	}
	p := f.poller3("")
	p.r.send(long)
	until(t, "it waits", func() bool { return p.r.s.PollState().Queued == 1 })
	if contentType, body := unpacked(p); contentType != plain || body != counted("4"+long) {
		t.Errorf("%s, %.40q", contentType, body)
	}
	frame := text("header")
	frame.AppendBinary([]byte(long))
	p.r.s.Send(frame)
	frame.Release()
	until(t, "it waits", func() bool { return p.r.s.PollState().Queued == 1 })
	want := packet.AppendBinaryPayloadDataV3(packet.AppendBinaryPayloadTextV3(nil, []byte("4header")), []byte(long))
	if contentType, body := unpacked(p); contentType != "application/octet-stream" || body != string(want) {
		t.Errorf("%s, %.40q", contentType, body)
	}
}

// The payload in bytes is read as a whole, so how it is cut on its way does not matter: here every byte comes alone.
func TestEIO3PayloadsInPieces(t *testing.T) {
	f := startFacts(t, engine.Options{AllowEIO3: true})
	p := f.poller3("")
	body := string(packet.AppendBinaryPayloadDataV3(packet.AppendBinaryPayloadTextV3(nil, []byte("4€😀")), []byte{0, 255}))
	p.post.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nTransfer-Encoding: chunked\r\n\r\n", p.url, inBytes))
	for _, b := range []byte(body) {
		p.post.write("1\r\n" + string([]byte{b}) + "\r\n")
	}
	p.post.write("0\r\n\r\n")
	p.post.expect(postedOK)
	if got := receive(t, p.r.texts); got != "€😀" {
		t.Errorf("received %q", got)
	}
	if got := receive(t, p.r.binaries); string(got) != "\x00\xff" {
		t.Errorf("received %v", got)
	}
}
