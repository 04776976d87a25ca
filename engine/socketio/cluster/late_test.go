package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// A log that was late once, and is quick again, is waited for again, however many events
// there are: they are in one order everywhere, and the server is ready.
func TestALogThatWasLateIsWaitedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, new(clustertest.Journal), 1, cluster.TailOptions{}, true)
		defer w.close()
		c, d := newRoamer(t), w.desks[0]
		c.connect(w.servers[0])
		var want []string
		emit := func() {
			ok(t, w.servers[0].Emit("n", len(want)))
			want = append(want, fmt.Sprintf(`["n",%d]`, len(want)))
		}
		emit()
		time.Sleep(600 * time.Millisecond) // too late
		c.expect(want...)
		for range 500 { // each takes 10 ms, and there is always one on its way
			emit()
			time.Sleep(10 * time.Millisecond)
			d.Commit()
			d.Read()
		}
		if s := d.Tail.Stats(); s.Early > 5 {
			t.Errorf("%d events were delivered early", s.Early)
		}
		if err := d.Tail.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
		emit()
		time.Sleep(600 * time.Millisecond) // too late again
		c.expect(want...)
		for d.Commit() || d.Read() {
		}
		emit()
		for d.Commit() || d.Read() {
		}
		c.expect(want...)
	})
}

// What is not for the log waits for what is, as far as there is room.
func TestVolatileEventsThatWaitHaveABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, new(clustertest.Journal), 1, cluster.TailOptions{MaxPending: 3, Patience: time.Hour}, true)
		defer w.close()
		c := newRoamer(t)
		c.connect(w.servers[0])
		ok(t, w.servers[0].Emit("n", -1))
		for i := range 20 {
			ok(t, w.servers[0].Of("/").Volatile().Emit("n", i))
		}
		if s := w.desks[0].Tail.Stats(); s.Pending > 3 {
			t.Errorf("%d events wait", s.Pending)
		}
		want := []string{`["n",-1]`}
		for i := range 20 {
			want = append(want, fmt.Sprintf(`["n",%d]`, i))
		}
		c.expect(want...)
	})
}
