package engine_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// Whoever makes work of what clients send waits while a loop has too much of it.
func TestALongQueueHoldsUpWhoFillsIt(t *testing.T) {
	k := startFake(t, 1, engine.Options{MaxTasks: 5000, PingInterval: time.Hour})
	c, r := k.openWS(0)
	k.srv.AwaitLoops() // nothing to do
	f := text("x")
	for range 20_000 { // a turn hands out 4,096
		r.s.Send(f)
	}
	f.Release()
	waits := make(chan struct{})
	if !k.loops[0].runOne() {
		t.Fatal("no turn")
	}
	go func() {
		k.srv.AwaitLoops()
		close(waits)
	}()
	until(t, "somebody waits", func() bool { return k.srv.Stats().Congested == 1 })
	select {
	case <-waits:
		t.Error("did not wait")
	default:
	}
	k.run()
	receive(t, waits)
	k.srv.AwaitLoops()
	if n := k.srv.Stats().Congested; n != 1 {
		t.Errorf("%d waited", n)
	}
	c.vanish()
}

// A bound below nothing holds nobody up for ever.
func TestNegativeMaxTasksIsNone(t *testing.T) {
	k := startFake(t, 1, engine.Options{MaxTasks: -2, PingInterval: time.Hour})
	c, r := k.openWS(0)
	f := text("x")
	for range 20_000 {
		r.s.Send(f)
	}
	f.Release()
	k.run()
	waits := make(chan struct{})
	go func() {
		k.srv.AwaitLoops()
		close(waits)
	}()
	receive(t, waits)
	c.vanish()
}
