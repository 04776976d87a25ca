package engine_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// The wire facts about handshakes and errors, raw HTTP against a live server: what
// is required is bytes. TestEveryWireFactHasATestOrAReason lists them all.

func TestHandshakeFacts(t *testing.T) {
	eachWayIn(t, engine.Options{}, handshakeFacts)
}

func handshakeFacts(t *testing.T, f *fixture) {
	f.fact(t, "Fact01 the reply to a polling handshake", fact01)
	f.fact(t, "Fact02 request errors are JSON with a numeric code", fact02)
	f.fact(t, "Fact03 the order of checks", fact03)
	f.fact(t, "Fact04 every EIO but 4 is unsupported", fact04)
	f.fact(t, "Fact05 errors of an upgrade are plain text and close", fact05)
	f.fact(t, "Fact06 EIO 3 is refused before the 101", fact06)
	f.fact(t, "Fact07 a bad WebSocket version or key", fact07)
	f.fact(t, "Fact08 a second WebSocket for a session harms nobody", fact08)
	f.fact(t, "Fact09 methods other than GET and POST", fact09)
	f.fact(t, "Fact12 Internet Explorer is told not to look for XSS", fact12)
	f.fact(t, "Fact14 the open packet has 118 bytes", fact14)
	if !f.way.mounted { // there, other paths are the mux's
		f.fact(t, "the path is a prefix that wants its slash", pathIsPrefix)
	}
	f.fact(t, "an upgrade is a GET of the session's protocol without a body", upgradeIsPlainGet)
}

const openPattern = `^0\{"sid":"[-_0-9A-Za-z]{20}","upgrades":\[(.*)\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}$`

var openForm = regexp.MustCompile(openPattern)

func fact01(t *testing.T, f *fixture) {
	c := f.dial()
	c.request("GET", pollURL, "")
	body := c.expectHead("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 118\r\ncache-control: no-store\r\n\r\n")
	if m := openForm.FindSubmatch(body); m == nil || string(m[1]) != `"websocket"` {
		t.Fatalf("over polling: %q", body)
	}
	w := f.upgradeWS(wsURL)
	got := w.text()
	if m := openForm.FindStringSubmatch(got); m == nil || m[1] != "" {
		t.Fatalf("over WebSocket: %q", got)
	}
}

// unknownSID has the form of an id, and nobody has it.
const unknownSID = "AAAAAAAAAAAAAAAAAAAA"

func fact02(t *testing.T, f *fixture) {
	p := f.poller()
	for _, tt := range []struct {
		method, target string
		code           int
		message        string
	}{
		{"GET", "/socket.io/?EIO=4&transport=carrier-pigeon", 0, "Transport unknown"},
		{"GET", pollURL + "&sid=" + unknownSID, 1, "Session ID unknown"},
		{"POST", pollURL, 2, "Bad handshake method"},
		{"GET", wsURL, 3, "Bad request"},
		{"GET", wsURL + "&sid=" + p.sid, 3, "Bad request"},
		// 4 is AllowRequest's: TestAllowRequestDecidesWhoOpensASession; from a foreign Origin see fact 5
		{"GET", "/socket.io/?EIO=3&transport=polling", 5, "Unsupported protocol version"},
	} {
		c := f.dial()
		for range 2 { // the connection may be used again
			c.request(tt.method, tt.target, "")
			c.expect(codeError(tt.code, tt.message))
		}
	}
	p.alive()
}

func fact03(t *testing.T, f *fixture) {
	p := f.poller()
	const badOrigin = "Origin: http://a\tb"
	for _, tt := range []struct {
		name, method, query, origin string
		code                        int
	}{
		{"transport before Origin and sid", "GET", "EIO=4&transport=x&sid=" + unknownSID, badOrigin, 0},
		{"Origin before sid", "GET", "EIO=4&transport=polling&sid=" + unknownSID, badOrigin, 3},
		{"sid before method", "POST", "EIO=4&transport=polling&sid=" + unknownSID, "", 1},
		{"sid before the wrong transport", "GET", "EIO=4&transport=websocket&sid=" + unknownSID, "", 1},
		{"wrong transport before version", "GET", "EIO=3&transport=websocket&sid=" + p.sid, "", 3},
		{"method before a websocket without Upgrade", "POST", "EIO=4&transport=websocket", "", 2},
		{"method before version", "POST", "EIO=3&transport=polling", "", 2},
		{"a websocket without Upgrade before version", "GET", "EIO=3&transport=websocket", "", 3},
		{"version last", "GET", "EIO=3&transport=polling", "", 5},
	} {
		c := f.dial()
		var header []string
		if tt.origin != "" {
			header = []string{tt.origin}
		}
		r := c.do(tt.method, "/socket.io/?"+tt.query, "", header...)
		if want := fmt.Sprintf(`{"code":%d,`, tt.code); r.StatusCode != 400 || !strings.HasPrefix(r.body, want) {
			t.Errorf("%s: %s %s, want code %d", tt.name, r.Status, r.body, tt.code)
		}
	}
}

func fact04(_ *testing.T, f *fixture) {
	c := f.dial()
	for _, eio := range []string{"", "EIO=", "EIO=3", "EIO=5", "EIO=44", "EIO=04", "EIO=4&EIO=4", "eio=4"} {
		c.request("GET", "/socket.io/?transport=polling&"+eio, "")
		c.expect(codeError(5, "Unsupported protocol version"))
	}
}

// refused is the answer to an upgrade that is refused; Node: "Content-type".
func refused(message string, lines ...string) string {
	return httpAnswer("400 Bad Request", "text/html", message, append(lines, closeLine)...)
}

func fact05(_ *testing.T, f *fixture) {
	for _, tt := range []struct{ method, target, message string }{
		{"GET", "/socket.io/?EIO=4&transport=x", "Transport unknown"},
		{"GET", wsURL + "&sid=" + unknownSID, "Session ID unknown"},
		{"POST", wsURL, "Bad handshake method"},
	} {
		c := f.dial()
		c.request(tt.method, tt.target, "", wsHeader)
		c.expect(refused(tt.message))
		c.eof()
	}
	// Differs from Node, on purpose: it admits every origin where CORS is off, and it
	// answers code 4 with 400 here. A status that says what happened harms no client.
	c := f.dial()
	c.request("GET", wsURL, "", wsHeader, "Origin: http://evil.example")
	c.expect(httpAnswer("403 Forbidden", "text/html", "Forbidden", closeLine))
	c.eof()
}

// Differs from Node, on purpose: it says 101 first and writes its refusal into the
// upgraded stream.
func fact06(_ *testing.T, f *fixture) {
	for _, target := range []string{"/socket.io/?EIO=3&transport=websocket", "/socket.io/?transport=websocket"} {
		c := f.dial()
		c.request("GET", target, "", wsHeader)
		c.expect(refused("Unsupported protocol version"))
		c.eof()
	}
}

func fact07(_ *testing.T, f *fixture) {
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	const version, key = "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	badVersion := refused("Missing or invalid Sec-WebSocket-Version header", "Sec-WebSocket-Version: 13, 8")
	badKey := refused("Missing or invalid Sec-WebSocket-Key header")
	for _, tt := range []struct{ header, want string }{
		{upgrade + key, badVersion},
		{upgrade + "Sec-WebSocket-Version: 12\r\n" + key, badVersion},
		{upgrade + "Sec-WebSocket-Version: 13", badKey},
		{upgrade + version + "Sec-WebSocket-Key: c2hvcnQ=", badKey},
		{upgrade + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==", badKey},
		{"Upgrade: h2c\r\nConnection: Upgrade\r\n" + version + key, refused("Invalid Upgrade header")},
	} {
		c := f.dial()
		c.request("GET", wsURL, "", tt.header)
		c.expect(tt.want)
		c.eof()
	}
}

func fact08(t *testing.T, f *fixture) {
	p := f.poller()
	first := p.probe()
	p.open().closes(1005) // while the first probes
	p.alive()
	first.sendText("5")
	f.echoes(first, p.r)
	p.open().closes(1005) // after the first took over
	f.echoes(first, p.r)
	ws, o := f.openWS() // never polled
	f.upgradeWS(wsURL + "&sid=" + o.SID).closes(1005)
	f.echoes(ws, f.session(o.SID))
}

func fact09(_ *testing.T, f *fixture) {
	p := f.poller()
	c := f.dial()
	for _, method := range []string{"OPTIONS", "PUT", "DELETE", "PATCH", "BREW"} {
		c.request(method, p.url, "")
		c.expect(bare("500 Internal Server Error"))
		c.request(method, pollURL, "")
		c.expect(codeError(2, "Bad handshake method"))
	}
	c.request("HEAD", p.url, "")
	c.expect(bare("500 Internal Server Error"))
	p.alive()
}

func TestCookieFact(t *testing.T) {
	f := startFacts(t, engine.Options{Cookie: &engine.Cookie{}})
	f.fact(t, "Fact11 the cookie of a polling handshake", fact11)
}

func fact11(t *testing.T, f *fixture) {
	c := f.dial()
	r := c.do("GET", pollURL, "")
	o := parseOpen(t, r.body)
	if got, want := r.Header.Get("Set-Cookie"), "io="+o.SID+"; Path=/; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("handshake: %q, want %q", got, want)
	}
	url := pollURL + "&sid=" + o.SID
	w := f.dial()
	for kind, r := range map[string]response{
		"post":      c.do("POST", url, "4x"),
		"upgrade":   w.do("GET", wsURL+"&sid="+o.SID, "", wsHeader),
		"websocket": f.dial().do("GET", wsURL, "", wsHeader),
		"refusal":   c.do("POST", pollURL, ""),
	} {
		if got := r.Header.Get("Set-Cookie"); got != "" {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func fact12(t *testing.T, f *fixture) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; AS; rv:11.0) like Gecko": "0",
		"Mozilla/4.0 (compatible;MSIE 7.0)":                                        "0",
		"Mozilla/4.0 (compatible; MSIE 7.0)":                                       "", // Node looks for no blank
		"Mozilla/5.0 (X11; Linux x86_64) Chrome/142":                               "",
	} {
		c := f.dial()
		r := c.do("GET", pollURL, "", "User-Agent: "+agent)
		if got := r.Header.Get("X-Xss-Protection"); got != want {
			t.Errorf("%s: %q", agent, got)
		}
		url := pollURL + "&sid=" + parseOpen(t, r.body).SID
		if r := c.do("POST", url, "4x", "User-Agent: "+agent); r.Header.Get("X-Xss-Protection") != want {
			t.Errorf("POST by %s: %v", agent, r.Header)
		}
		if r := c.do("POST", pollURL, "", "User-Agent: "+agent); r.Header.Get("X-Xss-Protection") != "" {
			t.Errorf("a refusal to %s: %v", agent, r.Header)
		}
	}
}

func fact14(t *testing.T, f *fixture) {
	if body := f.dial().do("GET", pollURL, "").body; len(body) != 118 {
		t.Fatalf("%d bytes: %q", len(body), body)
	}
}

func pathIsPrefix(_ *testing.T, f *fixture) {
	c := f.dial()
	c.request("GET", "/socket.io/anything?EIO=5&transport=polling", "")
	c.expect(codeError(5, "Unsupported protocol version"))
	for _, target := range []string{"/socket.io?EIO=4&transport=polling", "/socket.iox/?EIO=4&transport=polling", "/", "/engine.io/"} {
		c := f.dial()
		c.request("GET", target, "")
		c.expect(bare("404 Not Found", closeLine))
		c.eof()
	}
}

// upgradeIsPlainGet: ws refuses other methods with 405, Engine.IO 6.6.12 an upgrade
// to another protocol than the session's; a body would be taken for frames.
func upgradeIsPlainGet(_ *testing.T, f *fixture) {
	p := f.poller()
	for _, tt := range []struct{ method, target, body, want string }{
		{"POST", wsURL + "&sid=" + p.sid, "", httpAnswer("405 Method Not Allowed", "text/html", "Invalid HTTP method", closeLine)},
		{"GET", "/socket.io/?EIO=3&transport=websocket&sid=" + p.sid, "", refused("Bad request")},
		{"GET", "/socket.io/?transport=websocket&sid=" + p.sid, "", refused("Bad request")},
		{"GET", wsURL, "body", refused("Bad request")},
		{"GET", wsURL + "&sid=" + p.sid, "body", refused("Bad request")},
		{"GET", pollURL, "", refused("Transport unknown")}, // Node: 101, then closed
	} {
		c := f.dial()
		c.request(tt.method, tt.target, tt.body, wsHeader)
		c.expect(tt.want)
		c.eof()
	}
	p.alive()
}

func TestCORSFacts(t *testing.T) {
	eachWayIn(t, engine.Options{CORS: engine.CORS{Origins: []string{"http://example.com"}, Credentials: true}}, corsFacts)
}

func corsFacts(t *testing.T, f *fixture) {
	f.fact(t, "Fact10 preflights and what plain responses carry", fact10)
	f.fact(t, "a preflight with a body does not smuggle a request", preflightWithBody)
}

const (
	acao = "Access-Control-Allow-Origin: http://example.com"
	acac = "Access-Control-Allow-Credentials: true"
)

// Differs from Node, on purpose: a 204 carries no Content-Length (RFC 9110 §8.6),
// and Vary comes in two lines, which mean the same as one.
func fact10(t *testing.T, f *fixture) {
	c := f.dial()
	r := c.do("OPTIONS", pollURL, "", "Origin: http://example.com", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: X-Token, X-Two")
	want := http.Header{
		"Access-Control-Allow-Origin":      {"http://example.com"},
		"Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Allow-Methods":     {"GET,HEAD,PUT,PATCH,POST,DELETE"},
		"Access-Control-Allow-Headers":     {"X-Token, X-Two"},
		"Vary":                             {"Access-Control-Request-Headers", "Origin"},
	}
	r.Header.Del("Date") // net/http's
	if fmt.Sprint(r.Header) != fmt.Sprint(want) || r.StatusCode != 204 || r.body != "" {
		t.Errorf("preflight: %s %v, want %v", r.Status, r.Header, want)
	}
	lines := []string{acao, "Vary: Origin", acac}
	for _, origin := range []string{"Origin: http://example.com", "Origin: http://other.example", "X-No: origin"} {
		c.request("GET", "/socket.io/?EIO=3&transport=polling", "", origin)
		c.expect(codeError(5, "Unsupported protocol version", lines...))
	}
	p := f.poller()
	p.post.request("POST", p.url, "4x")
	p.post.expect(httpAnswer("200 OK", "text/html", "ok", lines...))
	p.hold() // the answer owed carries them too
	p.r.send("later")
	p.get.expect(httpAnswer("200 OK", plain, "4later", append([]string{noStoreLine}, lines...)...))
}

func preflightWithBody(_ *testing.T, f *fixture) {
	c := f.dial()
	c.request("OPTIONS", pollURL, "GET "+pollURL+" HTTP/1.1\r\nHost: x\r\n\r\n", "Origin: http://example.com")
	if r := c.read("OPTIONS"); !r.Close {
		c.t.Errorf("the connection stays open: %s %v", r.Status, r.Header)
	}
	c.eof()
}
