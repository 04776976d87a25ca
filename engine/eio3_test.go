package engine_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// openWS3 opens a session of Engine.IO 3 over WebSocket on a loop.
func (k *fakes) openWS3(loop int) (*fakeConn, *recorder) {
	k.t.Helper()
	c := k.connect(loop)
	c.deliver(requestText("GET", wsURL3, wsHeader+"\r\n", ""))
	return c, k.session(parseOpen(k.t, c.handshake(k.t)).SID)
}

// openPolling3 opens one over polling.
func (k *fakes) openPolling3(loop int) (*fakeConn, *recorder) {
	k.t.Helper()
	c := k.connect(loop)
	c.deliver(requestText("GET", pollURL3, "", ""))
	_, open, _ := strings.Cut(c.response(k.t), ":")
	return c, k.session(parseOpen(k.t, open).SID)
}

// whole is how long a client of Engine.IO 3 may be silent.
const whole = beat + grace

func TestEIO3ClientsThatDoNotPingAreGivenUp(t *testing.T) {
	k := heartbeats(t, engine.Options{AllowEIO3: true})
	c, r := k.openWS3(0)
	_, p := k.openPolling3(0)
	k.advance(whole - 2*engine.TickLength)
	c.sendText("4messages are no pings")
	receive(t, r.texts)
	if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited > 3*engine.TickLength {
		t.Errorf("given up %v late", waited)
	}
	if got := strings.Join(c.texts(), " "); got != "close:" { // and nobody was pinged
		t.Errorf("got %q", got)
	}
	p.ended(t, engine.ReasonPingTimeout)
}

func TestEIO3PingsKeepASessionAlive(t *testing.T) {
	k := heartbeats(t, engine.Options{AllowEIO3: true})
	c, r := k.openWS3(0)
	for range 5 {
		k.advance(whole - 2*engine.TickLength)
		c.sendText("2")
		if got := strings.Join(c.texts(), " "); got != "3" {
			t.Fatalf("got %q", got)
		}
	}
	if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited < whole || waited > whole+engine.TickLength {
		t.Errorf("given up after %v", waited)
	}
}

// Node forgets the timeout at the upgrade, and a client that vanishes after it is never noticed.
func TestEIO3TheUpgradeGoesOnWatching(t *testing.T) {
	k := heartbeats(t, engine.Options{AllowEIO3: true})
	_, r := k.openPolling3(0)
	k.advance(beat)
	w := k.connect(0)
	w.deliver(requestText("GET", wsURL3+"&sid="+r.s.ID(), wsHeader+"\r\n", ""))
	w.sendText("2probe")
	if got := w.handshake(t); got != "3probe" {
		t.Fatalf("got %q", got)
	}
	w.sendText("5")
	if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited < whole || waited > whole+engine.TickLength {
		t.Errorf("given up %v after the upgrade", waited)
	}
}

// The pings of one read have one answer: a flood of them is not a flood of writes.
func TestEIO3PingsOfOneReadHaveOneAnswer(t *testing.T) {
	k := heartbeats(t, engine.Options{AllowEIO3: true})
	c, _ := k.openWS3(0)
	ping := string(gobwas.MustCompileFrame(gobwas.MaskFrame(gobwas.NewTextFrame([]byte("2")))))
	c.deliver([]byte(strings.Repeat(ping, 1000)))
	if got := strings.Join(c.texts(), " "); got != "3" {
		t.Errorf("got %.40q", got)
	}
}

// parcelOf makes a frame with an attachment.
func parcelOf(s string) *engine.Frame {
	f := text(s)
	f.AppendBinary([]byte(s))
	return f
}

// audience3 has n sessions of each protocol over WebSocket, with Receivers that keep nothing.
func audience3(t testing.TB, n int) (k *fakes, conns []*fakeConn) {
	t.Helper()
	k = startFake(t, 1, engine.Options{
		AllowEIO3: true,
		Accept: func(s *engine.Session) engine.Receiver {
			s.Established()
			s.Join("all")
			return deaf{}
		},
	})
	for i := range 3 * n {
		c := k.connect(0)
		c.deliver(requestText("GET", []string{wsURL, wsURL3, wsURL3 + "&b64=1"}[i%3], wsHeader+"\r\n", ""))
		conns = append(conns, c)
	}
	k.run()
	for _, c := range conns {
		c.discard()
	}
	return k, conns
}

func TestEIO3BroadcastsAllocateNothingPerDelivery(t *testing.T) {
	k, conns := audience3(t, 100)
	to := &engine.Target{Groups: []string{"all"}}
	for name, f := range map[string]*engine.Frame{"text": text("0123456789abcdef"), "binary": parcelOf("0123456789abcdef")} {
		if n := testing.AllocsPerRun(100, func() {
			k.srv.Publish(f, to)
			k.run()
			for _, c := range conns {
				c.discard()
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations per publish", name, n)
		}
		f.Release()
	}
	if n := testing.AllocsPerRun(100, func() { // what is made of a new frame is made once
		f := parcelOf("0123456789abcdef")
		k.srv.Publish(f, to)
		f.Release()
		k.run()
		for _, c := range conns {
			c.discard()
		}
	}); n > 8 {
		t.Errorf("%v allocations per new frame, for %d members", n, len(conns))
	}
}

// Frames that wait together leave in one write, for clients of each protocol in its form.
func TestEIO3BroadcastsOfEachFormAreJoined(t *testing.T) {
	k := startFake(t, 1, engine.Options{AllowEIO3: true})
	four, r4 := k.openWS(0)
	three, r3 := k.openWS3(0)
	r4.s.Join("all")
	r3.s.Join("all")
	before := k.srv.Stats().Writes
	for i := range 3 {
		f := parcelOf(fmt.Sprint(i))
		k.srv.Publish(f, &engine.Target{Groups: []string{"all"}})
		f.Release()
		r3.send("own")
	}
	k.run()
	if got := strings.Join(four.texts(), " "); got != "40 binary:0 41 binary:1 42 binary:2" {
		t.Errorf("4: %q", got)
	}
	if got := strings.Join(three.texts(), " "); got != "40 binary:\x040 4own 41 binary:\x041 4own 42 binary:\x042 4own" {
		t.Errorf("3: %q", got)
	}
	if n := k.srv.Stats().Writes - before; n != 2 {
		t.Errorf("%d writes", n)
	}
}

// A client of Engine.IO 3 that takes nothing gets what waited in its form, cut wherever the kernel cut it.
func TestEIO3SlowClients(t *testing.T) {
	k := startFake(t, 1, engine.Options{AllowEIO3: true})
	c, r := k.openWS3(0)
	c.narrow(t)
	const frames, size = 40, 5000
	for i := range frames {
		f := parcelOf(strings.Repeat(string(rune('a'+i%26)), size))
		r.s.Send(f)
		f.Release()
		k.run()
	}
	var got []frame
	for range 10_000 {
		got = append(got, c.frames()...)
		if len(got) == 2*frames {
			break
		}
		c.flush()
		k.advance(engine.TickLength)
	}
	if len(got) != 2*frames {
		t.Fatalf("%d frames", len(got))
	}
	for i, f := range got {
		data := strings.Repeat(string(rune('a'+i/2%26)), size)
		if want := [2]string{"4" + data, "\x04" + data}[i%2]; string(f.payload) != want {
			t.Fatalf("frame %d: %.20q (%d bytes)", i, f.payload, len(f.payload))
		}
	}
}

// Each form of Engine.IO 3 may be compressed; texts are compressed once for clients of both protocols.
func TestEIO3FramesAreCompressed(t *testing.T) {
	k := startFake(t, 1, engine.Options{AllowEIO3: true, PerMessageDeflate: &engine.PerMessageDeflate{Threshold: 100}})
	var noise []byte
	for r := rand.New(rand.NewPCG(1, 2)); len(noise) < 1000; {
		noise = append(noise, byte(r.Uint32()))
	}
	long := strings.Repeat("€x", 200)
	frame := func() *engine.Frame { // text, binary that is worth it, binary that is not
		f := text(long)
		f.AppendBinary([]byte(long))
		f.AppendBinary(noise)
		return f
	}
	want := map[string]string{
		wsURL:             "4" + long + " binary:" + long + " binary:" + string(noise),
		wsURL3:            "4" + long + " binary:\x04" + long + " binary:\x04" + string(noise),
		wsURL3 + "&b64=1": "4" + long + " b4" + base64.StdEncoding.EncodeToString([]byte(long)) + " b4" + base64.StdEncoding.EncodeToString(noise),
	}
	var all []*fakeConn
	for range 2 {
		for _, url := range []string{wsURL, wsURL3, wsURL3 + "&b64=1"} {
			c := k.connect(0)
			c.deliver(requestText("GET", url, wsHeader+"\r\n"+offersDeflate+"\r\n", ""))
			k.session(parseOpen(t, c.handshake(t)).SID).s.Join("all")
			all = append(all, c)
		}
	}
	k.run()
	for _, f := range []*engine.Frame{text(long), frame()} {
		before := k.srv.Stats().Deflated
		k.srv.Publish(f, everything)
		k.run()
		made := k.srv.Stats().Deflated - before
		if attached := len(f.Frames()) > 1; made != 1 && !attached || attached && made > 3*3 {
			t.Errorf("%d compressions for %d clients", made, len(all))
		}
		for i, c := range all {
			url := []string{wsURL, wsURL3, wsURL3 + "&b64=1"}[i%3]
			texts, packed := c.packed()
			got, wanted := strings.Join(texts, " "), want[url]
			if len(f.Frames()) == 1 {
				wanted = "4" + long
			}
			if got != wanted || !packed[0] {
				t.Errorf("%s: got %.60q, compressed %v", url, got, packed)
			}
		}
		f.Release()
	}
	f := text("short") // nothing of it is worth it: it is as if it had not been tried
	f.AppendBinary(noise)
	k.srv.Publish(f, everything)
	f.Release()
	k.run()
	if texts, packed := all[1].packed(); strings.Join(texts, " ") != "4short binary:\x04"+string(noise) || packed[0] || packed[1] {
		t.Errorf("got %.60q, compressed %v", texts, packed)
	}
}

func TestEIO3SessionsThatArePolledGetOnePongForAllPings(t *testing.T) {
	f := start(t, engine.Options{AllowEIO3: true, PingInterval: time.Minute})
	p := f.poller3("")
	p.posts("1:21:21:2")
	p.posts("1:2")
	p.polls(polled3("3"))
	p.r.send("then")
	p.polls(polled3("4then"))
}
