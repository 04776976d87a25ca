package engine_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// errNo is an error whose text is no client's business.
var errNo = errors.New("the database says no")

// askEverything and hookEverything let the application have a say in everything, and say
// nothing.
func askEverything(o *engine.Options) {
	o.AllowRequest = func(ctx context.Context, _ *http.Request) error { return ctx.Err() }
	o.GenerateID = func(*http.Request) (string, error) { return rand.Text()[:20], nil }
}

func hookEverything(srv *engine.Server) {
	for range 2 {
		srv.Use(func(next http.Handler) http.Handler { return next })
	}
	srv.OnInitialHeaders(func(http.Header, *http.Request) {})
	srv.OnHeaders(func(http.Header, *http.Request) {})
	srv.OnConnectionError(func(engine.ConnectionError) {})
}

func TestAllowRequestDecidesWhoOpensASession(t *testing.T) {
	var asked []string
	var mu sync.Mutex
	f := startFacts(t, engine.Options{AllowRequest: func(ctx context.Context, r *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Query().Get("token"))
		switch {
		case ctx != r.Context():
			t.Error("another context than the request's")
		case r.RemoteAddr == "" || r.Header.Get("X-Who") != "me":
			t.Errorf("from %q: %v", r.RemoteAddr, r.Header)
		}
		switch r.URL.Query().Get("token") {
		case "good":
			return nil
		case "panic":
			panic("bomb")
		case "known":
			return fmt.Errorf("wrapped: %w", &engine.RequestError{Message: `go "home" <you>`})
		}
		return errNo
	}})
	const who = "X-Who: me"
	c := f.dial()
	r := c.do("GET", pollURL+"&token=good", "", who)
	sid := parseOpen(t, r.body).SID
	f.session(sid)
	if r := c.do("POST", pollURL+"&sid="+sid, "4x"); r.body != "ok" { // nobody is asked again
		t.Errorf("POST: %s %s", r.Status, r.body)
	}
	for token, message := range map[string]string{"bad": "Forbidden", "panic": "Forbidden", "known": `go "home" <you>`} {
		c.request("GET", pollURL+"&token="+token, "", who)
		c.expect(httpAnswer("403 Forbidden", "application/json", `{"code":4,"message":"`+strings.ReplaceAll(message, `"`, `\"`)+`"}`))
		w := f.dial()
		w.request("GET", wsURL+"&token="+token, "", wsHeader, who)
		w.expect(refused(message)) // fact 5
		w.eof()
	}
	w := f.upgradeWS2(wsURL+"&token=good", who)
	f.session(parseOpen(t, w.text()).SID)
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 8 {
		t.Errorf("asked %d times: %q", len(asked), asked)
	}
}

// upgradeWS2 is upgradeWS with further header lines.
func (f *fixture) upgradeWS2(target string, header ...string) *wsConn {
	f.t.Helper()
	c := f.dial()
	if r := c.do("GET", target, "", append([]string{wsHeader}, header...)...); r.StatusCode != 101 {
		f.t.Fatalf("upgrade: %s: %q", r.Status, r.body)
	}
	return &wsConn{c}
}

// AllowRequest has its place in the order of the checks (fact 3): what is wrong before it
// is told without it, the protocol version after it.
func TestAllowRequestIsAskedInNodesPlace(t *testing.T) {
	asked := make(chan string, 100)
	f := startFacts(t, engine.Options{AllowRequest: func(_ context.Context, r *http.Request) error {
		asked <- r.RequestURI
		return errNo
	}})
	for _, tt := range []struct {
		method, query string
		code          int
	}{
		{"GET", "EIO=4&transport=x", 0},
		{"GET", "EIO=4&transport=polling&sid=" + unknownSID, 1},
		{"POST", "EIO=4&transport=polling", 2},
		{"GET", "EIO=4&transport=websocket", 3},
	} {
		r := f.dial().do(tt.method, "/socket.io/?"+tt.query, "")
		if want := fmt.Sprintf(`{"code":%d,`, tt.code); !strings.HasPrefix(r.body, want) {
			t.Errorf("%s %s: %s", tt.method, tt.query, r.body)
		}
	}
	if r := f.dial().do("GET", "/socket.io/?EIO=3&transport=polling", ""); r.StatusCode != 403 {
		t.Errorf("a bad version is told first: %s %s", r.Status, r.body)
	}
	if n := len(asked); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// hold is a hook that waits until it is let go, or nobody waits for it any more.
type holdHook struct {
	came, gone chan struct{}
	let        chan struct{}
}

func newHoldHook() *holdHook {
	return &holdHook{came: make(chan struct{}, 100), gone: make(chan struct{}, 100), let: make(chan struct{})}
}

func (h *holdHook) allow(ctx context.Context, _ *http.Request) error {
	h.came <- struct{}{}
	select {
	case <-h.let:
		return nil
	case <-ctx.Done():
		h.gone <- struct{}{}
		return ctx.Err()
	}
}

// A request that is parked holds up nobody but its own connection, and what comes behind
// it waits.
func TestAParkedRequestHoldsUpItsConnectionOnly(t *testing.T) {
	h := newHoldHook()
	f := startFacts(t, engine.Options{Loops: 1, AllowRequest: h.allow})
	parked := f.dial()
	parked.request("GET", pollURL, "")
	receive(t, h.came)
	parked.request("GET", "/socket.io/?EIO=4&transport=x", "") // behind it
	other := f.dial()
	if r := other.do("GET", "/socket.io/?EIO=4&transport=x", ""); !strings.Contains(r.body, `"code":0`) {
		t.Errorf("somebody else: %s", r.body)
	}
	if n := f.srv.Stats().Parked; n != 1 {
		t.Errorf("%d requests parked", n)
	}
	close(h.let)
	o := parseOpen(t, parked.read("GET").body)
	f.session(o.SID)
	if r := parked.read("GET"); !strings.Contains(r.body, `"code":0`) {
		t.Errorf("the one behind: %s", r.body)
	}
	until(t, "nobody is parked", func() bool { return f.srv.Stats().Parked == 0 })
}

func TestAVanishedPeerCancelsItsHook(t *testing.T) {
	h := newHoldHook()
	f := startFacts(t, engine.Options{AllowRequest: h.allow})
	for _, end := range []func(*rawConn){(*rawConn).reset, func(c *rawConn) { _ = c.Close() }} {
		c := f.dial()
		c.request("GET", pollURL, "")
		receive(t, h.came)
		end(c)
		receive(t, h.gone)
	}
	if n := f.srv.Stats().Opened; n != 0 {
		t.Errorf("%d sessions opened for nobody", n)
	}
}

// A connection that has failed is closed at the end of the turn: a verdict that comes in the
// same turn opens no session that nobody will ever hear of.
func TestAVerdictForAConnectionThatHasFailed(t *testing.T) {
	for name, header := range map[string]string{"polling": "X-No: upgrade", "websocket": wsHeader} {
		h := newHoldHook()
		f := startFacts(t, engine.Options{Loops: 1, AllowRequest: h.allow})
		c := f.dial()
		c.request("GET", "/socket.io/?EIO=4&transport="+name, "", header)
		receive(t, h.came)
		f.srv.DoomParked(func() { close(h.let) })
		c.eof()
		if st := f.srv.Stats(); st.Opened != 0 || st.Parked != 0 {
			t.Errorf("%s: %d sessions opened, %d parked", name, st.Opened, st.Parked)
		}
	}
}

// What arrives behind a parked request is bounded: nobody can keep the loop's memory busy.
func TestTooMuchBehindAParkedRequest(t *testing.T) {
	h := newHoldHook()
	f := startFacts(t, engine.Options{AllowRequest: h.allow})
	c := f.dial()
	c.request("GET", pollURL, "")
	receive(t, h.came)
	go func() { _, _ = c.Write(make([]byte, 128<<10)) }()
	receive(t, h.gone)
	if r := c.read("GET"); r.StatusCode != 431 {
		t.Errorf("%s", r.Status)
	}
}

// Only so many hooks run, and only so many requests wait for one.
func TestRequestsThatWaitForHooksAreBounded(t *testing.T) {
	h := newHoldHook()
	f := startFacts(t, engine.Options{AllowRequest: h.allow, MaxHooks: 1, MaxParked: 1, Loops: 1})
	first, second, third := f.dial(), f.dial(), f.dial()
	first.request("GET", pollURL, "")
	receive(t, h.came)
	second.request("GET", pollURL, "")
	until(t, "the second waits", func() bool { return f.srv.Stats().Parked == 2 })
	r := third.do("GET", pollURL, "")
	if r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("the third: %s %v", r.Status, r.Header)
	}
	if n := f.srv.Stats().Unjudged; n != 1 {
		t.Errorf("%d unjudged", n)
	}
	close(h.let)
	for _, c := range []*rawConn{first, second} {
		f.session(parseOpen(t, c.read("GET").body).SID)
	}
}

// A hook that never answers does not hold a request for ever, nor a place in the queue
// that its peer has left.
func TestAHookThatTakesTooLong(t *testing.T) {
	k := startFake(t, 1, engine.Options{ConnectTimeout: grace, AllowRequest: newHoldHook().allow})
	c := k.connect(0)
	c.deliver(requestText("GET", pollURL, "", ""))
	k.advance(grace - 2*engine.TickLength)
	if got := c.taken(); got != "" {
		t.Fatalf("answered early: %q", got)
	}
	k.advance(3 * engine.TickLength)
	if got := c.taken(); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("answered %q", got)
	}
}

func TestShutdownEndsHooks(t *testing.T) {
	h := newHoldHook()
	f := startFacts(t, engine.Options{AllowRequest: h.allow})
	c := f.dial()
	c.request("GET", pollURL, "")
	receive(t, h.came)
	done := make(chan error, 1)
	go func() { done <- f.srv.Shutdown(context.Background()) }()
	receive(t, h.gone)
	if r := c.read("GET"); r.StatusCode != 503 {
		t.Errorf("%s", r.Status)
	}
	_ = c.Close()
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

func TestAnEndedGoroutineCostsItsRequestOnly(t *testing.T) {
	f := startFacts(t, engine.Options{MaxHooks: 1, AllowRequest: func(_ context.Context, r *http.Request) error {
		if r.URL.Query().Get("token") == "exit" {
			runtime.Goexit()
		}
		return nil
	}})
	for range 3 {
		if r := f.dial().do("GET", pollURL+"&token=exit", ""); r.StatusCode != 403 {
			t.Errorf("%s %s", r.Status, r.body)
		}
	}
	f.openPolling()
}

func TestGenerateIDNamesSessions(t *testing.T) {
	names := make(chan string, 100)
	f := startFacts(t, engine.Options{GenerateID: func(*http.Request) (string, error) {
		name := <-names
		switch name {
		case "error":
			return "", errNo
		case "panic":
			panic("bomb")
		}
		return name, nil
	}})
	open := func(name string) *poller {
		t.Helper()
		names <- name
		p := f.poller()
		if p.sid != name || p.r.s.ID() != name {
			t.Fatalf("named %q, %q for %q", p.sid, p.r.s.ID(), name)
		}
		return p
	}
	for _, name := range []string{"a", "AZaz09-._~", strings.Repeat("n", 64), strings.Repeat("t", 20)} {
		p := open(name)
		p.alive()
		ws := p.probe()
		ws.sendText("5")
		f.echoes(ws, p.r)
	}
	living := open("living")
	for _, name := range []string{"", "living", "with space", "ü", "a+b", "a/b", "\x00", strings.Repeat("n", 65), "error", "panic"} {
		names <- name
		c := f.dial()
		c.request("GET", pollURL, "")
		c.expect(codeError(3, "Bad request"))
		names <- name
		c = f.dial()
		c.request("GET", wsURL, "", wsHeader)
		c.expect(refused("Bad request"))
	}
	living.alive()
	living.post.do("POST", living.url, "1")
	living.r.ended(t, engine.ReasonTransportClose)
	if id := living.r.s.ID(); id != "living" {
		t.Errorf("after its end it is called %q", id)
	}
	living.gone()
	f.mu.Lock()
	delete(f.all, "living") // or the old one might be taken for the new one, which comes a moment after its answer
	f.mu.Unlock()
	open("living").alive() // free again
}

// A name that was reserved for a session that did not come about is free again.
func TestNamesThatBecameNobodys(t *testing.T) {
	f := startFacts(t, engine.Options{
		GenerateID: func(*http.Request) (string, error) { return "only", nil },
	})
	for range 3 {
		c := f.dial()
		c.request("GET", wsURL, "", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12")
		c.read("GET")
	}
	p := f.poller()
	p.alive()
}

// A session that nobody knows any more takes its name along.
func TestNamesAreForgotten(t *testing.T) {
	n := 0
	f := startFacts(t, engine.Options{GenerateID: func(*http.Request) (string, error) {
		n++
		return fmt.Sprint("session", n), nil
	}, Accept: func(s *engine.Session) engine.Receiver { return forgetful{} }})
	for range 5 {
		c := f.dial()
		o := parseOpen(t, c.do("GET", pollURL, "").body)
		c.do("POST", pollURL+"&sid="+o.SID, "1")
	}
	until(t, "the names are gone", func() bool {
		runtime.GC()
		return f.srv.NamesNow() == 0
	})
}

// forgetful receives, and keeps nothing.
type forgetful struct{}

func (forgetful) Text([]byte) error    { return nil }
func (forgetful) Binary([]byte) error  { return nil }
func (forgetful) Closed(engine.Reason) {}
