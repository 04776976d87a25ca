package engine_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// A target whose path is not the engine's as it stands, but is once decoded and
// written again, must not travel between loop and net/http for ever.
func TestARequestDoesNotGoToAndFro(t *testing.T) {
	f := start(t, engine.Options{Loops: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "page "+r.RequestURI)
	})})
	for _, target := range []string{"http://h/socket%2eio/{", "http://h/socket.io%2f{", "http://h?/socket.io/", "/socket%2eio/"} {
		c := f.dial()
		c.write("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if r := c.read("GET"); r.body != "page "+target {
			t.Errorf("%s: %s %q", target, r.Status, r.body)
		}
	}
	if n := f.srv.Stats().Accepted; n > 10 {
		t.Errorf("%d arrivals at the loop", n)
	}
}

// A request that comes to another loop than its session's counts once, where it is served.
func TestARequestThatMovesCountsOnce(t *testing.T) {
	const sessions = 32 // the kernel will hardly give all of their connections to one loop
	f := start(t, engine.Options{Loops: 2})
	for range sessions {
		_, o := f.openPolling()
		f.dial().do("POST", pollURL+"&sid="+o.SID, "4a")
	}
	if st := f.srv.Stats(); st.Requests != 2*sessions || st.Accepted == 2*sessions {
		t.Errorf("%d requests in place of %d, over %d arrivals of connections", st.Requests, 2*sessions, st.Accepted)
	}
}

// Pipelined requests behind a held poll are served after its answer, in order.
func TestWhatWaitsBehindAPollIsServedAfterIt(t *testing.T) {
	f := start(t, engine.Options{})
	c, o := f.openPolling()
	url := pollURL + "&sid=" + o.SID
	c.write("GET " + url + " HTTP/1.1\r\nHost: h\r\n\r\nPOST " + url + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n4aGET " + url + " HTTP/1.1\r\nHost: h\r\n\r\n")
	r := f.session(o.SID)
	r.send("first")
	if got := c.read("GET").body; got != "4first" {
		t.Fatalf("%q", got)
	}
	if got := c.read("POST").body; got != "ok" {
		t.Fatalf("%q", got)
	}
	if got := receive(t, r.texts); got != "a" {
		t.Fatalf("%q", got)
	}
	r.send("second")
	if got := c.read("GET").body; got != "4second" {
		t.Fatalf("%q", got)
	}
}
