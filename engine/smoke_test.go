package engine_test

import (
	"fmt"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

func TestMessagesTravelBothWaysOverWebSocket(t *testing.T) {
	f := start(t, engine.Options{})
	c, o := f.openWS()
	c.sendText("4hello")
	r := f.session(o.SID)
	if got := receive(t, r.texts); got != "hello" {
		t.Fatalf("received %q", got)
	}
	r.send("world")
	if got := c.text(); got != "4world" {
		t.Fatalf("sent %q", got)
	}
}

func TestMessagesTravelBothWaysOverPolling(t *testing.T) {
	f := start(t, engine.Options{})
	c, o := f.openPolling()
	url := pollURL + "&sid=" + o.SID
	if r := c.do("POST", url, "4a"+sep+"4b"); r.body != "ok" {
		t.Fatalf("POST: %s %q", r.Status, r.body)
	}
	r := f.session(o.SID)
	if a, b := receive(t, r.texts), receive(t, r.texts); a+b != "ab" {
		t.Fatalf("received %q %q", a, b)
	}
	c.request("GET", url, "")
	r.send("x")
	if got := c.read("GET").body; got != "4x" {
		t.Fatalf("poll: %q", got)
	}
}

func TestUpgradeKeepsTheSessionAndItsOrder(t *testing.T) {
	f := start(t, engine.Options{Loops: 2})
	for i := range 8 { // both loops meet connections of both kinds
		poll, o := f.openPolling()
		url := "&sid=" + o.SID
		poll.request("GET", pollURL+url, "")
		w := f.upgradeWS(wsURL + url)
		w.sendText("2probe")
		if got := w.text(); got != "3probe" {
			t.Fatalf("probe: %q", got)
		}
		if got := poll.read("GET").body; got != "6" {
			t.Fatalf("held poll: %q", got)
		}
		r := f.session(o.SID)
		r.send("before")
		w.sendText("5")
		w.sendText("4over websocket")
		receive(t, r.texts)
		r.send("after")
		if a, b := w.text(), w.text(); a+b != "4before4after" {
			t.Fatalf("round %d: %q %q", i, a, b)
		}
		if got := poll.do("GET", pollURL+url, "").body; got != `{"code":3,"message":"Bad request"}` {
			t.Fatalf("poll after the upgrade: %q", got)
		}
	}
}

func TestPublishReachesEveryMemberOnce(t *testing.T) {
	f := start(t, engine.Options{Loops: 2})
	const n = 300
	var conns []*wsConn
	var sessions []*engine.Session
	for range n {
		c, o := f.openWS()
		s := f.session(o.SID).s
		s.Join("all")
		if len(conns)%2 == 0 {
			s.Join("even")
		}
		conns, sessions = append(conns, c), append(sessions, s)
	}
	for k := range 3 {
		fr := text(fmt.Sprint(k))
		f.srv.Publish(fr, &engine.Target{Groups: []string{"all", "even"}, ExceptSessions: sessions[:1]})
		fr.Release()
	}
	last := text("last")
	f.srv.Publish(last, &engine.Target{Sessions: sessions})
	last.Release()
	for i, c := range conns {
		want := []string{"40", "41", "42", "4last"}
		if i == 0 {
			want = want[3:]
		}
		for _, w := range want {
			if got := c.text(); got != w {
				t.Fatalf("member %d got %q, want %q", i, got, w)
			}
		}
	}
}
