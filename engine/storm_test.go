package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// startCrowd has n polling sessions over one connection, all opened in the same
// tick: the process may not open as many connections.
func startCrowd(t *testing.T, n int, o engine.Options) (k *fakes, c *fakeConn, crowd []*engine.Session) {
	t.Helper()
	o.Accept = func(s *engine.Session) engine.Receiver {
		s.Established()
		crowd = append(crowd, s)
		return deaf{}
	}
	k = startFake(t, 1, o)
	c = k.connect(0)
	for range n {
		c.deliver(requestText("GET", pollURL, "", ""))
		c.discard()
	}
	return k, c, crowd
}

// pings answers every ping at once for a time and says how many fell into each tick.
func (k *fakes) pings(c *fakeConn, crowd []*engine.Session, d time.Duration) (perTick []int) {
	k.t.Helper()
	for range engine.Ticks(d) {
		k.advance(engine.TickLength)
		n := 0
		for _, s := range crowd {
			if s.AwaitsPong() {
				c.deliver(requestText("POST", pollURL+"&sid="+s.ID(), "Content-Length: 1\r\n", "3"))
				n++
			}
		}
		if got := c.taken(); n > 0 && strings.Count(got, "\r\n\r\nok") != n {
			k.t.Fatalf("%d pongs were not taken: %.200q", n, got)
		}
		perTick = append(perTick, n)
	}
	return perTick
}

func TestThePingsOfAStormAreSpread(t *testing.T) {
	const crowd, interval = 10_000, 4 * time.Second // 400 ticks
	share := crowd / int(engine.Ticks(interval))
	k, c, all := startCrowd(t, crowd, engine.Options{PingInterval: interval, PingTimeout: time.Second, IdleTimeout: time.Hour})

	first := k.pings(c, all, interval)
	if early := sum(first[:len(first)/2-1]); early > 0 {
		t.Errorf("%d pings in the first half of the interval", early)
	}
	if n := sum(first); n < crowd || n > crowd*101/100 { // the second one of some falls into the last tick
		t.Errorf("%d pings of %d in the first interval", n, crowd)
	}
	requireNoPeak(t, "first interval", first, 5*share)

	for _, name := range []string{"second interval", "third interval"} {
		per := k.pings(c, all, interval)
		requireNoPeak(t, name, per, 4*share)
		const parts = 10
		for i := range parts {
			n := sum(per[i*len(per)/parts : (i+1)*len(per)/parts])
			if n < crowd/parts*3/4 || n > crowd/parts*5/4 {
				t.Errorf("%s: %d pings of %d in part %d of %d", name, n, sum(per), i+1, parts)
			}
		}
	}
}

func requireNoPeak(t *testing.T, name string, perTick []int, most int) {
	t.Helper()
	for tick, n := range perTick {
		if n > most {
			t.Errorf("%s: %d pings in tick %d, more than %d", name, n, tick, most)
		}
	}
}

func sum(all []int) (n int) {
	for _, each := range all {
		n += each
	}
	return n
}
