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
