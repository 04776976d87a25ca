package cluster_test

import (
	"errors"
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

// What a broker has taken and lost, with all that it had, will not come back: the server is
// ready nevertheless, as what it appends from then on does.
func TestEventsThatTheLogHasLostAreNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &clustertest.Journal{Fate: func(_ string, sequence uint64) clustertest.JournalFate {
			return clustertest.JournalFate{Lost: sequence <= 3}
		}}
		w := newTown(t, j, 1, cluster.TailOptions{}, true)
		defer w.close()
		c, d := newRoamer(t), w.desks[0]
		c.connect(w.servers[0])
		ok(t, w.servers[0].Emit("n", 1))
		ok(t, w.servers[0].Emit("n", 2))
		d.Commit()
		d.Commit()
		time.Sleep(600 * time.Millisecond)
		c.expect(`["n",1]`, `["n",2]`)
		if err := d.Tail.Ready(); !errors.Is(err, cluster.ErrLogLate) {
			t.Errorf("ready: %v", err)
		}
		ok(t, w.servers[0].Emit("n", 3))
		d.Commit()
		d.Tail.Skipped("1700000000000-0")
		c.expect(`["n",1]`, `["n",2]`, `["n",3]`)
		if err := d.Tail.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
		if s := d.Tail.Stats(); s.Pending != 0 || s.Unknown != 3 {
			t.Errorf("%+v", s)
		}
		ok(t, w.servers[0].Emit("n", 4))
		d.Commit()
		time.Sleep(600 * time.Millisecond)
		if err := d.Tail.Ready(); !errors.Is(err, cluster.ErrLogLate) {
			t.Errorf("ready: %v", err)
		}
		c.expect(`["n",1]`, `["n",2]`, `["n",3]`, `["n",4]`)
	})
}
