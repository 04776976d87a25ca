package engine_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// While the last connections end, a new one is closed without a word: a proxy would take
// an answer that comes before its request for that of the next server it asks.
func TestWhoComesAfterTheFarewellIsHungUpOn(t *testing.T) {
	f := start(t, engine.Options{})
	last, o := f.openWS() // does not answer the close frame, and holds the end up
	r := f.session(o.SID)
	ended := make(chan error, 1)
	go func() { ended <- f.srv.Shutdown(t.Context()) }()
	if reason := r.reason(t); reason != engine.ReasonServerShutdown {
		t.Fatal(reason)
	}
	late, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Close() }()
	if err := late.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(late); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v", b, err)
	}
	_ = last.rawConn.Close()
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
}

// A client posts and polls at the same time: what it posts may meet the end that its
// poll is just bringing. That is no error, which would be another end to it.
func TestAPostThatCrossesTheEndOfItsSessionIsNoError(t *testing.T) {
	f := start(t, engine.Options{})
	poll, o := f.openPolling()
	target := pollURL + "&sid=" + o.SID
	post := f.dial()
	if r := post.do("POST", target, "4hello"); r.StatusCode != 200 {
		t.Fatal(r.Status)
	}
	poll.request("GET", target, "")
	emptied := make(chan error, 1)
	go func() { emptied <- f.srv.Empty(t.Context(), 1) }()
	if r := poll.read("GET"); r.StatusCode == 400 {
		t.Fatalf("the poll: %s %q", r.Status, r.body)
	}
	if err := receive(t, emptied); err != nil {
		t.Fatal(err)
	}
	if r := f.session(o.SID).reason(t); r != engine.ReasonServerShutdown {
		t.Fatal(r)
	}
	if r := f.dial().do("POST", target, "4too late"); r.StatusCode != 200 || r.body != "ok" {
		t.Errorf("%s %q", r.Status, r.body)
	}
	if r := f.dial().do("GET", pollURL+"&sid=nobody", ""); r.StatusCode != 400 {
		t.Errorf("a poll of nobody's: %s", r.Status)
	}
}
