package engine_test

import (
	"fmt"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// gnet's own task queue loses the order above 1,024 entries.
func TestTenThousandSendsArriveInOrder(t *testing.T) {
	const n = 10_000
	f := start(t, engine.Options{Loops: 2})
	for _, w := range []string{"Send", "Publish", "both"} {
		t.Run(w, func(t *testing.T) {
			c, o := f.openWS()
			r := f.session(o.SID)
			group := "g" + o.SID
			r.s.Join(group)
			go func() {
				for i := range n {
					m := text(fmt.Sprint(i))
					if w == "Send" || w == "both" && i%2 == 0 {
						r.s.Send(m)
					} else {
						f.srv.Publish(m, &engine.Target{Groups: []string{group}})
					}
					m.Release()
				}
			}()
			for i := range n {
				if got, want := c.text(), fmt.Sprintf("4%d", i); got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// count is how many connections have got something that was not looked at yet.
func count(conns []*fakeConn) (n int) {
	for _, c := range conns {
		n += len(c.frames())
	}
	return n
}

func TestABroadcastLetsOthersIn(t *testing.T) {
	const members = 8*engine.TurnWrites + 5
	for _, how := range []string{"group", "two groups", "sessions", "sessions and group", "one by one"} {
		t.Run(how, func(t *testing.T) {
			k := startFake(t, 1, engine.Options{})
			l := k.loops[0]
			var conns []*fakeConn
			var sessions []*engine.Session
			for i := range members {
				c, r := k.openWS(0)
				r.s.Join("all")
				if i%2 == 0 {
					r.s.Join("even")
				}
				conns, sessions = append(conns, c), append(sessions, r.s)
			}
			other, or := k.openWS(0)
			k.run()
			to := map[string]*engine.Target{
				"group":              {Groups: []string{"all"}},
				"two groups":         {Groups: []string{"even", "all"}},
				"sessions":           {Sessions: sessions},
				"sessions and group": {Groups: []string{"all"}, Sessions: sessions[:members/2]},
			}[how]
			f := text("x")
			if to != nil {
				k.srv.Publish(f, to)
			} else {
				for _, s := range sessions {
					s.Send(f)
				}
			}
			f.Release()
			got := 0
			for turn := 0; got < members; turn++ {
				if !l.runOne() {
					t.Fatalf("%d of %d served, and nobody goes on", got, members)
				}
				n := count(conns)
				if n > engine.TurnWrites {
					t.Fatalf("%d writes before others were let in", n)
				}
				got += n
				other.sendText("4ask")
				select {
				case <-or.texts:
				default:
					t.Fatalf("turn %d: a bystander was not read", turn)
				}
				if n := count(conns); n > 0 {
					t.Fatalf("%d writes in a bystander's callback", n)
				}
			}
			if got != members {
				t.Errorf("%d deliveries for %d members", got, members)
			}
			k.run()
			if n := count(conns); n != 0 {
				t.Errorf("%d deliveries too many", n)
			}
		})
	}
}

// A publish to a few members costs a turn's budget no more than they do.
func TestSmallPublishesShareATurn(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	c, r := k.openWS(0)
	r.s.Join("one")
	k.run()
	const n = engine.TurnWrites / 4
	for range n {
		f := text("x")
		k.srv.Publish(f, &engine.Target{Groups: []string{"one"}})
		f.Release()
	}
	k.loops[0].runOne()
	if got := len(c.frames()); got != n {
		t.Errorf("%d of %d small publishes in a turn", got, n)
	}
	k.run()
}

// To end a session takes a write, as long as any.
func TestManyClosesLetOthersIn(t *testing.T) {
	const sessions = 100
	k := startFake(t, 1, engine.Options{TurnWrites: 8})
	var rs []*recorder
	for range sessions {
		_, r := k.openWS(0)
		rs = append(rs, r)
	}
	k.run()
	for _, r := range rs {
		r.s.Close()
	}
	k.loops[0].runOne()
	if left := k.srv.Stats().WebSocket; left < sessions-16 {
		t.Errorf("%d of %d sessions were closed in one turn of 8 writes", sessions-left, sessions)
	}
	if k.run(); k.srv.Stats().WebSocket != 0 {
		t.Error("some were never closed")
	}
}
