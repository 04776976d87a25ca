package engine_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

type middleware = func(http.Handler) http.Handler

// setHeader is the simplest kind.
func setHeader(name, value string) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add(name, value)
			next.ServeHTTP(w, r)
		})
	}
}

// requireToken answers itself.
func requireToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != "good" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sessionCookie sets its cookie when the answer's head is written, as session stores do.
type sessionCookie struct {
	http.ResponseWriter
	set bool
}

func (s *sessionCookie) WriteHeader(status int) {
	if !s.set {
		s.set = true
		http.SetCookie(s, &http.Cookie{Name: "session", Value: "v"})
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *sessionCookie) Write(b []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return s.ResponseWriter.Write(b)
}

type userKey struct{}

func userInContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "ann")))
	})
}

// eachRequest makes one request of every kind that a session consists of and gives their
// answers' heads to check.
func (f *fixture) eachRequest(query string, check func(kind string, h http.Header)) {
	f.t.Helper()
	c := f.dial()
	r := c.do("GET", pollURL+query, "")
	check("handshake", r.Header)
	o := parseOpen(f.t, r.body)
	rec := f.session(o.SID)
	sid := "&sid=" + o.SID
	r = c.do("POST", pollURL+query+sid, "4hello")
	if r.body != "ok" || receive(f.t, rec.texts) != "hello" {
		f.t.Errorf("POST: %s %q", r.Status, r.body)
	}
	check("post", r.Header)
	rec.send("answer")
	r = c.do("GET", pollURL+query+sid, "")
	if r.body != "4answer" || r.Header.Get("Content-Type") != plain {
		f.t.Errorf("poll: %s %q %v", r.Status, r.body, r.Header)
	}
	check("poll", r.Header)
	w := f.dial()
	r = w.do("GET", wsURL+query+sid, "", wsHeader)
	if r.StatusCode != 101 {
		f.t.Fatalf("upgrade: %s", r.Status)
	}
	check("upgrade", r.Header)
	up := &wsConn{w}
	up.sendText("2probe")
	if got := up.text(); got != "3probe" {
		f.t.Fatal(got)
	}
	up.sendText("5")
	f.echoes(up, rec)
	w = f.dial()
	r = w.do("GET", wsURL+query, "", wsHeader)
	check("websocket", r.Header)
	f.echoes(&wsConn{w}, f.session(parseOpen(f.t, (&wsConn{w}).text()).SID))
}

func TestMiddlewaresRunForEveryRequest(t *testing.T) {
	f := startFacts(t, engine.Options{})
	var calls atomic.Int64
	f.srv.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			if b, err := io.ReadAll(r.Body); len(b) > 0 || err != nil {
				t.Errorf("a body: %q, %v", b, err)
			}
			next.ServeHTTP(w, r)
		})
	})
	f.srv.Use(setHeader("X-One", "1"))
	f.srv.Use(requireToken)
	f.srv.Use(userInContext)
	f.srv.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&sessionCookie{ResponseWriter: w}, r)
		})
	})
	f.srv.Use(func(next http.Handler) http.Handler { // sets what is the engine's, and late
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Connection", "Transfer-Encoding", "Cache-Control", "Sec-WebSocket-Accept"} {
				h.Set(name, "nonsense")
			}
			next.ServeHTTP(w, r)
			h.Set("X-Late", "a\r\nb: c")
			_, _ = io.WriteString(w, "dropped")
		})
	})
	f.srv.Use(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Minute, "late") })
	f.eachRequest("&token=good", func(kind string, h http.Header) {
		t.Helper()
		if h.Get("X-One") != "1" || h.Get("X-Late") != "a  b: c" || h.Get("Set-Cookie") != "session=v" || strings.Contains(fmt.Sprint(h), "nonsense") {
			t.Errorf("%s: %v", kind, h)
		}
	})
	if n := calls.Load(); n != 5 {
		t.Errorf("%d calls for 5 requests", n)
	}
	for _, r := range f.all {
		q, err := r.s.Request().HTTP()
		if err != nil || q.Context().Value(userKey{}) != "ann" || q.Context().Err() != nil {
			t.Errorf("what was put into the request's context: %v, %v", q.Context().Value(userKey{}), err)
		}
	}
}

func TestAMiddlewareMayAnswerItself(t *testing.T) {
	f := startFacts(t, engine.Options{CORS: engine.CORS{Origins: []string{"*"}}})
	f.srv.Use(requireToken)
	lines := []string{"Access-Control-Allow-Origin: *", "Www-Authenticate: Bearer", "X-Content-Type-Options: nosniff"}
	who := func(more ...string) string {
		h := append(append([]string{}, lines[1:]...), more...)
		return httpAnswer("401 Unauthorized", plainText, "who are you?\n", append(lines[:1:1], h...)...)
	}
	c := f.dial()
	for range 2 { // the connection may be used again
		c.request("GET", pollURL, "")
		c.expect(who())
	}
	p := f.dial()
	o := parseOpen(t, p.do("GET", pollURL+"&token=good", "").body)
	c.request("POST", pollURL+"&sid="+o.SID, "4stolen") // its body is not read
	c.expect(who(closeLine))
	c.eof()
	w := f.dial()
	w.request("GET", wsURL, "", wsHeader)
	w.expect(who(closeLine))
	w.eof()
	if r := p.do("POST", pollURL+"&token=good&sid="+o.SID, "4mine"); r.body != "ok" {
		t.Errorf("%s %s", r.Status, r.body)
	}
	if got := receive(t, f.session(o.SID).texts); got != "mine" {
		t.Errorf("received %q", got)
	}
	if n := f.srv.Stats().Answered; n != 4 {
		t.Errorf("%d answered", n)
	}
}

const plainText = "text/plain; charset=utf-8"

// A middleware that fails is code 3 (Node: MIDDLEWARE_FAILURE), and costs its request.
func TestAMiddlewareThatFails(t *testing.T) {
	for name, mw := range map[string]middleware{
		"panics": func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bomb") })
		},
		"says nothing": func(http.Handler) http.Handler { return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) },
		"panics behind the next": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r); panic("bomb") })
		},
		"calls next too late": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				go func() { <-r.Context().Done(); next.ServeHTTP(w, r) }()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFacts(t, engine.Options{})
			failures := make(chan engine.ConnectionError, 10)
			f.srv.OnConnectionError(func(e engine.ConnectionError) { failures <- e })
			f.srv.Use(mw)
			c := f.dial()
			c.request("GET", pollURL, "")
			c.expect(codeError(3, "Bad request"))
			if e := receive(t, failures); e.Context["name"] != "MIDDLEWARE_FAILURE" || e.Code != 3 || e.Err == nil {
				t.Errorf("%+v", e)
			}
			w := f.dial()
			w.request("GET", wsURL, "", wsHeader)
			w.expect(refused("Bad request"))
			w.eof()
		})
	}
}

// Middlewares come before every check of the engine's (fact 3), and the engine's own CORS
// before them.
func TestMiddlewaresComeFirst(t *testing.T) {
	f := startFacts(t, engine.Options{CORS: engine.CORS{Origins: []string{"*"}}})
	var calls atomic.Int64
	f.srv.Use(func(next http.Handler) http.Handler {
		calls.Add(1) // made once
		return requireToken(next)
	})
	if r := f.dial().do("OPTIONS", pollURL, ""); r.StatusCode != 204 {
		t.Errorf("preflight: %s", r.Status)
	}
	if r := f.dial().do("GET", "/socket.io/?transport=x", ""); r.StatusCode != 401 {
		t.Errorf("%s", r.Status)
	}
	if r := f.dial().do("GET", "/socket.io/?transport=x&token=good", ""); !strings.Contains(r.body, `"code":0`) {
		t.Errorf("%s", r.body)
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
}

// A body of any allowed size may come while a middleware thinks.
func TestABodyWaitsForTheMiddleware(t *testing.T) {
	let, came := make(chan struct{}), make(chan struct{}, 10)
	f := startFacts(t, engine.Options{MaxHTTPBufferSize: 500_000})
	p := f.poller()
	f.srv.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			came <- struct{}{}
			<-let
			next.ServeHTTP(w, r)
		})
	})
	body := "4" + strings.Repeat("b", 499_999)
	p.post.request("POST", p.url, body)
	receive(t, came)
	close(let)
	p.post.expect(postedOK)
	if got := receive(t, p.r.texts); got != body[1:] {
		t.Errorf("%d bytes arrived", len(got))
	}
	p.post.write("POST " + p.url + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	p.post.expect("HTTP/1.1 100 Continue\r\n\r\n")
	p.post.write("4late")
	p.post.expect(postedOK)
	if got := receive(t, p.r.texts); got != "late" {
		t.Errorf("received %q", got)
	}
}

// Requests that come in one write, each through the middleware, are answered in order,
// and as they would be without one.
func TestPipelinedRequestsThroughAMiddleware(t *testing.T) {
	f := startFacts(t, engine.Options{})
	f.srv.Use(setHeader("X-One", "1"))
	c := f.dial()
	o := parseOpen(t, c.do("GET", pollURL, "").body)
	r := f.session(o.SID)
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "POST %s&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n4%02d", pollURL, o.SID, i)
	}
	c.write(b.String())
	for i := range 20 {
		if got := c.read("POST"); got.body != "ok" {
			t.Fatalf("%d: %s", i, got.body)
		}
		if got := receive(t, r.texts); got != fmt.Sprintf("%02d", i) {
			t.Fatalf("%q for %d", got, i)
		}
	}
}

// The requests of one session go to its loop wherever they arrive, and through the
// middleware once.
func TestRequestsMoveBeforeTheyArePutToTheMiddleware(t *testing.T) {
	var calls atomic.Int64
	f := startFacts(t, engine.Options{Loops: 4})
	f.srv.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); next.ServeHTTP(w, r) })
	})
	p := f.poller()
	for range 30 {
		c := f.dial()
		c.request("POST", p.url, "4x")
		c.expect(postedOK)
	}
	if n := calls.Load(); n != 31 {
		t.Errorf("%d calls", n)
	}
}

// A request that was judged is what it was before.
func TestWebTransportDoesNotComeOverHTTPThroughAMiddlewareEither(t *testing.T) {
	f := startFacts(t, engine.Options{Transports: []engine.Transport{engine.Polling, engine.WebTransport}})
	for range 2 {
		c := f.dial()
		if r := c.do("GET", "/socket.io/?EIO=4&transport=webtransport", ""); !strings.Contains(r.body, `"code":0`) {
			t.Errorf("%s %q", r.Status, r.body)
		}
		f.srv.Use(setHeader("X-Seen", "yes"))
	}
}

func TestHeaderHooks(t *testing.T) {
	f := startFacts(t, engine.Options{Cookie: &engine.Cookie{}})
	var mu sync.Mutex
	var kinds []string
	f.srv.OnInitialHeaders(func(h http.Header, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		h.Set("X-Initial", r.Method)
		h.Add("Set-Cookie", "second=2")
	})
	f.srv.OnHeaders(func(h http.Header, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		kinds = append(kinds, r.Method+" "+r.URL.Query().Get("transport"))
		h.Set("X-Every", "v")
	})
	f.eachRequest("", func(kind string, h http.Header) {
		t.Helper()
		initial := kind == "handshake" || kind == "websocket"
		if h.Get("X-Every") != "v" || (h.Get("X-Initial") == "GET") != initial {
			t.Errorf("%s: %v", kind, h)
		}
		cookies := len(h.Values("Set-Cookie"))
		if want := map[string]int{"handshake": 2, "websocket": 1}[kind]; cookies != want { // the engine's own comes with polling only
			t.Errorf("%s: %d cookies", kind, cookies)
		}
	})
	if got, want := strings.Join(kinds, ", "), "GET polling, POST polling, GET polling, GET websocket, GET websocket"; got != want {
		t.Errorf("called for %s", got)
	}
	kinds = nil
	f.dial().do("GET", "/socket.io/?transport=x", "")
	if len(kinds) > 0 {
		t.Errorf("called for a refusal: %v", kinds)
	}
}

func TestConnectionErrors(t *testing.T) {
	f := startFacts(t, engine.Options{AllowRequest: func(_ context.Context, r *http.Request) error {
		if r.URL.Query().Get("token") == "bad" {
			return &engine.RequestError{Message: "no entry"}
		}
		return nil
	}})
	failures := make(chan engine.ConnectionError, 10)
	f.srv.OnConnectionError(func(e engine.ConnectionError) { failures <- e })
	p := f.poller()
	for _, tt := range []struct {
		method, query, header string
		code                  int
		message, context      string
	}{
		{"GET", "EIO=4&transport=pigeon", "", 0, "Transport unknown", "map[transport:pigeon]"},
		{"GET", "EIO=4&transport=polling&sid=" + unknownSID, "", 1, "Session ID unknown", "map[sid:" + unknownSID + "]"},
		{"POST", "EIO=4&transport=polling", "", 2, "Bad handshake method", "map[method:POST]"},
		{"GET", "EIO=4&transport=polling", "Origin: a\tb", 3, "Bad request", "map[name:INVALID_ORIGIN origin:a\tb]"},
		{"GET", "EIO=4&transport=websocket&sid=" + p.sid, "", 3, "Bad request", "map[name:TRANSPORT_MISMATCH previousTransport:polling transport:websocket]"},
		{"GET", "EIO=3&transport=polling&sid=" + p.sid, "", 3, "Bad request", "map[name:PROTOCOL_MISMATCH previousProtocol:4 protocol:3]"},
		{"GET", "EIO=4&transport=websocket", "", 3, "Bad request", "map[name:TRANSPORT_HANDSHAKE_ERROR]"},
		{"GET", "EIO=4&transport=polling&token=bad", "", 4, "Forbidden", "map[message:no entry]"},
		{"GET", "EIO=3&transport=polling", "", 5, "Unsupported protocol version", "map[protocol:3]"},
		{"GET", "EIO=3&transport=websocket", wsHeader, 5, "Unsupported protocol version", "map[protocol:3]"},
	} {
		header := []string{"X-Who: me"}
		if tt.header != "" {
			header = append(header, tt.header)
		}
		f.dial().do(tt.method, "/socket.io/?"+tt.query, "", header...)
		e := receive(t, failures)
		if e.Code != tt.code || e.Message != tt.message || fmt.Sprint(e.Context) != tt.context {
			t.Errorf("%s %s: %+v", tt.method, tt.query, e)
		}
		if e.Request.Method != tt.method || e.Request.URL.RawQuery != tt.query || e.Request.Header.Get("X-Who") != "me" {
			t.Errorf("%s %s: another request: %v", tt.method, tt.query, e.Request)
		}
		if (e.Err != nil) != (tt.code == 4) || !strings.Contains(e.Error(), tt.message) {
			t.Errorf("%s %s: %v", tt.method, tt.query, e.Err)
		}
	}
}

// A panic in a hook that runs on the loop costs one connection.
func TestAPanicInAHeaderHook(t *testing.T) {
	f := startFacts(t, engine.Options{})
	f.srv.OnHeaders(func(_ http.Header, r *http.Request) {
		if r.URL.Query().Has("bomb") {
			panic("bomb in OnHeaders")
		}
	})
	p := f.poller()
	c := f.dial()
	c.request("GET", pollURL+"&bomb", "")
	c.eof()
	c = f.dial()
	c.request("GET", wsURL+"&bomb", "", wsHeader)
	c.eof()
	p.alive()
}
