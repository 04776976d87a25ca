package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// received is what the peer gets until nothing comes any more.
func (k *fakes) received(c *fakeConn) (all []string) {
	for range 50 {
		all = append(all, c.texts()...)
		c.flush()
		k.advance(engine.TickLength)
	}
	return append(all, c.texts()...)
}

// Whatever ends a session whose client listens: what was sent before goes out
// before the close frame, and nothing after it.
func TestWhatIsHeldLeavesBeforeTheCloseFrame(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(k *fakes, c *fakeConn, r *recorder)
		last string
	}{
		"closed by the server": {func(_ *fakes, _ *fakeConn, r *recorder) { r.s.Close() }, "close:"},
		"not WebSocket":        {func(_ *fakes, c *fakeConn, _ *recorder) { c.deliver([]byte{0xff, 0xff}) }, "close:\x03\xea"},
		"not Engine.IO":        {func(_ *fakes, c *fakeConn, _ *recorder) { c.sendText("9") }, "close:"},
		"ping timeout":         {func(k *fakes, _ *fakeConn, _ *recorder) { k.srv.Ticking(1) }, "close:"},
		"a panic above":        {func(_ *fakes, _ *fakeConn, r *recorder) { r.s.Run(func() { panic("on purpose") }) }, "close:"},
	} {
		for _, state := range []string{"in the queue", "held", "blocked", "blocked, gnet has nothing left"} {
			if state == "in the queue" && (strings.HasPrefix(name, "not ") || name == "ping timeout") {
				continue // these do not go through the queue, and may come before what waits in it
			}
			t.Run(name+", "+state, func(t *testing.T) {
				k := startFake(t, 1, engine.Options{TurnWrites: 2, PingInterval: time.Second, PingTimeout: 2 * time.Second, CloseTimeout: time.Minute})
				c, r := k.openWS(0)
				if name == "ping timeout" {
					k.untilText(c, "2")
					k.advance(2*time.Second - engine.TickLength)
				}
				var want []string
				pad := ""
				if strings.HasPrefix(state, "blocked") {
					c.narrow(t)
					pad = strings.Repeat("p", 3000)
				}
				var crowd []*recorder
				if state == "held" { // others are written to first
					for range 10 {
						_, o := k.openWS(0)
						crowd = append(crowd, o)
					}
					k.run()
					for _, o := range crowd {
						k.send(o, "other")
					}
				}
				for i := range 20 {
					s := fmt.Sprint(i, pad)
					k.send(r, s)
					want = append(want, "4"+s)
				}
				switch state {
				case "held":
					k.loops[0].runOne()
				case "blocked":
					k.run()
				case "blocked, gnet has nothing left":
					k.run()
					for len(c.out) > 0 { // the kernel's buffer drains, and the tick has not come yet
						c.drain()
						c.flush()
					}
					if k.srv.Stats().QueuedBytes == 0 {
						t.Fatal("nothing waits")
					}
				}
				end.do(k, c, r)
				k.send(r, "too late")
				got := k.received(c)
				want = append(want, end.last)
				if !slices.Equal(got, want) {
					t.Errorf("got %s\nwant %s", brief(got), brief(want))
				}
				if len(r.closed) != 1 {
					t.Errorf("told of the end %d times", len(r.closed))
				}
			})
		}
	}
}

// A peer that vanishes while frames are held for it leaves nothing behind.
func TestAPeerThatVanishesWhileFramesAreHeldForIt(t *testing.T) {
	for name, vanish := range map[string]func(c *fakeConn){
		"gnet notices": func(c *fakeConn) { _ = c.loop.Close(c) },
		"a write does": func(c *fakeConn) { c.vanish() },
		"it says so":   func(c *fakeConn) { c.deliver([]byte{0x88, 0x80, 0, 0, 0, 0}) },
	} {
		t.Run(name, func(t *testing.T) {
			k := startFake(t, 1, engine.Options{TurnWrites: 2})
			c, r := k.openWS(0)
			var l ledger
			r.s.Join("all")
			var others []*recorder
			for range 10 {
				_, o := k.openWS(0)
				others = append(others, o)
			}
			k.run()
			for _, o := range others {
				o.s.Send(l.frame("other"))
			}
			for i := range 10 {
				r.s.Send(l.frame(fmt.Sprint(i)))
				k.srv.Publish(l.frame(fmt.Sprint("all ", i)), &engine.Target{Groups: []string{"all"}})
			}
			k.loops[0].runOne()
			if held, corks := k.srv.HeldNow(); held == 0 || corks == 0 {
				t.Fatal("nothing is held")
			}
			vanish(c)
			r.s.Send(l.frame("after"))
			k.run()
			if len(r.closed) != 1 {
				t.Errorf("told of the end %d times", len(r.closed))
			}
			if held, corks := k.srv.HeldNow(); held != 0 || corks != 0 {
				t.Errorf("%d held, %d corks", held, corks)
			}
			l.settled(t, k.fixture)
		})
	}
}
