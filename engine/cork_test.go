package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// writes is how many writes fn causes.
func (k *fakes) writes(fn func()) uint64 {
	before := k.srv.Stats().Writes
	fn()
	k.run()
	return k.srv.Stats().Writes - before
}

func (k *fakes) send(r *recorder, texts ...string) {
	for _, s := range texts {
		f := text(s)
		r.s.Send(f)
		f.Release()
	}
}

func (k *fakes) publish(s string, t *engine.Target) {
	f := text(s)
	k.srv.Publish(f, t)
	f.Release()
}

func TestAllThatATurnBringsForASessionIsOneWrite(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	c, r := k.openWS(0)
	r.s.Join("all")
	k.run()
	var want []string
	if n := k.writes(func() {
		for i := range 20 {
			k.send(r, fmt.Sprint("own ", i))
			k.publish(fmt.Sprint("all ", i), &engine.Target{Groups: []string{"all"}})
			want = append(want, fmt.Sprint("4own ", i), fmt.Sprint("4all ", i))
		}
	}); n != 1 {
		t.Errorf("%d writes for 40 frames", n)
	}
	if got := c.texts(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Members of the same rooms share the bytes; others get their own, and nobody
// another's.
func TestBroadcastsThatWaitTogetherAreOneWritePerMember(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	const members = 50
	var conns []*fakeConn
	var rs []*recorder
	for range members {
		c, r := k.openWS(0)
		r.s.Join("all")
		conns, rs = append(conns, c), append(rs, r)
	}
	k.run()
	want := make([][]string, members)
	n := k.writes(func() {
		for i := range 16 {
			left := rs[i*3%members]
			k.publish(fmt.Sprint(i), &engine.Target{Groups: []string{"all"}, ExceptSessions: []*engine.Session{left.s}})
			for j := range want {
				if rs[j] != left {
					want[j] = append(want[j], fmt.Sprint("4", i))
				}
			}
			k.send(rs[i], "between")
			want[i] = append(want[i], "4between")
		}
	})
	if n != members {
		t.Errorf("%d writes for 16 broadcasts to %d members", n, members)
	}
	for i, c := range conns {
		if got := c.texts(); !slices.Equal(got, want[i]) {
			t.Errorf("member %d\n got %q\nwant %q", i, got, want[i])
		}
	}
}

// What is held is bounded: a session whose share is full is written to at once.
func TestWhatIsHeldForASessionIsBounded(t *testing.T) {
	for _, tt := range []struct{ frames, size, writes int }{
		{1000, 1, 4},          // 256 frames each
		{20, 10_000, 4},       // 64 KiB each
		{3, 100_000, 3},       // more than that by itself
		{256, 1, 1},           //
		{257, 1, 2},           //
		{6, 64<<10/6 + 50, 2}, // just too many bytes for one
	} {
		t.Run(fmt.Sprintf("%dx%d", tt.frames, tt.size), func(t *testing.T) {
			k := startFake(t, 1, engine.Options{})
			c, r := k.openWS(0)
			k.run()
			before := k.srv.Stats().Writes
			data := strings.Repeat("x", tt.size)
			var got []string
			for i := range tt.frames {
				k.send(r, fmt.Sprint(i, " ", data))
			}
			k.run()
			for len(got) < tt.frames {
				more := c.texts()
				got = append(got, more...)
				if c.flush(); len(more) == 0 {
					k.advance(engine.TickLength)
				}
			}
			for i, s := range got {
				if s != fmt.Sprint("4", i, " ", data) {
					t.Fatalf("frame %d is %.20q", i, s)
				}
			}
			if n := k.srv.Stats().Writes - before; int(n) != tt.writes {
				t.Errorf("%d writes, want %d", n, tt.writes)
			}
		})
	}
}

// A client that is sent something of its own need not wait for a broadcast to
// reach it, and still gets both in order.
func TestAnAnswerOvertakesALongBroadcast(t *testing.T) {
	k := startFake(t, 1, engine.Options{TurnWrites: 8})
	l := k.loops[0]
	var conns []*fakeConn
	var rs []*recorder
	for range 100 {
		c, r := k.openWS(0)
		r.s.Join("all")
		conns, rs = append(conns, c), append(rs, r)
	}
	k.run()
	k.publish("broadcast", &engine.Target{Groups: []string{"all"}})
	l.runOne()
	served := count(conns)
	const last = 0 // the walk begins at the end
	k.send(rs[last], "answer")
	l.runOne()
	if got := conns[last].texts(); !slices.Equal(got, []string{"4broadcast", "4answer"}) {
		t.Errorf("after one more turn it has %q", got)
	}
	if served != 8 {
		t.Errorf("%d served in the first turn", served)
	}
	k.run()
	if n := count(conns); n != 100-8-1 {
		t.Errorf("%d more deliveries", n+1)
	}
}

// Unicasts that never end do not keep a broadcast from going on.
func TestABroadcastGoesOnBetweenAnswers(t *testing.T) {
	k := startFake(t, 1, engine.Options{TurnWrites: 8})
	l := k.loops[0]
	var members []*fakeConn
	var rs []*recorder
	for range 20 {
		c, r := k.openWS(0)
		r.s.Join("all")
		members = append(members, c)
		_, r = k.openWS(0)
		rs = append(rs, r)
	}
	k.run()
	k.publish("broadcast", &engine.Target{Groups: []string{"all"}})
	turns, got := 0, 0
	for ; got < 20 && turns < 100; turns++ {
		for _, r := range rs {
			k.send(r, "answer")
		}
		l.runOne()
		got += count(members)
	}
	if got != 20 || turns > 10 {
		t.Errorf("%d of 20 members after %d turns", got, turns)
	}
	k.run()
}

// Everything held is gone when nothing is held.
func TestCorksAreGivenBack(t *testing.T) {
	k := startFake(t, 1, engine.Options{TurnWrites: 4})
	var rs []*recorder
	for range 30 {
		_, r := k.openWS(0)
		r.s.Join("all")
		rs = append(rs, r)
	}
	k.run()
	var l ledger
	for i := range 100 {
		k.srv.Publish(l.frame(fmt.Sprint(i)), &engine.Target{Groups: []string{"all"}, ExceptSessions: []*engine.Session{rs[i%30].s}})
		rs[i%7].s.Send(l.frame("own"))
		if i%10 == 0 {
			k.loops[0].runOne()
		}
		if i%20 == 0 {
			rs[i/20].s.Close()
		}
	}
	k.run()
	if held, corks := k.srv.HeldNow(); held != 0 || corks != 0 {
		t.Errorf("%d held, %d corks", held, corks)
	}
	l.settled(t, k.fixture)
}

// What a broadcast needs is there for the next one, and goes when it was the last
// of its size.
func TestALargeBroadcastAllocatesNothingTheSecondTime(t *testing.T) {
	const members = 5000
	k, conns, sessions := deafFakes(t, members)
	for _, s := range sessions {
		s.Join("all")
	}
	sessions[0].Join("one")
	k.run()
	f := text("0123456789abcdef")
	defer f.Release()
	nobody := &engine.Target{}
	all, one := &engine.Target{Groups: []string{"all"}}, &engine.Target{Groups: []string{"one"}}
	broadcast := func() {
		k.srv.Publish(f, all)
		k.run()
		for _, c := range conns {
			c.discard()
		}
		k.srv.Publish(f, nobody) // a turn with nothing to hold in between
		k.run()
	}
	if n := testing.AllocsPerRun(10, broadcast); n > 0 {
		t.Errorf("%v allocations", n)
	}
	kept := k.srv.HeldRoom()
	for range 3 {
		k.srv.Publish(f, one)
		k.run()
	}
	if now := k.srv.HeldRoom(); kept < members || now > 100 {
		t.Errorf("room for %d, and for %d after small broadcasts", kept, now)
	}
}

// However much a session is sent before its turn comes, it waits in line once: the
// queues are never longer than there are sessions, whatever the load.
func TestASessionWaitsInLineOnce(t *testing.T) {
	const sessions = 20
	k := startFake(t, 1, engine.Options{TurnWrites: 4})
	var rs []*recorder
	for range sessions {
		_, r := k.openWS(0)
		r.s.Join("all")
		rs = append(rs, r)
	}
	k.run()
	for range 50 {
		for _, r := range rs {
			k.send(r, "own")
		}
		k.publish("all", &engine.Target{Groups: []string{"all"}})
		k.loops[0].runOne()
		if held, _ := k.srv.HeldNow(); held > 2*sessions {
			t.Fatalf("%d in line, of %d sessions", held, sessions)
		}
	}
	if k.run(); k.srv.Stats().Held != 0 {
		t.Error("some are still in line")
	}
}

// What waited for a poll leaves over the WebSocket that takes over in one write, too:
// there may be thousands, and the loop serves nobody else meanwhile.
func TestWhatWaitedForAPollIsOneWrite(t *testing.T) {
	const frames = 200
	k := startFake(t, 1, engine.Options{})
	_, r := k.openPolling(0)
	var want []string
	for i := range frames {
		k.send(r, fmt.Sprint(i))
		want = append(want, fmt.Sprint("4", i))
	}
	k.run()
	w := k.connect(0)
	w.deliver(requestText("GET", wsURL+"&sid="+r.s.ID(), wsHeader+"\r\n", ""))
	w.sendText("2probe")
	w.handshake(t)
	if n := k.writes(func() { w.sendText("5") }); n != 1 {
		t.Errorf("%d writes for %d frames", n, frames)
	}
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if _, corks := k.srv.HeldNow(); corks != 0 {
		t.Errorf("%d corks are left", corks)
	}
}
