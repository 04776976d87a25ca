package engine_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// way is how requests reach the engine.
type way struct {
	name    string
	mounted bool
	secure  bool
	hooked  bool // through a middleware and all other hooks, which change nothing
}

var (
	ownPort    = way{name: "own port"}
	mounted    = way{name: "mounted", mounted: true}
	mountedTLS = way{name: "mounted over TLS", mounted: true, secure: true}
	hooked     = way{name: "through hooks", hooked: true}
)

// eachWayIn runs facts against a server on a port of its own, against one that is mounted
// in net/http, and against one whose every request is parked for the application's word.
func eachWayIn(t *testing.T, o engine.Options, facts func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, w := range []way{ownPort, mounted, mountedTLS, hooked} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			facts(t, startFacts(t, o, w.in))
		})
	}
}

// in is a fixture's tune.
func (w way) in(f *fixture) { f.way = w }

// mount serves the engine with an http.Server of the test's.
func (f *fixture) mount(h http.Handler) {
	f.t.Helper()
	hs := httptest.NewUnstartedServer(h)
	hs.Config.ErrorLog = log.New(io.Discard, "", 0)
	if f.way.secure {
		hs.StartTLS()
		f.tls = hs.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		f.tls.NextProtos, f.tls.ServerName = nil, "example.com" // as httptest's certificate says
	} else {
		hs.Start()
	}
	f.addr = hs.Listener.Addr().String()
	f.t.Cleanup(hs.Close) // what is hijacked is not its any more
}

// reach connects to the server in the fixture's way.
func (f *fixture) reach() net.Conn {
	f.t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	if f.tls != nil {
		nc = tls.Client(nc, f.tls)
	}
	return nc
}

// expectHead requires the head of an answer, and returns its body.
func (c *rawConn) expectHead(head string) []byte {
	c.t.Helper()
	if c.in {
		return c.answeredHead(head)
	}
	want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head)), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.exactly(head)
	body := make([]byte, want.ContentLength)
	if _, err := io.ReadFull(c.br, body); err != nil {
		c.t.Fatal(err)
	}
	return body
}

// answered requires the answer want, in the words of net/http: field names and their
// order are its own, and so is the date.
func (c *rawConn) answered(want string) {
	c.t.Helper()
	head, body, _ := strings.Cut(want, "\r\n\r\n")
	if strings.HasPrefix(head, "HTTP/1.1 101 ") { // the engine's own bytes
		c.exactly(want)
	} else if got := c.answeredHead(head + "\r\n\r\n"); string(got) != body {
		c.t.Fatalf("got %.200q, want %.200q", got, body)
	}
}

func (c *rawConn) answeredHead(head string) (body []byte) {
	c.t.Helper()
	want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head)), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	got, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatalf("%v instead of %q", err, head)
	}
	got.Header.Del("Date")
	if got.StatusCode != want.StatusCode || got.ContentLength != want.ContentLength ||
		got.Close != want.Close || !sameFields(got.Header, want.Header) {
		c.t.Fatalf("got %d %v, want %.300q", got.StatusCode, got.Header, head)
	}
	if body, err = io.ReadAll(got.Body); err != nil {
		c.t.Fatal(err)
	}
	return body
}

func sameFields(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if strings.Join(a[name], ",") != strings.Join(b[name], ",") {
			return false
		}
	}
	return true
}
