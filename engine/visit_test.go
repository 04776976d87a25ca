package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// visited asks everybody the target names, and returns who was met.
func visited(t testing.TB, srv *engine.Server, f *engine.Frame, target engine.Target, send func(*recorder) bool) (all []*recorder) {
	t.Helper()
	var mu sync.Mutex
	done := make(chan struct{})
	srv.Visit(f, &engine.Visit{Target: target,
		Each: func(r engine.Receiver) bool {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, r.(*recorder))
			return send == nil || send(r.(*recorder))
		},
		Done: func() { close(done) },
	})
	receive(t, done)
	return all
}

// A question that panics costs whom it was put to: the others are asked, and the answer comes.
func TestAVisitThatPanicsForOne(t *testing.T) {
	f := start(t, engine.Options{Loops: 1})
	var sessions []*recorder
	for range 3 {
		_, open := f.openWS()
		r := f.session(open.SID)
		r.s.Join("all")
		sessions = append(sessions, r)
	}
	got := visited(t, f.srv, nil, engine.Target{Groups: []string{"all"}}, func(r *recorder) bool {
		if r == sessions[1] {
			panic("test: Each")
		}
		return false
	})
	if len(got) != len(sessions) {
		t.Errorf("%d of %d were asked", len(got), len(sessions))
	}
	if reason := sessions[1].reason(t); reason != engine.ReasonForcedClose {
		t.Errorf("closed with %v", reason)
	}
}

func TestVisitMeetsWhomAPublishReaches(t *testing.T) {
	t.Parallel()
	f := start(t, engine.Options{Loops: 2})
	var clients []*wsConn
	var sessions []*recorder
	for range 6 {
		c, open := f.openWS()
		clients = append(clients, c)
		sessions = append(sessions, f.session(open.SID))
	}
	for i, r := range sessions {
		r.s.Join("all")
		r.s.Join(fmt.Sprint("third ", i%3))
	}
	got := visited(t, f.srv, nil, engine.Target{Groups: []string{"third 0", "all"}, Sessions: []*engine.Session{sessions[1].s},
		ExceptGroups: []string{"third 2"}, ExceptSessions: []*engine.Session{sessions[3].s}}, nil)
	want := []*recorder{sessions[0], sessions[1], sessions[4]}
	if len(got) != len(want) || !slices.ContainsFunc(want, func(r *recorder) bool { return slices.Contains(got, r) }) {
		t.Errorf("met %d sessions, want %d", len(got), len(want))
	}
	for _, r := range want {
		if !slices.Contains(got, r) {
			t.Error("one was not met")
		}
	}

	// A frame goes to those for whom Each says so, in order with publishes; who has
	// left, in the caller's order, is not asked.
	sessions[5].s.Leave("all")
	frame := text("visited")
	got = visited(t, f.srv, frame, engine.Target{Groups: []string{"all"}}, func(r *recorder) bool { return r != sessions[0] })
	frame.Release()
	if len(got) != 5 || slices.Contains(got, sessions[5]) {
		t.Errorf("met %d", len(got))
	}
	after := text("after")
	f.srv.Publish(after, &engine.Target{Groups: []string{"all"}})
	after.Release()
	for i, c := range clients[:5] {
		if i > 0 {
			reads(t, c, "4visited")
		}
		reads(t, c, "4after")
	}
}

func reads(t *testing.T, c *wsConn, want string) {
	t.Helper()
	if got := c.text(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVisitWithoutAnybodyIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	srv, err := engine.New(engine.Options{Accept: func(*engine.Session) engine.Receiver { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if got := visited(t, srv, nil, engine.Target{Groups: []string{"x"}}, nil); got != nil {
		t.Error("met somebody")
	}
}

func TestGroupSizes(t *testing.T) {
	t.Parallel()
	f := start(t, engine.Options{Loops: 2, TurnWrites: 1}) // 32 groups a turn
	const clients, groups = 4, 200
	for i := range clients {
		_, open := f.openWS()
		s := f.session(open.SID).s
		for g := range groups {
			if g%clients >= i {
				s.Join(fmt.Sprint(g))
			}
		}
	}
	var mu sync.Mutex
	sizes := make(map[string]int)
	done := make(chan struct{})
	f.srv.GroupSizes(func(group string, n int) {
		mu.Lock()
		defer mu.Unlock()
		sizes[group] += n
	}, func() { close(done) })
	receive(t, done)
	for g := range groups {
		size := make(chan int, 1)
		f.srv.GroupSize(fmt.Sprint(g), func(n int) { size <- n })
		want := g%clients + 1
		if one, all := receive(t, size), sizes[fmt.Sprint(g)]; one != want || all != want {
			t.Fatalf("group %d has %d members, or %d; want %d", g, one, all, want)
		}
	}
	if len(sizes) != groups {
		t.Errorf("%d groups", len(sizes))
	}
}

// queueOf asks for a session's queue.
func queueOf(t testing.TB, s *engine.Session) engine.Queue {
	t.Helper()
	q := make(chan engine.Queue, 1)
	s.Queue(func(x engine.Queue) { q <- x })
	return receive(t, q)
}

func TestQueueTellsWhatABlockedClientHasNotTaken(t *testing.T) {
	t.Parallel()
	f := start(t, engine.Options{HighWaterMark: 4 << 20, SendBuffer: 64 << 10, PingInterval: time.Hour})
	_, open := f.openWS()
	if s := f.session(open.SID).s; queueOf(t, s) != (engine.Queue{}) || !s.Writable() {
		t.Errorf("idle: %+v", queueOf(t, s))
	}
	var l ledger
	c, r, fill := f.openSlow(&l)
	if q := queueOf(t, r.s); q.Packets < 30 || q.Packets > fill || q.Bytes < 300_000 || r.s.Writable() {
		t.Errorf("blocked: %+v of %d packets", q, fill)
	}
	drained := make(chan struct{})
	r.s.Drained(context.Background(), func() { close(drained) })
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	r.s.Drained(gone, func() { t.Error("nobody waits for that") })
	until(t, "the client is blocked for some ticks", func() bool { return queueOf(t, r.s).Blocked > 20*time.Millisecond })
	select {
	case <-drained:
		t.Fatal("drained, and nobody has read")
	default:
	}
	c.skip(fill)
	receive(t, drained)
	if q := queueOf(t, r.s); q != (engine.Queue{}) || !r.s.Writable() {
		t.Errorf("afterwards: %+v", q)
	}
	now := make(chan struct{})
	r.s.Drained(context.Background(), func() { close(now) })
	receive(t, now)
	l.settled(t, f)
}

func TestDrainedEndsWithTheSession(t *testing.T) {
	t.Parallel()
	f := start(t, engine.Options{})
	_, open := f.openPolling()
	r := f.session(open.SID)
	r.send("for a poll")
	drained := make(chan struct{})
	r.s.Drained(context.Background(), func() { close(drained) })
	if q := queueOf(t, r.s); q.Packets != 1 || q.Bytes == 0 || r.s.Writable() {
		t.Errorf("%+v", q)
	}
	r.s.Close()
	receive(t, drained)
}

func TestAPollTakesWhatWaits(t *testing.T) {
	t.Parallel()
	f := start(t, engine.Options{})
	c, open := f.openPolling()
	r := f.session(open.SID)
	r.send("for a poll")
	drained := make(chan struct{})
	r.s.Drained(context.Background(), func() { close(drained) })
	c.do("GET", pollURL+"&sid="+open.SID, "")
	receive(t, drained)
	if !r.s.Writable() {
		t.Error("nothing waits, and it is not writable")
	}
}
