package engine_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// page is a Handler that answers every request with the same text.
func page(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) })
}

// site is a Handler with a page, a mirror for bodies and a big file.
func site(big []byte) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", page("page"))
	mux.HandleFunc("/mirror", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = fmt.Fprintf(w, "%s %d %x", r.Method, len(b), sha256.Sum256(b))
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(big) })
	mux.HandleFunc("/unread", func(http.ResponseWriter, *http.Request) {})
	return mux
}

// mirrored is what /mirror says to a body.
func mirrored(method, body string) string {
	return fmt.Sprintf("%s %d %x", method, len(body), sha256.Sum256([]byte(body)))
}

// chunked is a body in chunks of at most n bytes.
func chunked(body string, n int) string {
	var b strings.Builder
	for len(body) > 0 {
		part := body[:min(n, len(body))]
		body = body[len(part):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	return b.String() + "0\r\n\r\n"
}

// requestChunked sends a request with a chunked body.
func (c *rawConn) requestChunked(method, target, body string, n int) {
	c.t.Helper()
	c.write(method + " " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, n))
}

// Who is answered before its body was read sees the end, not a reset: that could destroy the
// answer.
func TestAHandlersLastAnswerIsFollowedByTheEnd(t *testing.T) {
	f := start(t, engine.Options{Handler: site(nil)})
	c := f.dial()
	body := strings.Repeat("x", 2<<20)
	go func() {
		_, _ = io.WriteString(c, fmt.Sprintf("POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	}()
	if r := c.read("POST"); r.StatusCode != 200 || !r.Close {
		t.Fatalf("%s, close %v", r.Status, r.Close)
	}
	if _, err := io.Copy(io.Discard, c.br); err != nil {
		t.Error(err)
	}
}

func TestOneConnectionServesPagesAndSessions(t *testing.T) {
	for _, loops := range []int{1, 2} {
		t.Run(fmt.Sprint(loops, " loops"), func(t *testing.T) {
			f := start(t, engine.Options{Loops: loops, Handler: site(nil)})
			for range 4 {
				c := f.dial()
				for range 3 { // back and forth
					for range 2 {
						if r := c.do("GET", "/", ""); r.body != "page" || r.Close {
							t.Fatalf("page: %s %q", r.Status, r.body)
						}
					}
					o := parseOpen(t, c.do("GET", pollURL, "").body)
					url := pollURL + "&sid=" + o.SID
					r := f.session(o.SID)
					if got := c.do("POST", "/mirror", "with a body").body; got != mirrored("POST", "with a body") {
						t.Fatalf("mirror: %q", got)
					}
					if got := c.do("POST", url, "4a"+sep+"4b").body; got != "ok" {
						t.Fatalf("POST: %q", got)
					}
					c.do("GET", "/", "")
					c.requestChunked("POST", url, "4c", 1)
					if got := c.read("POST").body; got != "ok" {
						t.Fatalf("chunked POST: %q", got)
					}
					if got := receive(t, r.texts) + receive(t, r.texts) + receive(t, r.texts); got != "abc" {
						t.Fatalf("received %q", got)
					}
					c.requestChunked("PUT", "/mirror", strings.Repeat("chunk", 100), 7)
					if got := c.read("PUT").body; got != mirrored("PUT", strings.Repeat("chunk", 100)) {
						t.Fatalf("mirror: %q", got)
					}
					r.send("down")
					if got := c.do("GET", url, "").body; got != "4down" {
						t.Fatalf("poll: %q", got)
					}
				}
				c.do("GET", "/", "")
				c.request("GET", wsURL, "", wsHeader)
				if r := c.read("GET"); r.StatusCode != 101 {
					t.Fatalf("upgrade: %s", r.Status)
				}
				w := &wsConn{c}
				f.echoes(w, f.session(parseOpen(t, w.text()).SID))
			}
			until(t, "no connection is handed over any more", func() bool { return f.srv.Stats().Handed == 0 })
		})
	}
}

// What is pipelined goes through the same hands one after the other.
func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	f := start(t, engine.Options{Loops: 2, Handler: site(nil)})
	var sids []string
	for range 4 { // of both loops
		_, o := f.openPolling()
		sids = append(sids, pollURL+"&sid="+o.SID)
	}
	var in strings.Builder
	var want []string
	for round := range 3 {
		for i, url := range sids {
			body := fmt.Sprintf("4%d", round)
			fmt.Fprintf(&in, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%s", url, body)
			fmt.Fprintf(&in, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
			fmt.Fprintf(&in, "POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", i, "body"[:i])
			fmt.Fprintf(&in, "POST /mirror HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s", chunked("body", 3))
			want = append(want, "ok", "page", mirrored("POST", "body"[:i]), mirrored("POST", "body"))
		}
	}
	for _, piece := range []int{1, 77, 1 << 20} {
		c := f.dial()
		go func() {
			for s := in.String(); len(s) > 0; {
				n := min(piece, len(s))
				if _, err := io.WriteString(c, s[:n]); err != nil {
					t.Error(err)
					return
				}
				s = s[n:]
			}
		}()
		for i, w := range want {
			if got := c.read("POST").body; got != w {
				t.Fatalf("pieces of %d: response %d is %q, want %q", piece, i, got, w)
			}
		}
		_ = c.Close()
	}
}

func TestBigPagesAndBigBodies(t *testing.T) {
	big := make([]byte, 5<<20)
	rnd := rand.NewChaCha8([32]byte{1})
	_, _ = rnd.Read(big)
	f := start(t, engine.Options{Handler: site(big)})
	c := f.dial()
	for range 2 {
		if got := c.do("GET", "/big", "").body; !bytes.Equal([]byte(got), big) {
			t.Fatalf("%d bytes of %d, or others", len(got), len(big))
		}
		parseOpen(t, c.do("GET", pollURL, "").body)
		if got := c.do("POST", "/mirror", string(big[:3<<20])).body; got != mirrored("POST", string(big[:3<<20])) {
			t.Fatalf("mirror: %q", got)
		}
	}
	c = f.dial()
	c.write("POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
	body := string(big[:30000])
	for i := 0; i < len(body); i += 300 {
		c.write(body[i : i+300])
	}
	if got := c.read("POST").body; got != mirrored("POST", body) {
		t.Fatalf("mirror of pieces: %q", got)
	}
	c = f.dial()
	c.requestChunked("POST", "/mirror", body, 1000)
	if got := c.read("POST").body; got != mirrored("POST", body) {
		t.Fatalf("mirror of chunks: %q", got)
	}
	if got := c.do("POST", "/unread", body).body; got != "" {
		t.Fatalf("unread: %q", got)
	}
	if got := c.do("GET", "/", "").body; got != "page" {
		t.Fatalf("behind a body nobody read: %q", got)
	}
	c.request("POST", "/mirror", "", "Expect: 100-continue", "Transfer-Encoding: chunked")
}

// A response that has not left yet comes before what another server says on the
// same connection.
func TestAPageWaitsForThePollBeforeIt(t *testing.T) {
	f := start(t, engine.Options{Loops: 1, Handler: site(nil), SendBuffer: 4096})
	_, o := f.openPolling()
	url := pollURL + "&sid=" + o.SID
	r := f.session(o.SID)
	c := f.dialSmall(32 << 10)
	long := strings.Repeat("long ", 150_000)
	r.send(long)
	until(t, "queued", func() bool { return r.s.PollState().Queued == 1 })
	c.write("GET " + url + " HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	until(t, "polled", func() bool { return r.s.PollState().Queued == 0 })
	if got := c.read("GET").body; got != "4"+long {
		t.Fatalf("%d bytes of the poll, or others: ...%q", len(got), got[max(0, len(got)-200):])
	}
	if r := c.read("GET"); r.body != "page" && r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("then %s %q", r.Status, r.body)
	}
}

func TestAHandlerMayHijack(t *testing.T) {
	f := start(t, engine.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		nc, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = nc.Close() }()
		line, _ := buf.ReadString('\n')
		_, _ = io.WriteString(nc, "mine: "+line)
	})})
	c := f.dial()
	c.write("GET /raw HTTP/1.1\r\nHost: x\r\n\r\nhel")
	until(t, "handed over", func() bool { return f.srv.Stats().Handed == 1 })
	c.write("lo\n")
	c.expect("mine: hello\n")
	c.eof()
	until(t, "counted off", func() bool { return f.srv.Stats().Handed == 0 })
}

func TestHandedConnectionsAreCountedOff(t *testing.T) {
	f := start(t, engine.Options{Handler: site(nil), Loops: 2})
	for i := range 30 {
		c := f.dial()
		switch i % 3 {
		case 0:
			c.do("GET", "/", "")
			_ = c.Close()
		case 1:
			c.request("GET", "/", "", "Connection: close")
			c.read("GET")
			c.eof()
		case 2:
			c.request("POST", "/mirror", "")
			c.reset()
		}
	}
	until(t, "all are gone", func() bool { st := f.srv.Stats(); return st.Handed == 0 && st.Connections == 0 })
}

func TestWithoutAHandlerOtherPathsAreNotFound(t *testing.T) {
	f := start(t, engine.Options{})
	for _, target := range []string{"/", "/socket.io", "/socket.iox/", "/favicon.ico", "//socket.io/"} {
		c := f.dial()
		if r := c.do("GET", target, ""); r.StatusCode != http.StatusNotFound || !r.Close {
			t.Errorf("%s: %s", target, r.Status)
		}
		c.eof()
	}
}

func TestOwnPathsBelongToTheHandler(t *testing.T) {
	f := start(t, engine.Options{
		Handler: page("file"),
		OwnPath: func(path string) bool { return strings.HasSuffix(path, ".js") },
	})
	c := f.dial()
	for range 2 {
		if got := c.do("GET", "/socket.io/socket.io.js?EIO=4", "").body; got != "file" {
			t.Errorf("got %q", got)
		}
		parseOpen(t, c.do("GET", pollURL, "").body)
		if got := c.do("GET", "/socket.io/x?y=.js", "").body; !strings.Contains(got, "Transport unknown") {
			t.Errorf("got %q", got)
		}
	}
}

// Both servers must agree on whose a request is, however it is written: else it
// would go to and fro for ever.
func TestOddTargetsFindTheirServer(t *testing.T) {
	f := start(t, engine.Options{Handler: page("page"), OwnPath: func(path string) bool { return strings.Contains(path, "%") }})
	for target, want := range map[string]string{
		"/%73ocket.io/?EIO=4":              "page",
		"/socket.io/%2e%2e/":               "page",
		"/socket.io/%41":                   "page",
		"/socket.io/a%2Fb":                 "page",
		"/socket.io/..?x":                  "Transport unknown",
		"/socket.io/\"":                    "Transport unknown",
		"/socket.io/a|b":                   "Transport unknown",
		"/socket.io//":                     "Transport unknown",
		"//socket.io/":                     "page",
		"http://" + f.addr + "/socket.io/": "Transport unknown",
		"http://" + f.addr + "/":           "page",
		"http://" + f.addr:                 "page",
		"/socket.io/?":                     "Transport unknown",
	} {
		c := f.dial()
		for _, first := range []string{"", "/"} { // straight, and from the Handler's side
			if first != "" {
				c.do("GET", first, "")
			}
			if r := c.do("GET", target, ""); !strings.Contains(r.body, want) {
				t.Errorf("%q after %q: %s %q, want %q", target, first, r.Status, r.body, want)
				break
			}
		}
	}
}

func TestASlowRequestFinishesDuringShutdown(t *testing.T) {
	inside, outside := make(chan struct{}), make(chan struct{})
	f := start(t, engine.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(inside)
			<-outside
		}
		_, _ = io.WriteString(w, "finished")
	})})
	idle := f.dial()
	idle.do("GET", "/", "")
	c := f.dial()
	c.request("GET", "/slow", "")
	<-inside
	ended := make(chan error, 1)
	go func() { ended <- f.shutdown(patience) }()
	idle.eof() // Shutdown is under way
	close(outside)
	if got := c.read("GET").body; got != "finished" {
		t.Errorf("got %q", got)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
