package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// openAs opens a session whose request says who it is, padded to a length.
func (k *fakes) openAs(name string, pad int) *recorder {
	k.t.Helper()
	c := k.connect(0)
	c.deliver(requestText("GET", wsURL+"&who="+name, wsHeader+"\r\nX-Pad: "+strings.Repeat("x", pad)+"\r\n", ""))
	return k.session(parseOpen(k.t, c.handshake(k.t)).SID)
}

func TestARequestIsWhatTheClientSent(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	for _, pad := range []int{0, 30, 255, 256, 1000, 5000} { // kept heads have sizes in steps
		r := k.openAs(fmt.Sprint("client", pad), pad)
		q, err := r.s.Request().HTTP()
		if err != nil {
			t.Fatal(err)
		}
		if got := len(q.Header.Get("X-Pad")); got != pad || q.URL.Query().Get("who") != fmt.Sprint("client", pad) {
			t.Errorf("%s with %d bytes of padding, sent were %d", q.URL, got, pad)
		}
		if got := r.s.RemoteAddr().String(); got != "127.0.0.1:2" {
			t.Errorf("RemoteAddr is %s", got)
		}
		r.s.ReleaseRequest()
		if r.s.Request() != nil || r.s.RemoteAddr() != nil {
			t.Error("the request is still there")
		}
	}
}

// The bytes of a released request are the next session's: nobody may see those.
func TestAReleasedRequestShowsNobodyElses(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	alice := k.openAs("alice", 0)
	held := alice.s.Request()
	alice.s.ReleaseRequest()
	bob := k.openAs("bob", 0)
	if q, err := held.HTTP(); !errors.Is(err, engine.ErrRequestReleased) {
		t.Errorf("the released request says %+v, %v", q, err)
	}
	if got := held.Query(); len(got) > 0 {
		t.Errorf("the released request has the query %v", got)
	}
	if got := bob.s.Request().Query().Get("who"); got != "bob" {
		t.Errorf("bob's request is %q's", got)
	}
}

func TestARequestMayBeReadWhileItIsReleased(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	for i := range 100 {
		name := fmt.Sprint("client", i)
		r := k.openAs(name, 0)
		held := r.s.Request()
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				if who := held.Query().Get("who"); who != "" && who != name {
					t.Errorf("read %q of %q", who, name)
				}
			})
		}
		r.s.ReleaseRequest()
		readers.Wait()
	}
}
