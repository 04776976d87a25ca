package cluster_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// patient is a Tail whose patience is not tried by a machine that is busy.
var patient = cluster.TailOptions{Patience: patience}

// A server that is killed has stored its sockets ahead, and they go on with another.
func TestTheSocketsOfAServerThatIsKilledGoOn(t *testing.T) {
	for _, counted := range []bool{false, true} {
		t.Run(fmt.Sprint("counted ", counted), func(t *testing.T) {
			t.Parallel()
			w := newTown(t, &clustertest.Journal{Counted: counted}, 3, patient, false)
			defer w.close()
			var all []*roamer
			for range 5 {
				c := newRoamer(t)
				c.connect(w.servers[0])
				ok(t, w.socket(0, c.sid).Join("room"))
				all = append(all, c)
			}
			quiet := newRoamer(t) // has never been sent anything
			quiet.connect(w.servers[0])
			ok(t, w.servers[1].To("room").Emit("one"))
			for _, c := range all {
				c.expect(`["one"]`)
			}
			w.eventually("all are stored with their rooms", func() bool { return w.journal.SessionsIn("room") == 5 && w.journal.Sessions() == 6 })
			ok(t, w.servers[1].To("room").Emit("two")) // may have been received or not
			w.desks[0].Kill()
			ok(t, w.servers[2].Emit("three"))
			for i, c := range append(all, quiet) {
				sid := c.sid
				c.vanish(false)
				if !c.connect(w.servers[1+i%2]) || c.sid != sid {
					w.fail("not recovered")
				}
			}
			for _, c := range all {
				c.expect(`["one"]`, `["two"]`, `["three"]`)
			}
			quiet.expect(`["three"]`)
		})
	}
}

// Whoever missed more than a server has in memory is given it from the log, which is read
// once for all who come at the time.
func TestOlderEventsAreReadFromTheLog(t *testing.T) {
	t.Parallel()
	small := patient
	small.MaxEvents = 10
	w := newTown(t, new(clustertest.Journal), 2, small, false)
	defer w.close()
	var all []*roamer
	for range 8 {
		c := newRoamer(t)
		c.connect(w.servers[0])
		all = append(all, c)
	}
	want := []string{`["n",0]`}
	ok(t, w.servers[0].Emit("n", 0))
	for _, c := range all {
		c.expect(want...)
		c.vanish(true)
	}
	for i := range 50 {
		ok(t, w.servers[0].Emit("n", i+1))
		want = append(want, fmt.Sprintf(`["n",%d]`, i+1))
	}
	w.eventually("it has been read", func() bool { return w.desks[1].Tail.Stats().Read == 51 })
	if s := w.desks[1].Tail.Stats(); s.Events != 10 {
		t.Fatalf("%d events in memory", s.Events)
	}
	fresh := w.open(patient, false, socketio.Options{}) // one that has seen nothing of all this
	for i, c := range all {
		c.dial([]*socketio.Server{w.servers[1], fresh}[i%2])
	}
	for _, c := range all {
		c.wait("being let in", func() bool { return c.in })
		if !c.recovered {
			w.fail("not recovered")
		}
		c.expect(want...)
	}
	for i := 1; i <= 2; i++ {
		if s := w.desks[i].Tail.Stats(); s.Ranges == 0 || s.Ranges > 4 || s.Restored != 4 {
			t.Errorf("%d readings for %d clients", s.Ranges, s.Restored)
		}
	}
}

// A client that was where the log does not reach any more begins anew.
func TestWhoIsTooOldForTheLogBeginsAnew(t *testing.T) {
	t.Parallel()
	small := patient
	small.MaxEvents = 5
	w := newTown(t, new(clustertest.Journal), 2, small, false)
	defer w.close()
	c := newRoamer(t)
	c.connect(w.servers[0])
	ok(t, w.servers[0].Emit("one"))
	c.expect(`["one"]`)
	sid := c.sid
	c.vanish(true)
	for i := range 20 {
		ok(t, w.servers[0].Emit("n", i))
	}
	w.eventually("it has been read", func() bool { return w.desks[1].Tail.Stats().Read == 21 })
	w.journal.Trim(10)
	if c.connect(w.servers[1]) || c.sid == sid {
		t.Error("recovered")
	}
	if s := w.desks[1].Tail.Stats(); s.TooOld != 1 || s.Restored != 0 {
		t.Errorf("%+v", s)
	}
	ok(t, w.servers[0].Emit("two"))
	c.expect(`["one"]`, `["two"]`)
}

// What a client shows may be anything.
func TestOffsetsThatAreNone(t *testing.T) {
	t.Parallel()
	wait := patient
	wait.MaxWait = 50 * time.Millisecond
	w := newTown(t, new(clustertest.Journal), 2, wait, false)
	defer w.close()
	for _, offset := range []string{
		"1700000000000-99", "1700000000000-18446744073709551615", "0-0", "x", "..", "1700000000000-1.", "1700000000000-1.u.zzzzzzzzzzzzzz",
		"1700000000000-1.0123456789abcdef.1", "1700000000000-1~~", "\u0000", "1700000000000-0.0123456789abcdefghijkl.1",
	} {
		c := newRoamer(t)
		c.connect(w.servers[0])
		ok(t, w.servers[0].Emit("one"))
		c.expect(`["one"]`)
		c.vanish(true)
		c.offset = offset
		c.connect(w.servers[1])
		ok(t, w.servers[0].To(c.sid).Emit("two"))
		c.wait("the next", func() bool { return c.got[len(c.got)-1] == `["two"]` })
		c.vanish(true)
	}
}

// A socket is not kept longer than MaxDisconnectionDuration.
func TestStoredSocketsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, new(clustertest.Journal), 2, cluster.TailOptions{}, false)
		defer w.close()
		c := newRoamer(t)
		c.connect(w.servers[0])
		c.vanish(true)
		time.Sleep(recoveryOptions.MaxDisconnectionDuration - time.Second)
		if !c.connect(w.servers[1]) {
			t.Error("not recovered in time")
		}
		c.vanish(true)
		time.Sleep(recoveryOptions.MaxDisconnectionDuration + time.Second)
		if c.connect(w.servers[0]) {
			t.Error("recovered after its time")
		}
		if s := w.desks[0].Tail.Stats(); s.NoSession != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A client that leaves, or is told to, does not come back.
func TestWhoLeavesIsNotStored(t *testing.T) {
	t.Parallel()
	w := newTown(t, new(clustertest.Journal), 2, patient, false)
	defer w.close()
	c := newRoamer(t)
	c.connect(w.servers[0])
	w.eventually("it is stored ahead", func() bool { return w.journal.Sessions() == 1 })
	w.socket(0, c.sid).Disconnect(false)
	w.eventually("it is not stored", func() bool { return w.journal.Sessions() == 0 })
	c.vanish(true)
	if c.connect(w.servers[1]) {
		t.Error("recovered")
	}
}

// While the log does not answer, events are delivered where they are emitted, in order
// and no later than Patience; elsewhere when it answers again, and nowhere twice.
func TestWhileTheLogDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, new(clustertest.Journal), 2, cluster.TailOptions{}, false)
		defer w.close()
		here, there := newRoamer(t), newRoamer(t)
		here.connect(w.servers[0])
		there.connect(w.servers[1])
		ok(t, w.servers[0].Emit("n", 1))
		here.expect(`["n",1]`)
		there.expect(`["n",1]`)
		w.desks[0].Cut(true)
		began := time.Now()
		ok(t, w.servers[0].Emit("n", 2))
		ok(t, w.servers[0].Of("/").Volatile().Emit("n", 3)) // not before the other
		ok(t, w.servers[0].Local().Emit("n", 4))
		here.expect(`["n",1]`, `["n",2]`, `["n",3]`, `["n",4]`)
		if d := time.Since(began); d != 500*time.Millisecond {
			t.Errorf("after %v", d)
		}
		if err := w.desks[0].Tail.Ready(); !errors.Is(err, cluster.ErrLogLate) {
			t.Errorf("ready: %v", err)
		}
		ok(t, w.servers[0].Emit("n", 5)) // at once
		here.expect(`["n",1]`, `["n",2]`, `["n",3]`, `["n",4]`, `["n",5]`)
		if d := time.Since(began); d != 500*time.Millisecond {
			t.Errorf("after %v", d)
		}
		ok(t, w.servers[1].Emit("n", 6))
		there.expect(`["n",1]`, `["n",6]`)
		w.desks[0].Cut(false)
		there.expect(`["n",1]`, `["n",6]`, `["n",2]`, `["n",5]`)
		here.expect(`["n",1]`, `["n",2]`, `["n",3]`, `["n",4]`, `["n",5]`, `["n",6]`)
		synctest.Wait()
		if err := w.desks[0].Tail.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
		// Who moves has got everything, and once.
		here.vanish(true)
		ok(t, w.servers[0].Emit("n", 7))
		if !here.connect(w.servers[1]) {
			w.fail("not recovered")
		}
		here.expect(`["n",1]`, `["n",2]`, `["n",3]`, `["n",4]`, `["n",5]`, `["n",6]`, `["n",7]`)
		if s := w.desks[0].Tail.Stats(); s.Early != 2 || s.LostForOthers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Without numbers of other senders, who was delivered events early begins anew elsewhere:
// it cannot be told what it has.
func TestWithoutSequencesWhoIsAheadOfTheLogBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, &clustertest.Journal{Unnumbered: true}, 2, cluster.TailOptions{}, false)
		defer w.close()
		c := newRoamer(t)
		c.connect(w.servers[0])
		w.desks[0].Cut(true)
		ok(t, w.servers[0].Emit("early"))
		c.expect(`["early"]`)
		c.vanish(true)
		w.desks[0].Cut(false)
		if c.connect(w.servers[1]) {
			t.Error("recovered")
		}
		if s := w.desks[1].Tail.Stats(); s.TooEarly != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// Events beyond what may wait for the log are delivered here, and counted as lost.
func TestEventsThatMayNotWaitForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, new(clustertest.Journal), 2, cluster.TailOptions{MaxPending: 3, Patience: time.Hour}, false)
		defer w.close()
		c, far := newRoamer(t), newRoamer(t)
		c.connect(w.servers[0])
		far.connect(w.servers[1])
		w.desks[0].Cut(true)
		var want []string
		for i := range 6 {
			ok(t, w.servers[0].Emit("n", i))
			want = append(want, fmt.Sprintf(`["n",%d]`, i))
		}
		c.expect(want...)
		if s := w.desks[0].Tail.Stats(); s.LostForOthers != 3 || s.Pending != 0 || s.Early != 3 {
			t.Errorf("%+v", s)
		}
		w.desks[0].Cut(false)
		ok(t, w.servers[1].Emit("end"))
		far.gets(4)
		c.gets(7)
	})
}

// Where entries were gone before a server has read them, clients that were waited for
// there have missed what was in them, and begin anew.
func TestWhoIsWaitedForInAGapBeginsAnew(t *testing.T) {
	t.Parallel()
	w := newTown(t, new(clustertest.Journal), 2, patient, true)
	defer w.close()
	all := func() {
		for more := true; more; {
			more = false
			for _, d := range w.desks {
				for d.Commit() || d.Read() {
					more = true
				}
			}
		}
	}
	gone, there := newRoamer(t), newRoamer(t)
	gone.connect(w.servers[0])
	there.connect(w.servers[0])
	ok(t, w.servers[1].Emit("one"))
	all()
	gone.expect(`["one"]`)
	there.expect(`["one"]`)
	gone.vanish(true)
	w.eventually("it is waited for", func() bool { return w.servers[0].Stats().Recovery.Waiting == 1 })
	for i := range 20 {
		ok(t, w.servers[1].Emit("n", i))
	}
	for w.desks[1].Commit() || w.desks[1].Read() {
	}
	w.journal.Trim(10)
	all()
	there.gets(11)
	if gone.connect(w.servers[0]) {
		t.Errorf("recovered, with %q", gone.gets(11))
	}
}

// A client that is at another server before it was let in by one, which has taken its
// socket and waits for the log, has that socket there.
func TestWhoGoesOnBeforeBeingLetInKeepsItsSocket(t *testing.T) {
	t.Parallel()
	slow := patient
	slow.MaxWait = patience
	w := newTown(t, new(clustertest.Journal), 3, slow, true)
	defer w.close()
	c := newRoamer(t)
	c.connect(w.servers[0])
	ok(t, w.servers[0].Emit("one"))
	w.desks[0].Commit()
	w.desks[0].Read()
	w.desks[2].Read() // and the one in between does not
	c.expect(`["one"]`)
	sid := c.sid
	c.vanish(true)
	w.eventually("it is lost", func() bool { return w.servers[0].Stats().Recovery.Waiting == 1 })
	for range 2 {
		w.eventually("it is stored", func() bool { return w.journal.Sessions() == 1 })
		c.dial(w.servers[1])
		w.eventually("it is taken", func() bool { return w.journal.Sessions() == 0 })
		c.vanish(false)
		if !c.connect(w.servers[2]) || c.sid != sid {
			w.fail("not recovered")
		}
		c.vanish(true)
	}
	c.expect(`["one"]`)
}
