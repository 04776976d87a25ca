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
