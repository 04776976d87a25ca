package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/gobwas/ws/wsutil"
)

// Whatever holds without TLS holds with it. The tests of this package dial through one
// function, so they can run again over TLS, in a process of their own.
func TestTheOtherTestsPassOverTLS(t *testing.T) {
	if everythingOverTLS {
		t.Skip("this is the other process")
	}
	if testing.Short() {
		t.Skip("takes as long as the tests it repeats")
	}
	const (
		tests = "Facts|Fact40|OneConnection|Pipelined|Page|Hijack|Slow|Volatile|BigAnswer|Shutdown|Farewell|Upgrade|Oversized|ResetAtEvery|MiddlewareS|Limit"
		slow  = "Flood|Thousand|CutOff"
	)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", tests, "-test.skip", slow, "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), "FANFARE_TEST_TLS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out[max(0, len(out)-8000):])
	}
}

// startTLS runs a server over TLS.
func startTLS(t testing.TB, o engine.Options, tune ...func(*tls.Config)) *fixture {
	t.Helper()
	o.TLS = serverTLS(t)
	for _, fn := range tune {
		fn(o.TLS)
	}
	return start(t, o)
}

// dialTLS shakes hands as the configuration says.
func (f *fixture) dialTLS(config *tls.Config) (*tls.Conn, error) {
	f.t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	f.t.Cleanup(func() { _ = nc.Close() })
	c := tls.Client(nc, config)
	return c, c.Handshake()
}

// dribble writes in parts of random sizes, so that records arrive in parts.
type dribble struct {
	net.Conn
	rng *rand.Rand
}

func (d dribble) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = d.Conn.Write(b[n:min(len(b), n+1+d.rng.IntN(1500))])
		n += m
	}
	return n, err
}

func TestTenThousandEchoesOverTLS(t *testing.T) {
	f := start(t, engine.Options{Loops: 2, TLS: serverTLS(t), PingInterval: time.Hour}, func(f *fixture) {
		f.onText = func(r *recorder, text string) error { r.send(text); return nil }
	})
	const clients, echoes = 20, 500
	errs := make(chan error, clients)
	for i := range clients {
		go func() { errs <- echoOverTLS(f.addr, uint64(i), echoes) }()
	}
	for range clients {
		if err := receive(t, errs); err != nil {
			t.Error(err)
		}
	}
	if n := f.srv.Stats().TLSHandshakes; n != clients {
		t.Errorf("%d handshakes", n)
	}
}

// echoOverTLS has a session send back what it is sent, several messages at a time.
func echoOverTLS(addr string, seed uint64, echoes int) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(3 * patience))
	c := tls.Client(dribble{nc, rng}, &tls.Config{InsecureSkipVerify: true, MaxVersion: []uint16{tls.VersionTLS12, tls.VersionTLS13}[seed%2]})
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", wsURL, wsHeader); err != nil {
		return err
	}
	br := bufio.NewReader(c)
	if r, err := http.ReadResponse(br, nil); err != nil || r.StatusCode != 101 {
		return fmt.Errorf("upgrade: %v, %w", r, err)
	}
	rw := struct {
		io.Reader
		io.Writer
	}{br, c}
	if _, err := wsutil.ReadServerText(rw); err != nil {
		return err
	}
	for done := 0; done < echoes; {
		var want []string
		for range min(echoes-done, 1+rng.IntN(5)) {
			s := "4" + strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN([]int{20, 2000, 40_000}[rng.IntN(3)]))
			if err := wsutil.WriteClientText(c, []byte(s)); err != nil {
				return err
			}
			want = append(want, s)
		}
		for _, s := range want {
			got, err := wsutil.ReadServerText(rw)
			if err != nil || string(got) != s {
				return fmt.Errorf("after %d: %.20q (%d) instead of %.20q (%d), %w", done, got, len(got), s, len(s), err)
			}
			done++
		}
	}
	return nil
}

// A broadcast reaches members over TLS of every kind, in order: over WebSocket,
// polling, and one that has not read for a while.
func TestABroadcastOverTLSReachesEverybody(t *testing.T) {
	f := startTLS(t, engine.Options{Loops: 2, SendBuffer: 16 << 10})
	var sockets []*wsConn
	for range 20 {
		c, o := f.openWS()
		f.session(o.SID).s.Join("all")
		sockets = append(sockets, c)
	}
	poll, o := f.openPolling()
	f.session(o.SID).s.Join("all")
	slow := f.dialSmall(4096)
	slow.request("GET", wsURL, "", wsHeader)
	slow.read("GET")
	late := &wsConn{slow}
	f.session(parseOpen(t, late.text()).SID).s.Join("all")
	var want []string
	for i := range 60 {
		s := fmt.Sprint(i, strings.Repeat(" long", 1000))
		want = append(want, "4"+s)
		fr := text(s)
		f.srv.Publish(fr, &engine.Target{Groups: []string{"all"}})
		fr.Release()
	}
	for _, c := range append(sockets, late) {
		for i, w := range want {
			if got := c.text(); got != w {
				t.Fatalf("%d: %.20q", i, got)
			}
		}
	}
	var got []string
	for len(got) < len(want) {
		got = append(got, strings.Split(poll.do("GET", pollURL+"&sid="+o.SID, "").body, sep)...)
	}
	if strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("%d polled", len(got))
	}
}

func TestTheRequestKnowsItsTLS(t *testing.T) {
	seen := make(chan *tls.ConnectionState, 2)
	f := startTLS(t, engine.Options{Loops: 2, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.TLS
	})}, func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert })
	config := clientTLS()
	config.ServerName, config.Certificates = "localhost", []tls.Certificate{certificate(t, "the client")}
	c, err := f.dialTLS(config)
	if err != nil {
		t.Fatal(err)
	}
	raw := &rawConn{Conn: c, t: t, br: bufio.NewReader(c)}
	raw.do("GET", "/page", "")
	o := parseOpen(t, raw.do("GET", pollURL, "").body)
	q, err := f.session(o.SID).s.Request().HTTP()
	if err != nil {
		t.Fatal(err)
	}
	seen <- q.TLS
	for _, where := range []string{"handler", "session"} {
		state := receive(t, seen)
		if state == nil || state.ServerName != "localhost" || len(state.PeerCertificates) != 1 || state.PeerCertificates[0].Subject.CommonName != "the client" {
			t.Errorf("%s: %+v", where, state)
		}
	}
}

func TestTheClientChoosesItsCertificateAndVersion(t *testing.T) {
	byName := map[string]tls.Certificate{"a.test": certificate(t, "a.test"), "b.test": certificate(t, "b.test")}
	f := startTLS(t, engine.Options{}, func(c *tls.Config) {
		c.Certificates, c.NextProtos = nil, []string{"h2"} // which is not what we speak
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.Conn.RemoteAddr() == nil || hello.ServerName == "panic.test" {
				panic("test: GetCertificate")
			}
			if c, ok := byName[hello.ServerName]; ok {
				return &c, nil
			}
			return nil, errors.New("test: nobody's name")
		}
	})
	for name := range byName {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			c, err := f.dialTLS(&tls.Config{InsecureSkipVerify: true, ServerName: name, MinVersion: version, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}})
			if err != nil {
				t.Fatal(err)
			}
			state := c.ConnectionState()
			if state.PeerCertificates[0].Subject.CommonName != name || state.Version != version || state.NegotiatedProtocol != "http/1.1" {
				t.Errorf("%s: %+v", name, state)
			}
			raw := &rawConn{Conn: c, t: t, br: bufio.NewReader(c)}
			parseOpen(t, raw.do("GET", pollURL, "").body)
		}
	}
	for _, name := range []string{"c.test", "panic.test"} {
		if _, err := f.dialTLS(&tls.Config{InsecureSkipVerify: true, ServerName: name}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	until(t, "failures are counted", func() bool { return f.srv.Stats().TLSFailed == 2 })
}

// A callback that ends its goroutine costs its client, and neither a place nor a processor.
func TestAnEndedGoroutineOfAHandshake(t *testing.T) {
	f := startTLS(t, engine.Options{Loops: 1, MaxTLSHandshakes: 1}, func(c *tls.Config) {
		c.VerifyConnection = func(state tls.ConnectionState) error {
			if state.ServerName == "exit.test" {
				runtime.Goexit()
			}
			return nil
		}
	})
	for range 2 * runtime.GOMAXPROCS(0) {
		if _, err := f.dialTLS(&tls.Config{InsecureSkipVerify: true, ServerName: "exit.test", MaxVersion: tls.VersionTLS12}); err == nil {
			t.Error("no error")
		}
	}
	if _, err := f.dialTLS(clientTLS()); err != nil {
		t.Error(err)
	}
}

func TestATLSServerNeedsACertificate(t *testing.T) {
	srv, err := engine.New(engine.Options{TLS: &tls.Config{}, Accept: func(*engine.Session) engine.Receiver { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen("127.0.0.1:0"); !errors.Is(err, engine.ErrNoCertificate) {
		t.Errorf("%v", err)
	}
}

// Who does not speak TLS is told, in HTTP, or hung up on.
func TestPlainTextIsRefused(t *testing.T) {
	f := startTLS(t, engine.Options{})
	f.secure = false // the clients
	for _, tt := range []struct{ in, want string }{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"},
		{"POST /socket.io/ HTTP/1.1\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"},
		{"SSH-2.0-x\r\n", ""},
		{"\x80\x2e\x01\x00\x02", ""},                 // SSL 2
		{"\x16\x03\x01\xff\xff", ""},                 // too long a record
		{"\x16\x03\x01\x00\x04\x01\x00\xff\xff", ""}, // a hello that would not end: nothing more comes
	} {
		c := f.dial()
		c.write(tt.in)
		if strings.HasPrefix(tt.in, "\x16\x03\x01\x00") {
			_ = c.tcp().CloseWrite()
		}
		got, _ := io.ReadAll(c)
		if string(got) != tt.want && (tt.want != "" || bytes.HasPrefix(got, []byte("HTTP"))) {
			t.Errorf("%q: %q", tt.in, got)
		}
		_ = c.Close()
	}
	until(t, "all are counted", func() bool { st := f.srv.Stats(); return st.TLSFailed == 6 && st.Connections == 0 })
}

// tapped keeps what is read.
type tapped struct {
	net.Conn
	wire *bytes.Buffer
}

func (c tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.Write(b[:n])
	return n, err
}

// The last record of a connection that ends in good order is close_notify.
func TestTheServerSaysGoodbye(t *testing.T) {
	f := startTLS(t, engine.Options{IdleTimeout: 100 * time.Millisecond, Handler: page("x")})
	for name, end := range map[string]func(c *rawConn){
		"an answer that is the last": func(c *rawConn) { c.do("GET", "/socket.io/?", "", "Connection: close") },
		"a handler's":                func(c *rawConn) { c.do("GET", "/", "", "Connection: close") },
		"an idle one":                func(c *rawConn) { c.do("GET", pollURL, "") },
	} {
		nc, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = nc.Close() }()
		_ = nc.SetDeadline(time.Now().Add(patience))
		var wire bytes.Buffer
		c := tls.Client(tapped{nc, &wire}, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
		raw := &rawConn{Conn: c, t: t, br: bufio.NewReader(c)}
		end(raw)
		raw.eof()
		last := byte(0)
		for b := wire.Bytes(); len(b) >= 5; b = b[min(len(b), 5+int(b[3])<<8+int(b[4])):] {
			last = b[0]
		}
		if last != 21 { // alert
			t.Errorf("%s: the last record is of type %d", name, last)
		}
	}
}

// Half a handshake costs its client a place for a time, and nobody else anything.
func TestHalfHandshakesHarmNobody(t *testing.T) {
	f := startTLS(t, engine.Options{Loops: 1, TLSHandshakeTimeout: 3 * time.Second, MaxTLSHandshakes: 20})
	healthy, opened := f.openWS()
	hello := helloOf(t)
	f.secure = false
	for i := range 120 { // more than places and those who may wait for one
		c := f.dial()
		switch i % 3 {
		case 0: // says nothing at all
		case 1:
			c.write(hello[:len(hello)-1])
		case 2:
			c.write(hello)
		}
	}
	f.secure = true
	for range 10 {
		begun := time.Now()
		c, o := f.openWS() // which waits for a place, a second at most
		if d := time.Since(begun); d > 2500*time.Millisecond {
			t.Errorf("a handshake took %v", d)
		}
		f.echoes(c, f.session(o.SID))
		f.echoes(healthy, f.session(opened.SID))
	}
	until(t, "the half ones are gone", func() bool { st := f.srv.Stats(); return st.Connections == 11 && st.TLSFailed == 120 })
}

// helloOf is a client's first record.
func helloOf(t *testing.T) string {
	t.Helper()
	a, b := net.Pipe()
	defer func() { _ = b.Close() }()
	go func() { _ = tls.Client(a, clientTLS()).Handshake(); _ = a.Close() }()
	buf := make([]byte, 4096)
	n, err := b.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// Clients may hang up in every part of a handshake.
func TestAnEndAtEveryByteOfAHandshakeHarmsNobody(t *testing.T) {
	f := startTLS(t, engine.Options{})
	hello := helloOf(t)
	f.secure = false
	for i := 0; i <= len(hello); i += 1 + len(hello)/40 {
		c := f.dial()
		c.write(hello[:i])
		if i%2 == 0 {
			c.reset()
		}
		_ = c.Close()
	}
	f.secure = true
	c, o := f.openWS()
	f.echoes(c, f.session(o.SID))
	until(t, "nothing is left", func() bool { return f.srv.Stats().Connections == 1 })
}

// A body that follows the client's last handshake message at once is not lost.
func TestAnUploadMayBeginWithTheHandshake(t *testing.T) {
	f := startTLS(t, engine.Options{Handler: site(nil)})
	body := strings.Repeat("upload ", 1<<20)
	c := f.dial()
	go func() {
		_, _ = fmt.Fprintf(c, "POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}()
	if got := c.read("POST").body; got != mirrored("POST", body) {
		t.Errorf("%.100q", got)
	}
}
