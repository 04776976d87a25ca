package engine_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// startMounted is a server mounted in an http.Server that change may change.
func startMounted(t *testing.T, o engine.Options, change func(*httptest.Server)) (*fixture, *httptest.Server) {
	t.Helper()
	f := startFacts(t, o, func(f *fixture) { f.way = way{mounted: true} })
	s := httptest.NewUnstartedServer(f.srv)
	change(s)
	if s.EnableHTTP2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	f.addr = s.Listener.Addr().String()
	return f, s
}

// ask sends a request and returns its answer as text.
func (f *fixture) ask(client *http.Client, method, url, body string) (string, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// All requests of one HTTP/2 connection: polls that wait beside others, posts, an
// aborted poll, a post that is cut, a body of unknown length.
func TestPollingOverHTTP2(t *testing.T) {
	f, s := startMounted(t, engine.Options{MaxHTTPBufferSize: 100_000}, func(s *httptest.Server) { s.EnableHTTP2 = true })
	client := s.Client()
	open := func() (url string, r *recorder) {
		body, err := f.ask(client, "GET", s.URL+pollURL, "")
		if err != nil {
			t.Fatal(err)
		}
		o := parseOpen(t, body)
		return s.URL + pollURL + "&sid=" + o.SID, f.session(o.SID)
	}
	url, r := open()
	polled := make(chan string, 1)
	go func() {
		b, _ := f.ask(client, "GET", url, "")
		polled <- b
	}()
	until(t, "the poll is held", func() bool { return r.s.PollState().Get })
	if got, err := f.ask(client, "POST", url, "4up"); got != "ok" || err != nil {
		t.Fatalf("POST: %q %v", got, err)
	}
	if got := receive(t, r.texts); got != "up" {
		t.Errorf("received %q", got)
	}
	r.send("down")
	if got := receive(t, polled); got != "4down" {
		t.Errorf("polled %q", got)
	}
	if got, err := f.ask(client, "POST", url, "4"+strings.Repeat("x", 100_000)); got != "" || err != nil {
		t.Errorf("over the limit: %q %v", got, err)
	}
	unknown, _ := http.NewRequest("POST", url, io.MultiReader(strings.NewReader("4of unknown "), strings.NewReader("length")))
	if resp, err := client.Do(unknown); err != nil || resp.ProtoMajor != 2 {
		t.Fatalf("%v %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if got := receive(t, r.texts); got != "of unknown length" {
		t.Errorf("received %q", got)
	}

	ctx, abort := context.WithCancel(t.Context()) // fact 23
	aborted, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	go func() {
		if resp, err := client.Do(aborted); err == nil {
			_ = resp.Body.Close()
		}
	}()
	until(t, "the poll is held", func() bool { return r.s.PollState().Get })
	abort()
	r.ended(t, engine.ReasonTransportError)

	url, r = open() // fact 18: the first of two posts is cut, and nobody else's stream with it
	in, feed := io.Pipe()
	half, _ := http.NewRequest("POST", url, in)
	cut := make(chan error, 1)
	go func() {
		resp, err := client.Do(half)
		if err == nil {
			err = fmt.Errorf("answered %s", resp.Status)
		}
		cut <- err
	}()
	_, _ = io.WriteString(feed, "4ha")
	until(t, "the POST is read", func() bool { return r.s.PollState().Post })
	if got, err := f.ask(client, "POST", url, "4x"); got != "" || err != nil {
		t.Errorf("second POST: %q %v", got, err)
	}
	if err := receive(t, cut); !strings.Contains(err.Error(), "stream error") && !strings.Contains(err.Error(), "INTERNAL_ERROR") {
		t.Errorf("first POST: %v", err)
	}
	_ = feed.Close()
	r.ended(t, engine.ReasonTransportError)
}

// The deadlines of an http.Server are for its requests, not for our polls.
func TestAPollOutlivesTheTimeoutsOfTheServer(t *testing.T) {
	f, _ := startMounted(t, engine.Options{}, func(s *httptest.Server) {
		s.Config.ReadTimeout, s.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	p := f.poller()
	for range 2 {
		p.hold()
		late := time.NewTimer(150 * time.Millisecond) // the deadline of something else passes
		<-late.C
		p.r.send("late")
		p.get.expect(polled("4late"))
	}
}

// A middleware between net/http and us may hide what its ResponseWriter can do.
func TestWrappedResponseWriters(t *testing.T) {
	f := startFacts(t, engine.Options{}, func(f *fixture) { f.way = way{mounted: true} })
	hidden := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.srv.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	defer hidden.Close()
	f.addr = hidden.Listener.Addr().String()
	p := f.poller()
	p.alive()
	p.hold()
	p.r.send("polled")
	p.get.expect(polled("4polled"))
	c := f.dial()
	if r := c.do("GET", wsURL, "", wsHeader); r.StatusCode != http.StatusNotImplemented {
		t.Errorf("upgrade: %s", r.Status)
	}

	w := httptest.NewRecorder() // no connection at all
	f.srv.ServeHTTP(w, httptest.NewRequest("GET", pollURL, nil))
	o := parseOpen(t, w.Body.String())
	w = httptest.NewRecorder()
	f.srv.ServeHTTP(w, httptest.NewRequest("POST", pollURL+"&sid="+o.SID, strings.NewReader("4recorded")))
	if got := receive(t, f.session(o.SID).texts); w.Body.String() != "ok" || got != "recorded" {
		t.Errorf("%q, received %q", w.Body, got)
	}
}

// Who cannot be served is told to come again, and its connection is not kept.
func TestAFullMountedServerSaysSo(t *testing.T) {
	f, _ := startMounted(t, engine.Options{MaxConnections: 2, Loops: 1}, func(*httptest.Server) {})
	a, _ := f.openWS()
	b, _ := f.openWS()
	for _, header := range []string{wsHeader, "X-No: upgrade"} {
		c := f.dial()
		if r := c.do("GET", wsURL, "", header); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || !r.Close {
			t.Errorf("%s %v", r.Status, r.Header)
		}
		c.eof()
	}
	if _, err := f.srv.Dial(engine.Peer{}); !errors.Is(err, engine.ErrFull) {
		t.Errorf("Dial: %v", err)
	}
	if n := f.srv.Stats().Refused; n != 3 {
		t.Errorf("%d refused", n)
	}
	_ = a.Close()
	until(t, "there is room", func() bool { return f.srv.Stats().Connections == 1 })
	c := f.dial()
	url := pollURL + "&sid=" + parseOpen(t, c.do("GET", pollURL, "").body).SID
	for range 3 { // over one pipe
		if r := c.do("POST", url, "4x"); r.body != "ok" {
			t.Errorf("%s %q", r.Status, r.body)
		}
	}
	_ = b.Close()
}

// Many polls at once leave few pipes behind, and none after Shutdown.
func TestPipesAreKeptAndBounded(t *testing.T) {
	f, s := startMounted(t, engine.Options{Loops: 2}, func(*httptest.Server) {})
	s.Config.SetKeepAlivesEnabled(true)
	var ps []*poller
	for range 200 {
		p := f.poller()
		p.hold()
		ps = append(ps, p)
	}
	if n := f.srv.Stats().Connections; n < 200 {
		t.Errorf("%d connections hold 200 polls", n)
	}
	for _, p := range ps {
		p.r.send("now")
	}
	for _, p := range ps {
		p.get.expect(polled("4now"))
	}
	until(t, "the pipes rest", func() bool { return f.srv.Stats().Connections <= 2*64 })
	if err := f.shutdown(patience); err != nil {
		t.Fatal(err)
	}
	if st := f.srv.Stats(); st.Connections != 0 || f.srv.OpenPipes() != 0 {
		t.Errorf("%d connections, %d pipes are left", st.Connections, f.srv.OpenPipes())
	}
}

// A WebSocket over TLS has two goroutines, and none when either side has gone.
func TestSplicedWebSocketsEnd(t *testing.T) {
	spliced := func() int {
		all := make([]byte, 1<<22)
		return strings.Count(string(all[:runtime.Stack(all, true)]), "engine.(*Server).splice(")
	}
	f := startFacts(t, engine.Options{CloseTimeout: 200 * time.Millisecond}, mountedTLS.in)
	for name, end := range map[string]func(c *wsConn, r *recorder){
		"the client's goodbye":           func(c *wsConn, _ *recorder) { c.sendText("x"); c.closeCode() },
		"FIN":                            func(c *wsConn, _ *recorder) { _ = c.Close() },
		"RST":                            func(c *wsConn, _ *recorder) { c.reset() },
		"FIN without close_notify":       func(c *wsConn, _ *recorder) { _ = c.Conn.(*tls.Conn).NetConn().Close() },
		"the server's goodbye, answered": func(c *wsConn, r *recorder) { r.s.Close(); c.closes(1005) },
		"the server's goodbye, and a mute client": func(_ *wsConn, r *recorder) { r.s.Close() },
	} {
		c, o := f.openWS()
		r := f.session(o.SID)
		f.echoes(c, r)
		if n := spliced(); n == 0 {
			t.Fatal("nothing is spliced")
		}
		end(c, r)
		r.reason(t)
		until(t, name+": the goroutines are gone", func() bool { return spliced() == 0 })
		until(t, name+": so are the pipes", func() bool { return f.srv.OpenPipes() == 0 })
	}
}

// A client behind TLS that takes nothing is blocked like any other.
func TestASplicedClientThatTakesNothingIsClosed(t *testing.T) {
	f := startFacts(t, engine.Options{MaxBlocked: 300 * time.Millisecond, HighWaterMark: 64 << 20}, mountedTLS.in)
	_, o := f.openWS() // and reads no more
	r := f.session(o.SID)
	big := strings.Repeat("x", 900_000)
	for range 30 {
		r.send(big)
	}
	r.ended(t, engine.ReasonTransportError)
	until(t, "nothing is left", func() bool { return f.srv.OpenPipes() == 0 && f.srv.Stats().Connections == 0 })
}

// Dial is the port without a port.
func TestDial(t *testing.T) {
	f := startFacts(t, engine.Options{IdleTimeout: 100 * time.Millisecond}, func(f *fixture) { f.way = way{mounted: true} })
	nc, err := f.srv.Dial(engine.Peer{Addr: netip.MustParseAddrPort("192.0.2.1:7"), TLS: new(tls.ConnectionState)})
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	c := &wsConn{&rawConn{Conn: nc, t: t, br: bufio.NewReader(nc)}}
	c.write("GET " + wsURL + " HTTP/1.1\r\nHost: x\r\n" + wsHeader + "\r\n\r\n")
	if r := c.read("GET"); r.StatusCode != 101 {
		t.Fatal(r.Status)
	}
	r := f.session(parseOpen(t, c.text()).SID)
	f.echoes(c, r)
	if a := r.s.RemoteAddr(); a == nil || a.String() != "192.0.2.1:7" {
		t.Errorf("from %v", a)
	}
	if q, err := r.s.Request().HTTP(); err != nil || q.TLS == nil || q.RemoteAddr != "192.0.2.1:7" {
		t.Errorf("%+v %v", q, err)
	}
	c.sendText("1")
	_ = c.Close()
	r.ended(t, engine.ReasonTransportClose)

	idle, err := f.srv.Dial(engine.Peer{})
	if err != nil {
		t.Fatal(err)
	}
	_ = idle.SetDeadline(time.Now().Add(patience))
	quiet := &rawConn{Conn: idle, t: t, br: bufio.NewReader(idle)}
	quiet.write("GET " + pollURL + " HTTP/1.1\r\nHost: x\r\n\r\n")
	parseOpen(t, quiet.read("GET").body)
	quiet.eof() // those that are not ours are not kept
	_ = idle.Close()
}

func TestServingBeforeStartAndAfterShutdown(t *testing.T) {
	srv := quiet(t, engine.Options{})
	serve := func() int {
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, httptest.NewRequest("GET", pollURL, nil))
		return w.Code
	}
	if got := serve(); got != 503 {
		t.Errorf("before: %d", got)
	}
	if _, err := srv.Dial(engine.Peer{}); !errors.Is(err, engine.ErrNotListening) {
		t.Errorf("Dial: %v", err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	for _, again := range []func() error{srv.Start, func() error { return srv.Listen("127.0.0.1:0") }} {
		if err := again(); !errors.Is(err, engine.ErrListening) {
			t.Errorf("again: %v", err)
		}
	}
	if got := serve(); got != 200 {
		t.Errorf("between: %d", got)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, served); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if got := serve(); got != 503 {
		t.Errorf("after: %d", got)
	}
	if _, err := srv.Dial(engine.Peer{}); err == nil {
		t.Error("Dial worked")
	}
}

// A loop of a server without a port serves as many clients as one with a port, on all loops.
func TestMountedSessionsAreOnAllLoops(t *testing.T) {
	f, _ := startMounted(t, engine.Options{Loops: 3}, func(*httptest.Server) {})
	if n := f.srv.Stats().Loops; n != 3 {
		t.Fatalf("%d loops are known", n)
	}
	for range 9 {
		f.openWS()
	}
	for i, n := range f.srv.SessionsPerLoop() {
		if n != 3 {
			t.Errorf("loop %d has %d sessions", i, n)
		}
	}
}
