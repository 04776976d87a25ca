package engine_test

import (
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/gobwas/ws/wsutil"
)

// control is a healthy client: it answers pings, and whatever is done to the
// server meanwhile, its messages must get through.
type control struct {
	c   *wsConn
	r   *recorder
	mu  sync.Mutex // around writes
	got chan string
}

func (f *fixture) control() *control {
	f.t.Helper()
	c, o := f.openWS()
	_ = c.SetDeadline(time.Time{})
	k := &control{c: c, r: f.session(o.SID), got: make(chan string, 100)}
	go k.listen()
	return k
}

func (k *control) listen() {
	defer close(k.got)
	for {
		fr, err := readFrame(k.c.br)
		switch {
		case err != nil:
			return
		case fr.String() == "2":
			k.say("3")
		default:
			k.got <- fr.String()
		}
	}
}

func (k *control) say(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = wsutil.WriteClientText(k.c, []byte(s)) // a failure shows in what does not arrive
}

// answers requires one message each way.
func (k *control) answers(t testing.TB) {
	t.Helper()
	k.say("4ask")
	if got := receive(t, k.r.texts); got != "ask" {
		t.Fatalf("the control session received %q", got)
	}
	k.r.send("answer")
	if got := receive(t, k.got); got != "4answer" {
		t.Fatalf("the control session was sent %q", got)
	}
}

// startAbused runs a server with a control session.
func startAbused(t testing.TB, o engine.Options) (*fixture, *control) {
	t.Helper()
	f := startFacts(t, o)
	return f, f.control()
}
