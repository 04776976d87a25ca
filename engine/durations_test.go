package engine_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// Of the broadcasts between two ticks one is timed, and one that meets nobody is not.
func TestBroadcastsAreTimedBySample(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Hour})
	publish := func(group string) {
		f := text("x")
		k.srv.Publish(f, &engine.Target{Groups: []string{group}})
		f.Release()
		k.run()
	}
	for range 3 {
		_, r := k.openWS(0)
		r.s.Join("all")
	}
	k.run()
	for i, step := range []struct {
		group string
		want  uint64
	}{{"all", 1}, {"nobody", 1}, {"all", 2}} {
		k.advance(engine.TickLength)
		for range 5 {
			publish(step.group)
		}
		st := k.srv.Stats()
		if n := st.Broadcasts.Count(); n != step.want || st.Broadcasts.Sum <= 0 {
			t.Errorf("step %d: %d broadcasts of %v, want %d", i, n, st.Broadcasts.Sum, step.want)
		}
	}
	if n := len(k.srv.Stats().Broadcasts.Counts); n != len(engine.DurationBounds())+1 {
		t.Errorf("%d buckets", n)
	}
}

// A loop times a few pings at once. Those of clients that are gone are given up.
func TestPingsAreTimedBySample(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: beat, PingTimeout: 5 * beat})
	for range 3 {
		var conns []*fakeConn
		var rs []*recorder
		for range 8 {
			c, r := k.openWS(0)
			conns, rs = append(conns, c), append(rs, r)
		}
		k.advance(beat) // each has been sent its first one
		for i, c := range conns {
			if got := c.texts(); len(got) != 1 || got[0] != "2" {
				t.Fatalf("%d got %q", i, got)
			}
			_ = c.loop.Close(c)
			c.vanish()
		}
		k.run()
		for _, r := range rs {
			receive(t, r.closed)
		}
	}
	if st := k.srv.Stats(); st.PingRTT.Count() != 0 {
		t.Errorf("%d pongs of clients that are gone", st.PingRTT.Count())
	}
	c, _ := k.openWS(0)
	for want := range uint64(3) {
		k.untilText(c, "2")
		c.sendText("3")
		c.sendText("3") // which nobody has asked for
		if st := k.srv.Stats(); st.PingRTT.Count() != want+1 || st.PingRTT.Sum <= 0 {
			t.Errorf("%d pings of %v, want %d", st.PingRTT.Count(), st.PingRTT.Sum, want+1)
		}
	}
}
