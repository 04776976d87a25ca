package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

func TestAbusedQueriesGetTheirCode(t *testing.T) { // CVE-2023-31125
	f, healthy := startAbused(t, engine.Options{})
	values := []string{
		"__proto__", "constructor", "toString", "hasOwnProperty", "[object Object]", "%00", "%", "%zz", "%f", "%ff%fe",
		"polling%00", "polling%20", "Polling", "%F0%9F%98%80", strings.Repeat("A", 7000), strings.Repeat("%41", 2000), "4\t",
	}
	for _, v := range values {
		v = strings.NewReplacer(" ", "+", "\t", "%09").Replace(v)
		for _, tt := range []struct {
			query string
			code  int
		}{
			{"EIO=4&transport=" + v, 0},
			{"EIO=4&transport=polling&transport=" + v, 0},
			{"EIO=4&transport[]=polling&x=" + v, 0},
			{"EIO=4&transport=polling&sid=" + v, 1},
			{"EIO=4&transport=polling&sid=" + unknownSID + "&sid=" + v, 1},
			{"transport=polling&EIO=" + v, 5},
			{"transport=polling&EIO=4&EIO=" + v, 5},
			{v[:min(len(v), 100)] + "=&&==&EIO=3&transport=polling", 5},
		} {
			r := f.dial().do("GET", "/socket.io/?"+tt.query, "")
			if want := fmt.Sprintf(`{"code":%d,`, tt.code); r.StatusCode != 400 || !strings.HasPrefix(r.body, want) {
				t.Errorf("%.80s: %s %s, want code %d", tt.query, r.Status, r.body, tt.code)
			}
		}
	}
	if r := f.dial().do("GET", pollURL+"&sid="+strings.Repeat("A", 64<<10), ""); r.StatusCode != 414 {
		t.Errorf("64 KiB of sid: %s", r.Status)
	}
	if r := f.dial().do("GET", "/socket.io/%zz?EIO=4&transport=polling", ""); r.StatusCode != 400 {
		t.Errorf("bad percent-encoding in the path: %s", r.Status)
	}
	healthy.answers(t)
}

func TestOversizedHeadsAreRefused(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{})
	const line = "GET " + wsURL + " HTTP/1.1\r\nHost: x\r\n"
	for name, tt := range map[string]struct {
		head string
		want string
	}{
		"8 KiB of request line":         {"GET /" + strings.Repeat("x", 8<<10), "414 Request URI Too Long"},
		"1 MiB of request line":         {"GET /" + strings.Repeat("x", 1<<20), "414 Request URI Too Long"},
		"16 KiB of one field":           {line + "X: " + strings.Repeat("x", 16<<10), "431 Request Header Fields Too Large"},
		"1 MiB of one field":            {line + "X: " + strings.Repeat("x", 1<<20), "431 Request Header Fields Too Large"},
		"101 fields":                    {line + strings.Repeat("X: y\r\n", 101), "431 Request Header Fields Too Large"},
		"2,000 fields (CVE-2024-37890)": {line + strings.Repeat("X: y\r\n", 2000), "431 Request Header Fields Too Large"},
		"64 kB of spaces (CVE-2021-32640)": {
			line + wsHeader + "\r\nSec-WebSocket-Protocol: a" + strings.Repeat(" ", 64_000) + "b\r\n\r\n", "431 Request Header Fields Too Large",
		},
		"1,000 extensions": {
			line + wsHeader + "\r\nSec-WebSocket-Extensions: " + strings.Repeat("permessage-deflate,", 1000) + "x\r\n\r\n", "431 Request Header Fields Too Large",
		},
	} {
		c := f.dial()
		c.write(tt.head)
		r := c.read("GET")
		if r.Status != tt.want || !r.Close {
			t.Errorf("%s: %s, close %v; want %s", name, r.Status, r.Close, tt.want)
		}
		c.eof()
	}
	for _, offer := range []string{ // GHSA-5v72-xg48-5rpm: declined
		"constructor", "permessage-deflate", `permessage-deflate; x="`, `"`, ";;;,,,===", "a;b=c;b=d, a", strings.Repeat("x,", 500),
	} {
		c := f.dial()
		r := c.do("GET", wsURL, "", wsHeader, "Sec-WebSocket-Extensions: "+offer)
		if r.StatusCode != 101 || r.Header["Sec-Websocket-Extensions"] != nil {
			t.Errorf("%.40s: %s %v", offer, r.Status, r.Header)
		}
	}
	for _, offer := range []string{",", "a,,b", "a b", "\"a\"", strings.Repeat(" ,", 2000)} {
		if r := f.dial().do("GET", wsURL, "", wsHeader, "Sec-WebSocket-Protocol: "+offer); r.StatusCode != 400 {
			t.Errorf("subprotocols %.40q: %s", offer, r.Status)
		}
	}
	healthy.answers(t)
}

func TestSmuggledRequestsAreRefusedAndTheConnectionCloses(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{})
	const second = "GET " + pollURL + " HTTP/1.1\r\nHost: x\r\n\r\n"
	p := f.poller()
	post := "POST " + p.url + " HTTP/1.1\r\nHost: x\r\n"
	for name, bytes := range map[string]string{
		"both lengths":             post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"both, chunked first":      post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
		"two lengths":              post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n4x",
		"the same length twice":    post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n4x",
		"a list of lengths":        post + "Content-Length: 2, 2\r\n\r\n4x",
		"a signed length":          post + "Content-Length: +2\r\n\r\n4x",
		"a negative length":        post + "Content-Length: -2\r\n\r\n4x",
		"a hexadecimal length":     post + "Content-Length: 0x2\r\n\r\n4x",
		"a length of 2^64":         post + "Content-Length: 18446744073709551618\r\n\r\n4x",
		"xchunked":                 post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"gzip, chunked":            post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":            post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunked in quotes":        post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
		"vertical tab":             post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 chunked":         strings.Replace(post, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bare LF":                  strings.ReplaceAll(post, "\r\n", "\n") + "Content-Length: 2\n\n4x",
		"bare CR":                  post + "X: a\rContent-Length: 99\r\nContent-Length: 2\r\n\r\n4x",
		"obs-fold":                 post + "X: a\r\n b\r\nContent-Length: 2\r\n\r\n4x",
		"space before the colon":   post + "Content-Length : 2\r\n\r\n4x",
		"field without colon":      post + "Content-Length\r\n\r\n",
		"NUL in a value":           post + "X: a\x00b\r\nContent-Length: 2\r\n\r\n4x",
		"two hosts":                post + "Host: y\r\nContent-Length: 2\r\n\r\n4x",
		"no host":                  "GET " + pollURL + " HTTP/1.1\r\n\r\n",
		"another host than target": "GET http://a" + pollURL + " HTTP/1.1\r\nHost: b\r\n\r\n",
		"two spaces":               "GET  " + pollURL + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"HTTP/0.9":                 "GET " + pollURL + "\r\n",
		"HTTP/2 preface":           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET with a body":          "GET " + pollURL + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"a preflight with a body":  "OPTIONS " + pollURL + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"a body for nobody":        "POST " + pollURL + "&sid=" + unknownSID + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
	} {
		c := f.dial()
		c.write(bytes + second)
		r := c.read("GET")
		if r.StatusCode < 400 || !r.Close {
			t.Errorf("%s: %s, close %v", name, r.Status, r.Close)
		}
		c.eof() // the second request is never served
	}
	p.alive()
	healthy.answers(t)
}

func TestSlowClientsAreCutOff(t *testing.T) {
	const short = 100 * time.Millisecond
	f, healthy := startAbused(t, engine.Options{HeaderTimeout: short, BodyTimeout: short, IdleTimeout: short})
	held := f.poller()
	held.hold() // waits for us, and longer than any of them
	var slow []*rawConn
	for _, sent := range []string{"", "G", "GET /", "GET " + pollURL + " HTTP/1.1\r\nHost: x\r\n"} {
		for range 50 {
			c := f.dial()
			c.write(sent)
			slow = append(slow, c)
		}
	}
	between, _ := f.openPolling() // idle between two requests
	second, _ := f.openPolling()
	second.write("GET /socket")
	for _, c := range append(slow, between, second) {
		c.eof()
	}
	body := f.poller()
	body.begin(10, "4half")
	body.post.eof()
	body.r.ended(t, engine.ReasonTransportError)

	drips := f.dial() // a byte now and then does not help
	head := "GET " + pollURL + " HTTP/1.1\r\nX: " + strings.Repeat("x", 10_000)
	tick := time.NewTicker(short / 20)
	defer tick.Stop()
	for i := 0; ; i++ {
		if _, err := drips.Write([]byte{head[i]}); err != nil {
			break
		}
		<-tick.C
	}
	held.r.send("at last")
	held.get.expect(polled("4at last"))
	healthy.answers(t)
}

func TestPipelinedFloodsAreServedInOrderOrCutOff(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{})
	c := f.dial()
	var flood, want strings.Builder
	for i := range 5000 {
		query, answer := "EIO=3&transport=polling", codeError(5, "Unsupported protocol version")
		if i%3 == 0 {
			query, answer = "transport=x", codeError(0, "Transport unknown")
		}
		flood.WriteString("GET /socket.io/?" + query + " HTTP/1.1\r\nHost: x\r\n\r\n")
		want.WriteString(answer)
	}
	go func() { _, _ = c.Write([]byte(flood.String())) }()
	c.expect(want.String())
	healthy.answers(t)

	p := f.poller() // POSTs too, bodies and all
	flood.Reset()
	for i := range 1000 {
		fmt.Fprintf(&flood, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n4%05d", p.url, i)
	}
	go func() { _, _ = p.post.Write([]byte(flood.String())) }()
	p.post.expect(strings.Repeat(postedOK, 1000))
	for i := range 1000 {
		if got := receive(t, p.r.texts); got != fmt.Sprintf("%05d", i) {
			t.Fatalf("message %d is %q", i, got)
		}
	}
	p.hold() // what comes behind a poll has to wait, but not without bound
	_, _ = p.get.Write([]byte(strings.Repeat("x", 1<<20)))
	p.get.expect(bare("431 Request Header Fields Too Large", closeLine))
	p.r.ended(t, engine.ReasonTransportError)
	healthy.answers(t)
}

func TestAResetAtEveryByteOfAHandshakeHarmsNobody(t *testing.T) { // CVE-2022-41940
	f, healthy := startAbused(t, engine.Options{})
	p := f.poller()
	upgrade := " HTTP/1.1\r\nHost: x\r\n" + wsHeader + "\r\n\r\n"
	for _, request := range []string{
		"GET " + pollURL + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET " + wsURL + upgrade + "\x81\x82\x00\x00\x00\x004x",
		"GET " + wsURL + "&sid=" + p.sid + upgrade + "\x81\x86\x00\x00\x00\x002probe",
		"GET " + wsURL + "&sid=" + unknownSID + upgrade,
		"GET /elsewhere/?EIO=4&transport=websocket" + upgrade,
	} {
		for n := range len(request) + 1 {
			c := f.dial()
			c.write(request[:n])
			c.reset()
		}
		healthy.answers(t)
	}
	until(t, "no probe is left", func() bool { return !p.r.s.PollState().Probe })
	p.alive()
}

func TestSessionIDsCannotBeGuessed(t *testing.T) { // CVE-2017-16031
	f, healthy := startAbused(t, engine.Options{})
	p := f.poller()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	c := f.dial()
	rng := rand.New(rand.NewPCG(1, 2))
	answer := codeError(1, "Session ID unknown")
	for range 200 {
		var guesses strings.Builder
		for i := range 100 {
			sid := []byte(p.sid) // all but one character right, or none
			for at := range sid {
				if i%2 == 0 || at == i%len(sid) {
					sid[at] = alphabet[rng.IntN(len(alphabet))]
				}
			}
			if string(sid) == p.sid {
				sid[0]++
			}
			guesses.WriteString("GET " + pollURL + "&sid=" + string(sid) + " HTTP/1.1\r\nHost: x\r\n\r\n")
		}
		c.write(guesses.String())
		c.expect(strings.Repeat(answer, 100))
	}
	for _, sid := range []string{p.sid[:19], p.sid + "A", strings.ToLower(p.sid) + " ", p.sid[:8]} {
		if r := f.dial().do("GET", pollURL+"&sid="+strings.TrimSpace(sid), ""); r.StatusCode != 400 {
			t.Errorf("%q opened %q: %s", sid, p.sid, r.Status)
		}
	}
	p.alive()
	healthy.answers(t)

	const ids = 200_000
	seen := make(map[string]bool, ids)
	var count [256]int
	for range ids {
		id := engine.NewSessionID()
		seen[id] = true
		for i := range len(id) {
			count[id[i]]++
		}
	}
	if len(seen) != ids {
		t.Errorf("%d ids of %d are different", len(seen), ids)
	}
	chi, expected := 0.0, float64(ids*20)/64
	for i := range len(alphabet) {
		d := float64(count[alphabet[i]]) - expected
		chi += d * d / expected
	}
	if chi > 200 { // 63 degrees of freedom: less than 1e-15 by chance
		t.Errorf("chi-square of the symbols is %.1f", chi)
	}
}

func TestManySmallPacketsInOnePayload(t *testing.T) { // CVE-2020-36049
	f, healthy := startAbused(t, engine.Options{})
	p := f.poller()
	p.post.request("POST", p.url, strings.Repeat("3"+sep, 499_999)+"3")
	p.post.expect(postedOK)
	p.alive()
	healthy.answers(t)
}

func TestForeignOrigins(t *testing.T) { // CVE-2020-28481, cross-site WebSocket hijacking
	off, healthy := startAbused(t, engine.Options{})
	listed, _ := startAbused(t, engine.Options{CORS: engine.CORS{Origins: []string{"https://app.example", "https://two.example"}}})
	for _, tt := range []struct {
		origin          string
		off, whenListed int
		polled          string // Access-Control-Allow-Origin where the list is on
	}{
		{origin: "", off: 101, whenListed: 101},
		{origin: "null", off: 403, whenListed: 403},
		{origin: "http://Chat.Example:3000", off: 101, whenListed: 101},
		{origin: "https://chat.example:3000", off: 101, whenListed: 101}, // TLS may end in front of us
		{origin: "http://chat.example", off: 403, whenListed: 403},
		{origin: "http://chat.example:3001", off: 403, whenListed: 403},
		{origin: "http://evil-chat.example:3000", off: 403, whenListed: 403},
		{origin: "http://chat.example:3000.evil.example", off: 403, whenListed: 403},
		{origin: "http://chat.example:3000@evil.example", off: 403, whenListed: 403},
		{origin: "http://evil@chat.example:3000", off: 403, whenListed: 403},
		{origin: "http://chat.example:3000/", off: 403, whenListed: 403},
		{origin: "http://ch\u0430t.example:3000", off: 403, whenListed: 403}, // a Cyrillic a
		{origin: "chat.example:3000", off: 403, whenListed: 403},
		{origin: "https://app.example", off: 403, whenListed: 101, polled: "https://app.example"},
		{origin: "https://two.example", off: 403, whenListed: 101, polled: "https://two.example"},
		{origin: "https://app.example.evil.example", off: 403, whenListed: 403},
		{origin: "https://APP.example", off: 403, whenListed: 403}, // browsers send lower case
		{origin: "https://app.example, https://evil.example", off: 403, whenListed: 403},
	} {
		for _, way := range []struct {
			f     *fixture
			want  int
			allow string
		}{{off, tt.off, ""}, {listed, tt.whenListed, tt.polled}} {
			if got := way.f.handshakeFrom(tt.origin, wsURL, wsHeader).StatusCode; got != way.want {
				t.Errorf("WebSocket from %q: %d, want %d", tt.origin, got, way.want)
			}
			r := way.f.handshakeFrom(tt.origin, pollURL, "X: y")
			if got := r.Header.Get("Access-Control-Allow-Origin"); got != way.allow || r.StatusCode != 200 {
				t.Errorf("polling from %q: %s, allowed %q, want %q", tt.origin, r.Status, got, way.allow)
			}
		}
	}
	healthy.answers(t)
}

// handshakeFrom asks chat.example:3000 for a session, as a page of that origin does.
func (f *fixture) handshakeFrom(origin, target, header string) response {
	f.t.Helper()
	c := f.dial()
	if origin != "" {
		header += "\r\nOrigin: " + origin
	}
	c.write("GET " + target + " HTTP/1.1\r\nHost: chat.example:3000\r\n" + header + "\r\n\r\n")
	defer func() { _ = c.Close() }()
	return c.read("GET")
}
