package engine_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

func TestGarbageInsteadOfAHandshake(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{})
	rng := rand.New(rand.NewPCG(3, 4))
	garbage := []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-OpenSSH_9.9\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\r\n\r\n\r\n", "\x00\x00\x00\x00", "0{}", "40", "\x81\x82\x00\x00\x00\x004x", "GET\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
	}
	for range 100 {
		b := make([]byte, 1+rng.IntN(3000))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		garbage = append(garbage, string(b))
	}
	for _, g := range garbage {
		c := f.dial()
		c.write(g)
		_ = c.tcp().CloseWrite() // it may be the beginning of something
		if b, err := io.ReadAll(c.br); len(b) > 0 && (string(b[:9]) != "HTTP/1.1 " || b[9] < '4') || isTimeout(err) {
			t.Errorf("%.20q was answered with %q (%v)", g, b, err)
		}
	}
	healthy.answers(t)
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

func TestGarbageAfterAHandshakeEndsOneSession(t *testing.T) { // CVE-2022-21676
	f, healthy := startAbused(t, engine.Options{MaxHTTPBufferSize: 10_000})
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 200 {
		c, o := f.openWS()
		r := f.session(o.SID)
		b := make([]byte, 1+rng.IntN(200))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		if i%2 == 0 { // a good frame header before it
			b = append([]byte("\x81\xfe\x00\xc8\x00\x00\x00\x004"), b...)
		}
		_, _ = c.Write(b)
		_ = c.tcp().CloseWrite()
		r.reason(t)
		if _, err := io.ReadAll(c.br); isTimeout(err) {
			t.Fatalf("%q: the connection stays open", b)
		}
	}
	// and while a WebSocket probes: the polling session lives on
	p := f.poller()
	for range 50 {
		w := p.open()
		b := make([]byte, 1+rng.IntN(200))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		_, _ = w.Write(b)
		_ = w.tcp().CloseWrite()
		_, _ = io.ReadAll(w.br)
		until(t, "the probe is gone", func() bool { return !p.r.s.PollState().Probe })
	}
	p.alive()
	healthy.answers(t)
}

func TestPingFloodsAreCoalesced(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{Limits: engine.Limits{PingRate: -1}})
	c, o := f.openWS()
	const pings = 100_000
	go func() {
		var b []byte
		for i := range pings {
			b = append(b[:0], "\x89\x86\x00\x00\x00\x00"...)
			b = fmt.Appendf(b, "%06d", i)
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}()
	pongs, last := 0, fmt.Sprintf("pong:%06d", pings-1)
	for got := ""; got != last; pongs++ {
		got = c.nextFrame().String()
		if !strings.HasPrefix(got, "pong:") {
			t.Fatalf("sent %q", got)
		}
	}
	t.Logf("%d pings, %d pongs", pings, pongs)
	if pongs > pings {
		t.Errorf("%d pongs for %d pings", pongs, pings)
	}
	f.echoes(c, f.session(o.SID))

	silent, _ := f.openWS() // never reads a pong
	flood := strings.Repeat("\x89\xfd\x00\x00\x00\x00"+strings.Repeat("p", 125), 1000)
	for range 100 {
		silent.write(flood)
	}
	if q := f.srv.Stats().QueuedBytes; q != 0 {
		t.Errorf("%d bytes are queued", q)
	}
	healthy.answers(t)
}

func TestFragmentFloodsAreCutAtTheCap(t *testing.T) { // CVE-2026-48779
	f, healthy := startAbused(t, engine.Options{})
	for name, fragment := range map[string]string{"bytes": "\x00\x81\x00\x00\x00\x00x", "nothing": "\x00\x80\x00\x00\x00\x00"} {
		c, o := f.openWS()
		c.write("\x01\x82\x00\x00\x00\x004x")
		go func() { _, _ = c.Write([]byte(strings.Repeat(fragment, 131_000))) }()
		if got := c.closeCode(); got != 1008 {
			t.Errorf("%s: closed with %d", name, got)
		}
		f.session(o.SID).ended(t, engine.ReasonTransportError)
	}
	healthy.answers(t)
}

func TestAPeerThatKeepsSendingAfterItsEndIsCutOff(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{CloseTimeout: 100 * time.Millisecond})
	ws, _ := f.openWS()
	ws.write("\x83\x80\x00\x00\x00\x00") // reserved opcode
	refused := f.dial()
	refused.write("what is this?\r\n")
	for name, c := range map[string]*rawConn{"WebSocket": ws.rawConn, "HTTP": refused} {
		tick := time.NewTicker(time.Millisecond)
		for deadline := time.Now().Add(patience); ; <-tick.C {
			if _, err := c.Write([]byte("more")); err != nil {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: it may send for ever", name)
				break
			}
		}
		tick.Stop()
	}
	healthy.answers(t)
}

func TestAHalfClosedConnectionIsClosed(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{})
	ws, o := f.openWS()
	_ = ws.tcp().CloseWrite()
	f.session(o.SID).ended(t, engine.ReasonTransportClose)
	ws.eof()
	p := f.poller()
	p.hold()
	_ = p.get.tcp().CloseWrite()
	p.r.ended(t, engine.ReasonTransportError)
	p.get.eof()
	healthy.answers(t)
}

func TestHalfOpenPeersAreFoundOut(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{PingInterval: 100 * time.Millisecond, PingTimeout: 100 * time.Millisecond})
	var dead []*recorder
	for i := range 60 {
		switch i % 3 {
		case 0:
			_, o := f.openWS()
			dead = append(dead, f.session(o.SID))
		case 1:
			p := f.poller()
			p.get.request("GET", p.url, "")
			dead = append(dead, p.r)
		case 2:
			dead = append(dead, f.poller().r)
		}
	}
	for _, r := range dead {
		r.ended(t, engine.ReasonPingTimeout)
	}
	healthy.answers(t)
	until(t, "only the control session is left", func() bool { return f.srv.Leftovers().Table == 1 })
}

func TestMessagesOfEverySizeUpToTheLimit(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{MaxHTTPBufferSize: 200_000})
	c, o := f.openWS()
	r := f.session(o.SID)
	for _, n := range []int{1, 124, 125, 126, 65_534, 65_535, 65_536, 199_999} {
		msg := strings.Repeat("m", n)
		c.frame(true, gobwas.OpText, "4"+msg)
		if got := receive(t, r.texts); got != msg {
			t.Errorf("%d bytes sent, %d received", n, len(got))
		}
	}
	c.frame(true, gobwas.OpText, "4"+strings.Repeat("m", 200_000))
	c.closes(1009)
	r.ended(t, engine.ReasonTransportError)
	healthy.answers(t)
}
