package engine_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// dialSmall opens a connection whose client's kernel takes little before the server
// blocks. The size has to stand before the connection does: a window that shrinks
// later makes the kernel drop acknowledgements, and with them the whole connection.
func (f *fixture) dialSmall(bytes int) *rawConn {
	f.t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		err2 := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
		})
		return errors.Join(err, err2)
	}}
	nc, err := d.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	f.t.Cleanup(func() { _ = nc.Close() })
	if f.secure {
		nc = tls.Client(nc, clientTLS())
	}
	return &rawConn{Conn: nc, t: f.t, br: bufio.NewReader(nc)}
}

// ledger keeps a reference of its own to every frame it makes, to see at the end
// that nobody else has one.
type ledger struct{ frames []*engine.Frame }

// frame makes a frame: a text, and binaries behind it.
func (l *ledger) frame(text string, binaries ...[]byte) *engine.Frame {
	f := engine.NewFrame(len(text))
	f.End(append(f.Begin(), text...))
	for _, b := range binaries {
		f.AppendBinary(b)
	}
	l.frames = append(l.frames, f)
	return f
}

func (l *ledger) volatile(text string) *engine.Frame {
	f := l.frame(text)
	f.SetVolatile()
	return f
}

// settled waits until all other references have been given back.
func (l *ledger) settled(t *testing.T, f *fixture) {
	t.Helper()
	for i, fr := range l.frames {
		until(t, fmt.Sprintf("frame %d is released (%d references)", i, fr.Refs()), func() bool { return fr.Refs() == 1 })
		fr.Release()
	}
	until(t, "nothing is queued", func() bool { return f.srv.Stats().QueuedBytes == 0 })
}

// openSlow opens a WebSocket session whose client reads when the test does, and
// fills it until more waits in the server than the kernels may still take. fill is
// how many frames it was sent.
func (f *fixture) openSlow(l *ledger) (c *wsConn, r *recorder, fill int) {
	f.t.Helper()
	c = &wsConn{f.dialSmall(64 << 10)}
	c.do("GET", wsURL, "", wsHeader)
	r = f.session(parseOpen(f.t, c.text()).SID)
	pad := strings.Repeat("f", 10_000)
	for st := f.srv.Stats(); st.QueuedBytes < 300_000 && st.SlowClosed == 0; st = f.srv.Stats() {
		for range 5 {
			r.s.Send(l.frame("fill " + pad))
			fill++
		}
		r.on(func() {})
	}
	return c, r, fill
}

// on runs fn on the session's loop, behind what was sent, and waits for it.
func (r *recorder) on(fn func()) {
	done := make(chan struct{})
	r.s.Run(func() { fn(); close(done) })
	<-done
}

// skip reads n frames that were there to fill.
func (c *wsConn) skip(n int) {
	c.t.Helper()
	for range n {
		if got := c.frameOfAnyKind().String(); !strings.HasPrefix(got, "4fill ") {
			c.t.Fatalf("%.50q instead of the filling", got)
		}
	}
}

func TestASlowClientGetsEverythingWhenItReadsAgain(t *testing.T) {
	f := start(t, engine.Options{HighWaterMark: 4 << 20, SendBuffer: 64 << 10, PingInterval: time.Hour})
	var l ledger
	c, r, fill := f.openSlow(&l)
	rnd := rand.New(rand.NewPCG(1, 2))
	var want []string
	for i := range 60 {
		size := []int{1, 2, 125, 126, 4000, 65_535, 65_536, 200_000}[i%8]
		data := strings.Repeat(string(rune('a'+i%26)), size)
		fr := l.frame(data)
		want = append(want, "4"+data)
		for range i % 4 {
			b := make([]byte, rnd.IntN(3000))
			for j := range b {
				b[j] = byte(rnd.Uint32())
			}
			fr.AppendBinary(b)
			want = append(want, "binary:"+string(b))
		}
		r.s.Send(fr)
	}
	r.on(func() {})
	if q := f.srv.Stats().QueuedBytes; q < 1_500_000 || q > 4<<20 {
		t.Errorf("%d bytes queued", q)
	}
	c.skip(fill)
	for i, w := range want {
		if got := c.frameOfAnyKind().String(); got != w {
			t.Fatalf("frame %d: %d bytes %.40q, want %d bytes %.40q", i, len(got), got, len(w), w)
		}
	}
	l.settled(t, f)
	r.send("direct again")
	if got := c.text(); got != "4direct again" {
		t.Errorf("got %.50q", got)
	}
	if st := f.srv.Stats(); st.SlowClosed != 0 {
		t.Errorf("%d slow clients closed", st.SlowClosed)
	}
}

// What is blocked, dropped and closed does not touch the others.
func TestVolatileFramesAreDroppedForSlowClientsOnly(t *testing.T) {
	f := start(t, engine.Options{Loops: 1, SendBuffer: 16 << 10})
	var l ledger
	c, r, fill := f.openSlow(&l)
	fast, o := f.openWS()
	both := &engine.Target{Sessions: []*engine.Session{r.s, f.session(o.SID).s}}
	for i := range 10 {
		f.srv.Publish(l.volatile(fmt.Sprint("volatile ", i)), both)
	}
	f.srv.Publish(l.frame("last"), both)
	for i := range 10 {
		if got, want := fast.text(), fmt.Sprint("4volatile ", i); got != want {
			t.Fatalf("the fast client got %q", got)
		}
	}
	if got := fast.text(); got != "4last" {
		t.Fatalf("the fast client got %q", got)
	}
	if n := f.srv.Stats().VolatileDrops; n != 10 {
		t.Errorf("%d volatile frames dropped", n)
	}
	c.skip(fill)
	if got := c.text(); got != "4last" {
		t.Errorf("the slow client got %.50q", got)
	}
	l.settled(t, f)
}

func TestAClientThatIsTooSlowIsClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		o    engine.Options
		push func(l *ledger, r *recorder)
	}{
		"bytes": {engine.Options{HighWaterMark: 1 << 20}, func(l *ledger, r *recorder) {
			for range 30 {
				r.s.Send(l.frame(strings.Repeat("x", 100_000)))
			}
		}},
		"packets": {engine.Options{MaxQueued: 50}, func(l *ledger, r *recorder) {
			for range 500 {
				r.s.Send(l.frame("x"))
			}
		}},
		"time": {engine.Options{MaxBlocked: 100 * time.Millisecond}, func(l *ledger, r *recorder) {
			for range 60 { // more than the kernels take, less than the mark
				r.s.Send(l.frame(strings.Repeat("x", 10_000)))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.o.SendBuffer = 16 << 10
			f := start(t, tt.o)
			var l ledger
			_, r, _ := f.openSlow(&l)
			other, o := f.openWS()
			tt.push(&l, r)
			r.ended(t, engine.ReasonTransportError)
			f.echoes(other, f.session(o.SID))
			until(t, "its connection is closed", func() bool { return f.srv.Stats().Connections == 1 })
			if n := f.srv.Stats().SlowClosed; n != 1 {
				t.Errorf("%d slow clients counted", n)
			}
			l.settled(t, f)
		})
	}
}

func TestTheQueueOfASlowClientIsBounded(t *testing.T) {
	const mark = 2 << 20
	k := startFake(t, 1, engine.Options{HighWaterMark: mark})
	c, r := k.openWS(0)
	c.narrow(t)
	var l ledger
	highest := int64(0)
	for i := range 1000 {
		r.s.Send(l.frame(strings.Repeat("x", i*7)))
		k.run()
		highest = max(highest, k.srv.Stats().QueuedBytes)
		if held := len(c.out); held > 7100 {
			t.Fatalf("gnet holds %d bytes", held)
		}
	}
	if highest > mark || highest < mark*9/10 {
		t.Errorf("%d bytes queued at most", highest)
	}
	r.ended(t, engine.ReasonTransportError)
	l.settled(t, k.fixture)
}

// Pings, pongs and the close frame keep to the boundaries of frames: pings and
// pongs before what waits, the close frame after it.
func TestControlFramesDuringABlockade(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Second, PingTimeout: 20 * time.Second, Limits: engine.Limits{PingRate: -1}})
	c, r := k.openWS(0)
	c.narrow(t)
	var l ledger
	big := strings.Repeat("b", 50_000)
	for i := range 5 {
		r.s.Send(l.frame(fmt.Sprint(i, big), []byte(big)))
	}
	k.run()
	if len(c.out) == 0 {
		t.Fatal("not blocked")
	}
	k.advance(time.Second) // an Engine.IO ping
	for i := range 200 {   // WebSocket pings: answered as far as there is room
		c.deliver(gobwas.MustCompileFrame(gobwas.MaskFrame(gobwas.NewPingFrame(fmt.Appendf(nil, "%d", i)))))
	}
	r.s.Close()
	r.s.Send(l.frame("too late"))
	k.run()
	var got []string
	for range 1000 {
		for _, f := range c.frames() {
			got = append(got, f.String()[:min(len(f.String()), 8)])
		}
		c.flush()
		k.advance(engine.TickLength)
		if len(got) > 0 && got[len(got)-1] == "close:" {
			break
		}
	}
	all := strings.Join(got, " ")
	if !strings.HasPrefix(all, "40bbbbbb binary:b 2 pong:0 pong:1 ") || !strings.HasSuffix(all, " 44bbbbbb binary:b close:") {
		t.Errorf("got %s", all)
	}
	if n := strings.Count(all, "pong:"); n < 10 || n > 200 {
		t.Errorf("%d pongs", n)
	}
	r.ended(t, engine.ReasonForcedClose)
	l.settled(t, k.fixture)
}

func TestAPollingClientThatDoesNotPollIsBounded(t *testing.T) {
	for name, o := range map[string]engine.Options{
		"bytes":   {HighWaterMark: 1 << 20},
		"packets": {MaxQueued: 100},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, o)
			p := f.poller()
			var l ledger
			p.r.s.Send(l.volatile("nobody waits"))
			for range 120 {
				p.r.s.Send(l.frame(strings.Repeat("x", 10_000)))
			}
			p.r.ended(t, engine.ReasonTransportError)
			st := f.srv.Stats()
			if st.SlowClosed != 1 || st.VolatileDrops != 1 || st.QueuedBytes > 1<<20 {
				t.Errorf("%+v", st)
			}
			p.gone()
			l.settled(t, f)
		})
	}
}

// A client that sends request after request and reads no answer is closed before
// its answers fill the memory.
func TestAClientThatReadsNoAnswersIsClosed(t *testing.T) {
	f := start(t, engine.Options{HighWaterMark: 1 << 20, SendBuffer: 16 << 10, CORS: engine.CORS{Origins: []string{"*"}}})
	other, o := f.openWS()
	for _, req := range []string{
		string(requestText("GET", pollURL, "", "")),
		string(requestText("GET", "/socket.io/?EIO=5", "", "")),
		string(requestText("OPTIONS", pollURL, "Origin: http://x\r\nAccess-Control-Request-Headers: "+strings.Repeat("x", 10_000)+"\r\n", "")),
	} {
		c := f.dialSmall(16 << 10)
		closed := f.srv.Stats().SlowClosed
		chunk := bytes.Repeat([]byte(req), 1+20_000/len(req))
		begun, sent := time.Now(), 0
		for {
			n, err := c.Write(chunk)
			sent += n
			if err != nil {
				t.Logf("%.20q: sent %d bytes in %v, then %v", req, sent, time.Since(begun), err)
				break
			}
		}
		until(t, "the client is closed and counted", func() bool {
			st := f.srv.Stats()
			return st.Connections == 1 && st.SlowClosed == closed+1
		})
		f.echoes(other, f.session(o.SID))
	}
}

// Everything that may hold a frame lets it go, however the session ends.
func TestFramesAreReleasedHoweverASessionEnds(t *testing.T) {
	for name, end := range map[string]func(k *fakes, c *fakeConn, r *recorder){
		"drained":       func(k *fakes, c *fakeConn, _ *recorder) {},
		"closed":        func(_ *fakes, _ *fakeConn, r *recorder) { r.s.Close() },
		"peer gone":     func(_ *fakes, c *fakeConn, _ *recorder) { _ = c.loop.Close(c) },
		"write failed":  func(_ *fakes, c *fakeConn, _ *recorder) { c.vanish() },
		"protocol":      func(_ *fakes, c *fakeConn, _ *recorder) { c.deliver([]byte{0xff, 0xff}) },
		"ping timeout":  func(k *fakes, _ *fakeConn, _ *recorder) { k.advance(3 * time.Second) },
		"stopped loops": func(k *fakes, _ *fakeConn, _ *recorder) {},
	} {
		for _, how := range []string{"websocket", "polling", "upgrading"} {
			if how == "polling" && name == "stopped loops" {
				continue // what waits for a poll goes with the server
			}
			t.Run(how+", "+name, func(t *testing.T) {
				k := startFake(t, 1, engine.Options{PingInterval: time.Second, PingTimeout: time.Second, CloseTimeout: time.Second})
				var c *fakeConn
				var r *recorder
				if how == "websocket" {
					c, r = k.openWS(0)
				} else {
					c, r = k.openPolling(0)
				}
				c.narrow(t)
				var l ledger
				big := strings.Repeat("b", 60_000)
				r.s.Join("all")
				for range 5 {
					r.s.Send(l.frame("4"+big, []byte(big)))
					r.s.Send(l.volatile(big))
					k.srv.Publish(l.frame(big), &engine.Target{Groups: []string{"all"}})
				}
				k.run()
				if how == "upgrading" {
					w := k.connect(0)
					w.deliver(requestText("GET", wsURL+"&sid="+r.s.ID(), wsHeader+"\r\n", ""))
					w.narrow(t)
					w.sendText("2probe")
					w.sendText("5")
					k.run()
					c = w
				}
				end(k, c, r)
				r.s.Send(l.frame("after"))
				k.srv.Publish(l.frame("after"), &engine.Target{Groups: []string{"all"}, Sessions: []*engine.Session{r.s}})
				if name == "stopped loops" {
					for _, c := range k.conns {
						_ = c.loop.Close(c)
					}
					k.stop()
					r.s.Send(l.frame("after all"))
					l.settled(t, k.fixture)
					return
				}
				for range 400 {
					if c.peer >= 0 {
						c.drain()
						c.flush()
					}
					k.advance(engine.TickLength)
				}
				if how == "polling" && !c.closed {
					c.deliver(requestText("GET", pollURL+"&sid="+r.s.ID(), "", ""))
				}
				k.advance(31 * time.Second) // farewells are forgotten
				l.settled(t, k.fixture)
			})
		}
	}
}
