package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

func TestLimitsMayBeReplaced(t *testing.T) {
	f := start(t, engine.Options{})
	first := f.dial()
	first.do("GET", pollURL, "")
	if err := f.srv.SetLimits(engine.Limits{ConnectionsPerIP: 1}); err != nil {
		t.Fatal(err)
	}
	second := f.dial()
	second.do("GET", pollURL, "")
	if _, n := f.srv.Peers("127.0.0.1"); n != 1 {
		t.Errorf("%d connections counted", n)
	}
	if !everythingOverTLS {
		if got := f.dial().read("GET"); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s", got.Status)
		}
	}
	_ = first.Close() // not counted: counts nobody off
	if err := f.srv.SetLimits(engine.Limits{Messages: engine.Rate{PerSecond: 1, Burst: 1}}); err != nil {
		t.Fatal(err)
	}
	c, o := f.openWS()
	for range 3 {
		c.sendText("4a")
	}
	if got := f.session(o.SID).reason(t); got != engine.ReasonForcedClose {
		t.Errorf("%v", got)
	}
	for _, bad := range []engine.Limits{
		{ConnectionsPerIP: -1}, {Messages: engine.Rate{PerSecond: -1}}, {Bytes: engine.Rate{Burst: -1}}, {Exempt: make([]netip.Prefix, 1)},
	} {
		if err := f.srv.SetLimits(bad); !errors.Is(err, engine.ErrBadLimits) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := f.srv.SetLimits(engine.Limits{}); err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
	until(t, "it is counted off although nobody counts any more", func() bool { all, _ := f.srv.Peers("127.0.0.1"); return all == 0 })
}

// Nobody pays for what came before: a level is a time, and what was little by a slow rate is
// much by a fast one.
func TestReplacedLimitsForgive(t *testing.T) {
	slow, fast := engine.Rate{PerSecond: 1, Burst: 100}, engine.Rate{PerSecond: 1000, Burst: 10}
	for name, limits := range map[string]func(engine.Rate) engine.Limits{
		"messages":        func(r engine.Rate) engine.Limits { return engine.Limits{Messages: r} },
		"messages per IP": func(r engine.Rate) engine.Limits { return engine.Limits{MessagesPerIP: r} },
		"requests":        func(r engine.Rate) engine.Limits { return engine.Limits{RequestRatePerIP: r} },
		"sessions":        func(r engine.Rate) engine.Limits { return engine.Limits{SessionRatePerIP: r} },
	} {
		t.Run(name, func(t *testing.T) {
			k := startFake(t, 1, engine.Options{Limits: limits(slow), PingInterval: time.Hour})
			c, r := k.openWS(0)
			for range 90 {
				c.sendText("4x")
				receive(t, r.texts)
				if name == "requests" || name == "sessions" {
					k.openWS(0)
				}
			}
			if err := k.srv.SetLimits(limits(fast)); err != nil {
				t.Fatal(err)
			}
			c.sendText("4y")
			k.run()
			if len(r.closed) != 0 {
				t.Fatal("closed for what was allowed")
			}
			if got := receive(t, r.texts); got != "y" {
				t.Errorf("%q", got)
			}
			k.openWS(0)
		})
	}
}

// Limits are replaced from anywhere, while clients meet them.
func TestLimitsMayBeReplacedAtAnyTime(t *testing.T) {
	f := start(t, engine.Options{Loops: 2})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				if err := f.srv.SetLimits(engine.Limits{
					ConnectionsPerIP: n % 3 * 100, SessionRatePerIP: engine.Rate{PerSecond: n % 2 * 10_000}, Messages: engine.Rate{PerSecond: 10_000 * i},
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for ctx.Err() == nil {
		c, o := f.openWS()
		c.sendText("4a")
		if got := receive(t, f.session(o.SID).texts); got != "a" {
			t.Errorf("%q", got)
		}
		_ = c.Close()
	}
	all.Wait()
}
