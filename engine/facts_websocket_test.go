package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

func TestWebSocketFacts(t *testing.T) {
	eachWayIn(t, engine.Options{MaxHTTPBufferSize: 100_000, CloseTimeout: time.Minute}, webSocketFacts)
}

func webSocketFacts(t *testing.T, f *fixture) {
	f.fact(t, "Fact27 one packet per message, binary bare", fact27)
	f.fact(t, "Fact28 a text that begins with b is a binary message", fact28)
	f.fact(t, "Fact29 packets that mean nothing from a client", fact29)
	f.fact(t, "Fact30 what is not a packet is a parse error", fact30)
	f.fact(t, "Fact31 the codes of close frames", fact31)
	f.fact(t, "Fact32 fragments, pings and subprotocols", fact32)
	f.fact(t, "Fact33 a client need not wait for the open packet", fact33)
}

func fact27(t *testing.T, f *fixture) {
	c, o := f.openWS()
	r := f.session(o.SID)
	fr := engine.NewFrame(0)
	fr.End(append(fr.Begin(), "two"...))
	fr.AppendBinary([]byte{1, 2, 3})
	fr.AppendBinary(nil)
	r.s.Send(fr)
	fr.Release()
	for _, want := range []string{"4two", "binary:\x01\x02\x03", "binary:"} {
		if got := c.nextFrame().String(); got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
	c.frame(true, gobwas.OpBinary, "\x04bytes")
	c.frame(true, gobwas.OpBinary, "")
	c.frame(true, gobwas.OpText, "4a"+sep+"4b") // the separator is polling's: one packet
	if a, b := receive(t, r.binaries), receive(t, r.binaries); string(a) != "\x04bytes" || len(b) != 0 {
		t.Errorf("received %q, %q", a, b)
	}
	if got := receive(t, r.texts); got != "a"+sep+"4b" {
		t.Errorf("received %q", got)
	}
}

func fact28(t *testing.T, f *fixture) {
	c, o := f.openWS()
	r := f.session(o.SID)
	c.sendText("bAQID")
	c.sendText("bBA==")
	if a, b := receive(t, r.binaries), receive(t, r.binaries); string(a)+string(b) != "\x01\x02\x03\x04" {
		t.Errorf("received %v, %v", a, b)
	}
	c.sendText("b!!")
	r.ended(t, engine.ReasonParseError)
	c.closes(1005)

	for _, b64 := range []string{"1", "true"} { // who asks for it is sent it, on the WebSocket that asks
		c := f.upgradeWS(wsURL + "&b64=" + b64)
		f.takesBase64(c, f.session(parseOpen(t, c.text()).SID))
		p := f.poller()
		c = f.upgradeWS(wsURL + "&b64=" + b64 + "&sid=" + p.sid)
		c.sendText("2probe")
		if got := c.text(); got != "3probe" {
			t.Fatal(got)
		}
		c.sendText("5")
		f.takesBase64(c, p.r)
	}
	c = f.upgradeWS(wsURL + "&b64=") // Node: an empty b64 is none
	r = f.session(parseOpen(t, c.text()).SID)
	fr := engine.NewFrame(0)
	fr.End(append(fr.Begin(), "x"...))
	fr.AppendBinary([]byte{1})
	r.s.Send(fr)
	fr.Release()
	if a, b := c.nextFrame().String(), c.nextFrame().String(); a+b != "4xbinary:\x01" {
		t.Errorf("sent %q, %q", a, b)
	}
}

// takesBase64 requires that the session is sent binary as base64, in text frames, and
// everything else as it is.
func (f *fixture) takesBase64(c *wsConn, r *recorder) {
	f.t.Helper()
	f.echoes(c, r)
	r.s.Join("base64")
	for range 2 { // the second time it is made already
		fr := engine.NewFrame(0)
		fr.End(append(fr.Begin(), "two"...))
		fr.AppendBinary([]byte{1, 2, 3})
		fr.AppendBinary(nil)
		fr.AppendBinary(make([]byte, 300)) // a longer header than its text would have
		f.srv.Publish(fr, &engine.Target{Groups: []string{"base64"}})
		r.s.Send(fr)
		fr.Release()
	}
	for range 4 {
		for _, want := range []string{"4two", "bAQID", "b", "b" + strings.Repeat("A", 400)} {
			if got := c.text(); got != want {
				f.t.Fatalf("sent %q, want %q", got, want)
			}
		}
	}
}

func fact29(t *testing.T, f *fixture) {
	c, o := f.openWS()
	r := f.session(o.SID)
	for _, p := range []string{"0", `0{"sid":"x"}`, "1", "5", "6", "3", "3probe"} {
		c.sendText(p)
	}
	f.echoes(c, r)
	for _, p := range []string{"2", "2probe"} {
		c, o := f.openWS()
		c.sendText(p)
		f.session(o.SID).ended(t, engine.ReasonTransportError)
		c.closes(1005)
	}
}

func fact30(t *testing.T, f *fixture) {
	for packet, want := range map[string]engine.Reason{
		"": engine.ReasonParseError, "7": engine.ReasonParseError, "x": engine.ReasonParseError,
		"\u20ac": engine.ReasonParseError, " 4": engine.ReasonParseError,
		"4": engine.ReasonForcedClose, // the floor above has no empty packet
	} {
		c, o := f.openWS()
		c.sendText(packet)
		c.sendText("4never")
		r := f.session(o.SID)
		r.ended(t, want)
		c.closes(1005)
		if len(r.texts) > 0 {
			t.Errorf("%q: received %q behind it", packet, <-r.texts)
		}
	}
}

// fact31: Differs from Node, on purpose: breaches of RFC 6455 close with the code
// the RFC has for them (section 7.4.1). The reason is Node's.
func fact31(t *testing.T, f *fixture) {
	const noKey = "\x00\x00\x00\x00"
	for name, tt := range map[string]struct {
		bytes string
		code  gobwas.StatusCode
	}{
		"message over the limit, by its header":  {"\x81\xff\x00\x00\x00\x00\x00\x01\x86\xa1" + noKey, 1009},
		"length of 2^62":                         {"\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00" + noKey, 1009},
		"length of 2^63":                         {"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00" + noKey, 1002},
		"length not minimal":                     {"\x81\xfe\x00\x05" + noKey + "4xxxx", 1002},
		"unmasked":                               {"\x81\x024x", 1002},
		"RSV1 without an extension":              {"\xc1\x82" + noKey + "4x", 1002},
		"reserved opcode 3":                      {"\x83\x82" + noKey + "4x", 1002},
		"reserved control opcode 11":             {"\x8b\x80" + noKey, 1002},
		"fragmented ping":                        {"\x09\x80" + noKey, 1002},
		"ping of 126 bytes":                      {"\x89\xfe\x00\x7e" + noKey, 1002},
		"continuation of nothing":                {"\x80\x82" + noKey + "4x", 1002},
		"message within a message":               {"\x01\x82" + noKey + "4x" + "\x81\x82" + noKey + "4y", 1002},
		"text that is not UTF-8":                 {"\x81\x83" + noKey + "4\xff\xfe", 1007},
		"text that cannot become UTF-8 any more": {"\x01\x83" + noKey + "4\xff\xfe", 1007},
		"surrogate":                              {"\x81\x84" + noKey + "4\xed\xa0\x80", 1007},
		"close of one byte":                      {"\x88\x81" + noKey + "x", 1002},
		"close code 999":                         {"\x88\x82" + noKey + "\x03\xe7", 1002},
		"close code 1005":                        {"\x88\x82" + noKey + "\x03\xed", 1002},
		"close code 5000":                        {"\x88\x82" + noKey + "\x13\x88", 1002},
		"close reason that is not UTF-8":         {"\x88\x83" + noKey + "\x03\xe8\xff", 1007},
		"HTTP instead of frames":                 {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1002},
		"1,025 fragments":                        {"\x01\x82" + noKey + "4x" + strings.Repeat("\x00\x80"+noKey, 1024), 1008},
	} {
		c, o := f.openWS()
		c.write(tt.bytes)
		if got := c.closeCode(); got != tt.code {
			t.Errorf("%s: closed with %d, want %d", name, got, tt.code)
		}
		c.eof() // at once, not after CloseTimeout
		f.session(o.SID).ended(t, engine.ReasonTransportError)
	}
	// what the server or the client ends in good order carries no code
	c, o := f.openWS()
	f.session(o.SID).s.Close()
	c.closes(1005)
	f.session(o.SID).ended(t, engine.ReasonForcedClose)
	c, o = f.openWS()
	c.frame(true, gobwas.OpClose, "\x03\xe8bye")
	if got := c.closeCode(); got != 1005 {
		t.Errorf("a goodbye was answered with %d", got)
	}
	c.eof()
	f.session(o.SID).ended(t, engine.ReasonTransportClose)
	c, o = f.openWS()
	_ = c.Close()
	f.session(o.SID).ended(t, engine.ReasonTransportClose)
}

func fact32(t *testing.T, f *fixture) {
	c, o := f.openWS()
	r := f.session(o.SID)
	euro := "\u20ac"
	c.frame(false, gobwas.OpText, "4a"+euro[:1])
	c.frame(false, gobwas.OpContinuation, "")
	c.frame(true, gobwas.OpPing, "are you there?")
	if got := c.nextFrame().String(); got != "pong:are you there?" {
		t.Errorf("ping: %q", got)
	}
	c.frame(false, gobwas.OpContinuation, euro[1:])
	c.frame(true, gobwas.OpPong, "nobody asked")
	c.frame(true, gobwas.OpContinuation, "z")
	if got := receive(t, r.texts); got != "a"+euro+"z" {
		t.Errorf("received %q", got)
	}
	h := f.dial()
	h.request("GET", wsURL, "", wsHeader, "Sec-WebSocket-Protocol: soup, nuts")
	h.expect("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: soup\r\n\r\n")
}

func fact33(t *testing.T, f *fixture) {
	request := "GET " + wsURL + " HTTP/1.1\r\nHost: x\r\n" + wsHeader + "\r\n\r\n" + "\x81\x83\x00\x00\x00\x00440"
	for cut := range len(request) { // in one piece first, then in two of every size
		c := &wsConn{f.dial()}
		c.write(request[:cut])
		c.write(request[cut:])
		if r := c.read("GET"); r.StatusCode != 101 {
			t.Fatalf("cut at %d: %s", cut, r.Status)
		}
		o := parseOpen(t, c.text())
		if got := receive(t, f.session(o.SID).texts); got != "40" {
			t.Fatalf("cut at %d: received %q", cut, got)
		}
		_ = c.Close()
	}
}
