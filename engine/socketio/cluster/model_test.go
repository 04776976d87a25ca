package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// What becomes of a request at one of the other servers, and of its answers.
type course int

const (
	answers    course = iota
	slow              // but in time
	twice             // each answer comes two times
	late              // too late
	unheard           // the request is lost
	unanswered        // the answers are lost
	dies              // the server is cut off, and nobody knows
	diesTold          // and the others are told
	courses
)

const (
	limit  = time.Second // of a request
	asides = 4           // servers
)

func TestModelOfRequests(t *testing.T) {
	for name, b := range map[string]*clustertest.Bus{"by UID": {}, "counted": {Counted: true}, "counted, with Node's": {Counted: true, Foreign: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &requestModel{T: t, bus: b, plan: map[string]course{}}
				b.Fault = m.fault
				m.nodes = newFleet(t, b, asides, cluster.Options{})
				for i, v := range m.nodes {
					socketio.OnServerSideAck(v.Server, socketio.Call[int, int]("which"), func(context.Context, int) (int, error) { return i, nil })
				}
				rapid.Check(struct{ rapid.TB }{t}, m.step) // whose Deadline cannot be asked for in here
			})
		})
	}
}

// requestModel knows what every request must come to.
type requestModel struct {
	*testing.T
	bus    *clustertest.Bus
	nodes  []*node
	plan   map[string]course // by UID; changed only while nothing is on its way
	asking string            // who asks now
}

// fault is what the plan says. Each server's request and answer have a course.
func (m *requestModel) fault(from, to string, msg *cluster.Message) clustertest.Fate {
	if to != m.asking && from != m.asking {
		return clustertest.Fate{}
	}
	request := from == m.asking && to != from
	peer := from
	if request {
		peer = to
	}
	switch c := m.plan[peer]; {
	case c == slow:
		return clustertest.Fate{Delay: limit / 3}
	case c == late:
		return clustertest.Fate{Delay: limit}
	case c == twice && !request && (msg.Type != cluster.BroadcastAck || !m.bus.Foreign): // where acknowledgements have no names
		return clustertest.Fate{Twice: true}
	case c == unheard && request, c == dies || c == diesTold:
		return clustertest.Fate{Drop: true}
	case c == unanswered && !request:
		return clustertest.Fate{Drop: true}
	}
	return clustertest.Fate{}
}

// step is one request, and what else happens until it is over.
func (m *requestModel) step(rt *rapid.T) {
	who := rapid.IntRange(0, asides-1).Draw(rt, "who")
	var come []int
	missing := 0
	for i, v := range m.nodes {
		c := answers
		if i != who {
			c = course(rapid.IntRange(0, int(courses)-1).Draw(rt, fmt.Sprint("course of ", i)))
		}
		m.plan[v.adapter.UID()] = c
		switch {
		case c <= twice && i != who:
			come = append(come, i)
		case c == diesTold && !m.bus.Counted:
		case i != who:
			missing++
		}
	}
	m.asking = m.nodes[who].adapter.UID()
	time.AfterFunc(limit/2, m.die)
	kind := rapid.SampledFrom([]string{"fetch", "count", "sizes", "server side", "ask"}).Draw(rt, "kind")
	got, err := m.request(kind, m.nodes[who])
	m.check(rt, kind, who, come, missing, got, err)

	// Whatever comes too late finds nobody.
	time.Sleep(5 * limit)
	synctest.Wait()
	for _, v := range m.nodes {
		m.bus.Heal(v.adapter.UID())
		if st := v.adapter.Stats(); st.Requests != 0 || st.Serving != 0 || st.Malformed != 0 {
			rt.Fatalf("left over: %+v", st)
		}
		v.client.Received()
		for v.client.Received() > 0 {
			v.client.Next()
		}
	}
}

// die cuts off those who are to die.
func (m *requestModel) die() {
	for uid, c := range m.plan {
		if c == dies || c == diesTold {
			m.bus.Cut("/", uid, c == diesTold)
		}
	}
}

// request returns the numbers of the servers whose answers are in the result, or just how
// many there are.
func (m *requestModel) request(kind string, v *node) (got []int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	switch kind {
	case "fetch":
		var list []*socketio.RemoteSocket
		list, err = v.Of("/").FetchSockets(ctx)
		for _, r := range list {
			got = append(got, slices.IndexFunc(m.nodes, func(v *node) bool { return v.client.ID() == r.ID() }))
		}
	case "count":
		var n int
		n, err = v.To().Count(ctx)
		got = make([]int, n)
	case "sizes":
		_ = v.client.Socket().Join("room") // and those who were asked before are in it, too
		var sizes map[string]int
		sizes, err = v.Of("/").Rooms(ctx)
		got = make([]int, sizes["room"])
	case "server side":
		var list []socketio.ServerSideAnswer
		list, err = v.ServerSideEmitWithAck(ctx, "which", 1)
		for _, a := range list {
			var i int
			_ = a.Args.Decode(&i)
			got = append(got, i)
		}
	case "ask":
		return m.ask(ctx, v)
	}
	return got, err
}

// ask has every client that is asked answer at once.
func (m *requestModel) ask(ctx context.Context, v *node) (got []int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for a, e := range v.To().AskAll(ctx, "which?") {
			var i int
			if e == nil {
				e = a.Value.Decode(&i)
				got = append(got, i)
			}
			err = errors.Join(err, e)
		}
	}()
	for {
		for i, v := range m.nodes {
			for v.client.Received() > 0 {
				if e := v.client.Next(); e.WantsAck() {
					e.Ack(i)
				}
			}
		}
		select {
		case <-done:
			return got, err
		case <-time.After(limit / 20):
		}
	}
}

// check compares with what was planned.
func (m *requestModel) check(rt *rapid.T, kind string, who int, come []int, missing int, got []int, err error) {
	want := slices.Clone(come)
	if kind != "server side" {
		want = append(want, who)
	}
	slices.Sort(want)
	slices.Sort(got)
	var lack *cluster.IncompleteError
	switch {
	case kind == "sizes":
		in := 0
		for _, i := range want {
			if slices.Contains(m.nodes[i].client.Socket().Rooms(), "room") {
				in++
			}
		}
		if len(got) != in {
			rt.Fatalf("%d in the room, want %d", len(got), in)
		}
	case kind == "count" && len(got) != len(want), kind != "count" && !slices.Equal(got, want):
		rt.Fatalf("%s: %v, want %v (%v)", kind, got, want, err)
	}
	switch {
	case missing == 0 && err != nil:
		rt.Fatalf("%s: nobody is missing: %v", kind, err)
	case missing > 0 && !errors.Is(err, context.DeadlineExceeded):
		rt.Fatalf("%s: %d are missing: %v", kind, missing, err)
	case missing > 0 && kind != "ask" && (!errors.As(err, &lack) || lack.Missing != missing):
		rt.Fatalf("%s: %d are missing: %v", kind, missing, err)
	}
}
