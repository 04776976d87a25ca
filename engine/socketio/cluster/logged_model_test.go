package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// logModel is servers over a log that does everything late, fails, and does not say
// what it did. What holds whatever happens: nobody is given an event twice, nor those of
// one server in another order; and what is in the log comes to everybody.
type logModel struct {
	*rapid.T
	w       *town
	fates   map[string]map[uint64]bool // by UID and sequence: it is in the log
	emitted [][]int                    // by server: the numbers of its events
	kept    map[int]bool               // events that are in the log
	count   int
	clients []*wanderer
}

// wanderer is a client, and what is said of it.
type wanderer struct {
	*roamer
	at     int
	since  int  // it has been there for events from this number on
	stayed bool // where it was in the beginning
}

func TestALogThatIsLateFailsOrKeepsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, func(t *rapid.T) { // whose Deadline cannot be asked for in here
			m := newLogModel(t)
			defer m.w.close()
			t.Repeat(map[string]func(*rapid.T){
				"emit":   func(t *rapid.T) { m.T = t; m.emit() },
				"commit": func(t *rapid.T) { m.T = t; m.some((*clustertest.Desk).Commit) },
				"read":   func(t *rapid.T) { m.T = t; m.some((*clustertest.Desk).Read) },
				"wait":   func(t *rapid.T) { m.T = t; m.wait() },
				"move":   func(t *rapid.T) { m.T = t; m.move() },
			})
			m.T = t
			m.drain()
			m.check()
		})
	})
}

func newLogModel(t *rapid.T) *logModel {
	m := &logModel{T: t, fates: make(map[string]map[uint64]bool), kept: make(map[int]bool)}
	outcome := rapid.SampledFrom([]clustertest.JournalFate{
		{}, {}, {}, {}, {Report: cluster.Unknown}, {Lost: true, Report: cluster.Failed}, {Lost: true, Report: cluster.Unknown},
	})
	fates := rapid.SliceOfN(outcome, 64, 64).Draw(t, "fates")
	n := 0
	j := &clustertest.Journal{Counted: rapid.Bool().Draw(t, "counted")}
	j.Fate = func(uid string, sequence uint64) clustertest.JournalFate {
		f := fates[n%len(fates)]
		n++
		if m.fates[uid] == nil {
			m.fates[uid] = make(map[uint64]bool)
		}
		m.fates[uid][sequence] = !f.Lost
		return f
	}
	m.w = newTown(t, j, 3, cluster.TailOptions{MaxPending: 12}, true)
	m.emitted = make([][]int, 3)
	for i := range 6 {
		c := &wanderer{roamer: newRoamer(t), at: i % 3, stayed: true}
		c.connect(m.w.servers[c.at])
		m.clients = append(m.clients, c)
	}
	return m
}

func (m *logModel) emit() {
	from := rapid.IntRange(0, 2).Draw(m.T, "from")
	m.count++
	ok(m, m.w.servers[from].Emit("n", from, m.count))
	m.emitted[from] = append(m.emitted[from], m.count)
}

// some does something at one of the desks a few times.
func (m *logModel) some(do func(*clustertest.Desk) bool) {
	d := m.w.desks[rapid.IntRange(0, 2).Draw(m.T, "desk")]
	for range rapid.IntRange(1, 5).Draw(m.T, "times") {
		do(d)
	}
}

// wait lets time pass: enough, sometimes, for the log to be late.
func (m *logModel) wait() {
	time.Sleep(time.Duration(rapid.IntRange(1, 700).Draw(m.T, "ms")) * time.Millisecond)
}

// move has a client go on with another server, or the same.
func (m *logModel) move() {
	c := m.clients[rapid.IntRange(3, 5).Draw(m.T, "client")]
	m.settle()
	c.vanish(rapid.Bool().Draw(m.T, "told"))
	m.settle()
	to := rapid.IntRange(0, 2).Draw(m.T, "to")
	before := m.w.desks[to].Tail.Stats()
	if !c.connect(m.w.servers[to]) {
		now := m.w.desks[to].Tail.Stats()
		if now.TooEarly == before.TooEarly {
			m.w.fail(fmt.Sprintf("not recovered, for no reason; before %+v", before))
		}
		c.mu.Lock()
		c.got = nil
		c.since = m.count + 1
		c.mu.Unlock()
	}
	c.stayed = c.stayed && c.at == to
	c.at = to
}

// settle waits until everything that was delivered has come to the clients.
func (m *logModel) settle() {
	synctest.Wait()
	for _, io := range m.w.servers {
		ok(m, io.SettleInner(context.Background()))
	}
}

// drain has the log do all it has to.
func (m *logModel) drain() {
	for {
		more := false
		for _, d := range m.w.desks {
			for d.Commit() || d.Read() {
				more = true
			}
		}
		if !more {
			break
		}
	}
	time.Sleep(time.Second)
	m.settle()
	for _, d := range m.w.desks {
		if s := d.Tail.Stats(); s.Pending != 0 || s.PendingBytes != 0 || s.Bad != 0 {
			m.Fatalf("after all that: %+v", s)
		}
	}
}

// eventOf returns the server and the number of an event.
func eventOf(m tb, text string) (from, n int) {
	var list []any
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 3 {
		m.Fatalf("no event: %s", text)
	}
	return int(list[1].(float64)), int(list[2].(float64))
}

func (m *logModel) check() {
	logged := make(map[int]bool) // numbers that everybody must have
	for i, d := range m.w.desks {
		uid := d.UID("/")
		for k, n := range m.emitted[i] {
			logged[n] = m.fates[uid][uint64(k+1)]
		}
	}
	for i, c := range m.clients {
		last := [3]int{math.MinInt, math.MinInt, math.MinInt}
		got := make(map[int]bool)
		for _, e := range c.events() {
			from, n := eventOf(m, e)
			if got[n] {
				m.Fatalf("client %d was given %d twice: %q", i, n, c.events())
			}
			if n < last[from] {
				m.Fatalf("client %d was given %d behind %d: %q", i, n, last[from], c.events())
			}
			got[n], last[from] = true, n
		}
		for from, numbers := range m.emitted {
			for _, n := range numbers {
				must := logged[n] && n >= c.since || c.stayed && from == c.at
				if must && !got[n] {
					m.Fatalf("client %d at %d lacks %d of server %d (in the log: %v): %q", i, c.at, n, from, logged[n], c.events())
				}
			}
		}
	}
	m.order()
}

// order requires one order among those who were delivered nothing early: clients that
// stayed, each without the events of its own server.
func (m *logModel) order() {
	var views [][]int
	for at := range 3 {
		var view []int
		for _, e := range m.clients[at].events() {
			if from, n := eventOf(m, e); from != at {
				view = append(view, n)
			}
		}
		views = append(views, view)
	}
	for i, a := range views {
		for _, b := range views[i+1:] {
			last := -1
			for _, n := range b {
				if at := slices.Index(a, n); at >= 0 && at < last {
					m.Fatalf("two orders: %v and %v", a, b)
				} else if at >= 0 {
					last = at
				}
			}
		}
	}
}
