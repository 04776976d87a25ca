package engine_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// More comes in with every turn than a turn can write, for as long as one likes:
// frames join those that are held, and who waits to be written to waits once.
func TestASteadyLoadDoesNotGrowTheQueuesOfTheHeld(t *testing.T) {
	const members, turns = 64, 300
	for name, load := range map[string]func(k *fakes, rs []*recorder, turn int){
		"unicasts": func(k *fakes, rs []*recorder, turn int) {
			for i := range members / 2 {
				k.send(rs[(turn*members/2+i)%members], "own")
			}
		},
		"broadcasts": func(k *fakes, _ []*recorder, _ int) {
			k.publish("all", &engine.Target{Groups: []string{"all"}})
		},
		"both": func(k *fakes, rs []*recorder, turn int) {
			k.publish("all", &engine.Target{Groups: []string{"all"}})
			for i := range 6 {
				k.send(rs[(turn*6+i)%members], "own")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := startFake(t, 1, engine.Options{TurnWrites: 8})
			var conns []*fakeConn
			var rs []*recorder
			for range members {
				c, r := k.openWS(0)
				r.s.Join("all")
				conns, rs = append(conns, c), append(rs, r)
			}
			k.run()
			most := 0
			for turn := range turns {
				load(k, rs, turn)
				k.loops[0].runOne()
				for _, c := range conns {
					c.discard()
				}
				held, _ := k.srv.HeldNow()
				most = max(most, held)
			}
			if most > 4*members {
				t.Errorf("%d entries for %d sessions after %d turns", most, members, turns)
			}
			k.run()
		})
	}
}

// What costs a write counts as one, also where it is the end of a session.
func TestATurnOfClosesLetsOthersIn(t *testing.T) {
	const sessions, turnWrites = 200, 8
	k := startFake(t, 1, engine.Options{TurnWrites: turnWrites})
	var conns []*fakeConn
	var rs []*recorder
	for range sessions {
		c, r := k.openWS(0)
		conns, rs = append(conns, c), append(rs, r)
	}
	for _, r := range rs { // now, or the turn that opens the next one would do it
		r.s.Close()
	}
	most, all := 0, 0
	for k.loops[0].runOne() {
		n := count(conns)
		most, all = max(most, n), all+n
	}
	if all != sessions {
		t.Errorf("%d of %d close frames", all, sessions)
	}
	if most > 2*turnWrites {
		t.Errorf("%d sessions closed in a turn of %d writes", most, turnWrites)
	}
}

// A server may be told not to slice at all.
func TestATurnWithoutAnEnd(t *testing.T) {
	k := startFake(t, 1, engine.Options{TurnWrites: math.MaxInt})
	var conns []*fakeConn
	for range 300 {
		c, r := k.openWS(0)
		r.s.Join("all")
		conns = append(conns, c)
	}
	k.publish("x", &engine.Target{Groups: []string{"all"}})
	for range 4 { // not until nothing is left: there may be no end to that
		k.loops[0].runOne()
	}
	if n := count(conns); n != 300 {
		t.Errorf("%d of 300 deliveries", n)
	}
}

// A walk goes on with the rest when a member falls in mid-walk, because what is held
// for it is full and its client takes nothing.
func TestAMemberMayFallWhileABroadcastIsHandedOut(t *testing.T) {
	for _, policy := range []engine.SlowPolicy{engine.SlowClose, engine.SlowDropOldest} {
		t.Run(fmt.Sprint("policy ", policy), func(t *testing.T) {
			const members, broadcasts = 40, 400
			k := startFake(t, 1, engine.Options{TurnWrites: 4, MaxQueued: 200, SlowPolicy: policy})
			var conns []*fakeConn
			var rs []*recorder
			for i := range members {
				c, r := k.openWS(0)
				r.s.Join("all")
				if i%3 == 0 {
					c.narrow(t)
				}
				conns, rs = append(conns, c), append(rs, r)
			}
			k.run()
			var l ledger
			pad := strings.Repeat("p", 300)
			got := make([][]string, members)
			for i := range broadcasts { // each joins the same corks: 256 frames fill them in mid-walk
				k.srv.Publish(l.frame(fmt.Sprint(i, " ", pad)), &engine.Target{Groups: []string{"all"}})
				if i%100 == 99 {
					k.run()
					for j, c := range conns {
						if j%3 != 0 {
							got[j] = append(got[j], c.texts()...)
						}
					}
				}
			}
			for j := range conns {
				switch {
				case j%3 == 0 && policy == engine.SlowClose:
					rs[j].ended(t, engine.ReasonTransportError)
				case j%3 == 0:
				case len(got[j]) != broadcasts:
					t.Fatalf("member %d got %d of %d", j, len(got[j]), broadcasts)
				default:
					for i, s := range got[j] {
						if s != fmt.Sprint("4", i, " ", pad) {
							t.Fatalf("member %d, frame %d is %.20q", j, i, s)
						}
					}
				}
			}
			for _, c := range conns {
				_ = c.loop.Close(c)
			}
			k.run()
			if held, corks := k.srv.HeldNow(); held != 0 || corks != 0 {
				t.Errorf("%d held, %d corks", held, corks)
			}
			l.settled(t, k.fixture)
		})
	}
}
