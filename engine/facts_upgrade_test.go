package engine_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

func TestUpgradeFacts(t *testing.T) {
	eachWayIn(t, engine.Options{}, upgradeFacts)
}

func upgradeFacts(t *testing.T, f *fixture) {
	f.fact(t, "Fact34 probe, release, upgrade, flush", fact34)
	f.fact(t, "Fact35 every GET is released while the client probes", fact35)
	f.fact(t, "Fact36 polling goes on until the upgrade", fact36)
	f.fact(t, "Fact37 a bad probe costs the probe only", fact37)
	f.fact(t, "Fact38 polling is over after the upgrade", fact38)
	f.fact(t, "Fact39 what was sent before a close during the upgrade arrives", fact39)
}

func fact34(t *testing.T, f *fixture) {
	for range 4 { // connections meet the session's loop, or have to move to it
		p := f.poller()
		p.hold()
		w := p.probe()
		p.get.expect(polled("6"))
		p.r.send("buffered")
		until(t, "it waits", func() bool { return p.r.s.PollState().Queued == 1 })
		w.sendText("5")
		if got := w.text(); got != "4buffered" {
			t.Fatalf("flushed %q", got)
		}
		f.echoes(w, p.r)
		if p.r.s.Transport() != engine.WebSocket {
			t.Fatal("the transport is still polling")
		}
		w.frame(true, gobwas.OpClose, "")
		w.closeCode()
		p.r.ended(t, engine.ReasonTransportClose)
		p.gone()
	}
	p := f.poller() // a 5 while a GET is held: it is released then
	w := p.probe()
	w.sendText("5")
	f.echoes(w, p.r)
}

// fact35: Differs from Node, on purpose: it releases polls every 100 ms.
func fact35(_ *testing.T, f *fixture) {
	p := f.poller()
	p.hold()
	p.probe()
	p.get.expect(polled("6"))
	for range 3 {
		p.get.request("GET", p.url, "")
		p.get.expect(polled("6"))
	}
}

func fact36(t *testing.T, f *fixture) {
	p := f.poller()
	w := p.probe()
	p.alive() // a POST
	p.r.send("over polling")
	until(t, "it waits", func() bool { return p.r.s.PollState().Queued == 1 })
	p.get.request("GET", p.url, "")
	p.get.expect(polled("4over polling"))
	w.sendText("5")
	f.echoes(w, p.r)
}

func fact37(t *testing.T, f *fixture) {
	for name, bad := range map[string]func(w *wsConn){
		"message":        func(w *wsConn) { w.sendText("4hello") },
		"ping alone":     func(w *wsConn) { w.sendText("2") },
		"empty":          func(w *wsConn) { w.sendText("") },
		"no packet":      func(w *wsConn) { w.sendText("?") },
		"binary":         func(w *wsConn) { w.frame(true, gobwas.OpBinary, "x") },
		"5 before probe": func(w *wsConn) { w.sendText("5") },
	} {
		p := f.poller()
		w := p.open()
		bad(w)
		if got := w.closeCode(); got != 1005 {
			t.Errorf("%s: closed with %d", name, got)
		}
		p.alive()
		again := p.probe() // another try is allowed
		again.sendText("5")
		f.echoes(again, p.r)
	}
	for name, lost := range map[string]func(w *wsConn){
		"not WebSocket": func(w *wsConn) { w.write("\x83\x80\x00\x00\x00\x00"); w.closeCode() },
		"goodbye":       func(w *wsConn) { w.frame(true, gobwas.OpClose, ""); w.closeCode() },
		"FIN":           func(w *wsConn) { _ = w.Close() },
		"RST":           func(w *wsConn) { w.reset() },
	} {
		p := f.poller()
		lost(p.probe())
		until(t, name+": the probe is forgotten", func() bool { return !p.r.s.PollState().Probe })
		p.hold() // and no GET is released at once any more
		p.r.send("polling")
		p.get.expect(polled("4polling"))
		p.alive()
	}
}

func TestAProbeThatGoesSilentTimesOut(t *testing.T) {
	f := startFacts(t, engine.Options{UpgradeTimeout: 50 * time.Millisecond}) // fact 37
	p := f.poller()
	p.open().closes(1005)
	p.alive()
	p.probe().closes(1005)
	p.alive()
}

func fact38(t *testing.T, f *fixture) {
	p := f.poller()
	w := p.probe()
	w.sendText("5")
	f.echoes(w, p.r)
	for range 2 {
		p.get.request("GET", p.url, "")
		p.get.expect(codeError(3, "Bad request"))
	}
	p.post.request("POST", p.url, "4late")
	p.post.expect(codeError(3, "Bad request", closeLine))
	f.echoes(w, p.r)
	if len(p.r.texts) > 0 {
		t.Errorf("received %q", <-p.r.texts)
	}
}

func fact39(t *testing.T, f *fixture) {
	p := f.poller() // the client has let go of polling: the WebSocket is all it reads
	w := p.probe()
	p.r.send("last words")
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	w.sendText("5")
	if got := w.text(); got != "4last words" {
		t.Errorf("sent %q", got)
	}
	w.closes(1005)
	p.gone()

	p = f.poller() // the client polls once more instead
	w = p.probe()
	p.r.send("last words")
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	p.get.request("GET", p.url, "")
	p.get.expect(polled("4last words"))
	p.get.request("GET", p.url, "")
	p.get.expect(polled("6", "1"))
	w.closes(1005)
	p.gone()

	p = f.poller() // nothing was said
	w = p.probe()
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	w.sendText("5")
	w.closes(1005)
	p.gone()

	p = f.poller() // a WebSocket that has not probed yet is of no use
	w = p.open()
	until(t, "it may probe", func() bool { return p.r.s.PollState().Probe })
	p.r.s.Close()
	w.closes(1005)
}

// Fact40 needs a heartbeat one can wait for. The pending ping is forgotten with the
// transport it went over: the session outlives its timeout, and the next ping comes.
func TestFact40TheUpgradeForgivesAPendingPing(t *testing.T) {
	f := startFacts(t, engine.Options{PingInterval: 100 * time.Millisecond, PingTimeout: 300 * time.Millisecond})
	p := f.poller()
	p.get.request("GET", p.url, "")
	p.get.expect(polled("2")) // never answered
	w := p.probe()
	w.sendText("5")
	for range 4 {
		if got := w.text(); got != "2" {
			t.Fatalf("sent %q", got)
		}
		w.sendText("3")
	}
	f.echoesAmongPings(w, p.r)
}

// echoesAmongPings is echoes for a session whose heartbeat is fast.
func (f *fixture) echoesAmongPings(c *wsConn, r *recorder) {
	f.t.Helper()
	c.sendText("4ask")
	if got := receive(f.t, r.texts); got != "ask" {
		f.t.Fatalf("received %q", got)
	}
	r.send("answer")
	for c.text() != "4answer" {
	}
}
