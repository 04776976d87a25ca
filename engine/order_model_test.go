package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
	"pgregory.net/rapid"
)

// world is a server on two fake loops beside what must be true of it.
type world struct {
	k       *fakes
	conns   []*fakeConn
	rs      []*recorder
	polls   []bool
	groups  map[string]map[int]bool
	want    [][]string
	got     [][]string
	closed  []bool
	paused  []bool // polls no more: it changes to WebSocket
	counter int
}

func newWorld(t testing.TB, sessions int) *world {
	// two writes are a turn, so that turns come between everything
	w := &world{k: startFake(t, 2, engine.Options{TurnWrites: 2}), groups: make(map[string]map[int]bool)}
	for i := range sessions {
		w.open(i%2, i%4 == 3)
	}
	w.k.run()
	return w
}

func (w *world) open(loop int, poll bool) {
	var c *fakeConn
	var r *recorder
	if poll {
		c, r = w.k.openPolling(loop)
	} else {
		c, r = w.k.openWS(loop)
		if w.counter%2 == 0 {
			c.narrow(w.k.t) // some block now and then
		}
	}
	w.conns, w.rs, w.polls = append(w.conns, c), append(w.rs, r), append(w.polls, poll)
	w.want, w.got, w.closed, w.paused = append(w.want, nil), append(w.got, nil), append(w.closed, false), append(w.paused, false)
}

// message makes the next message: now and then a big one.
func (w *world) message() (*engine.Frame, string) {
	w.counter++
	s := strconv.Itoa(w.counter)
	if w.counter%17 == 0 {
		s += strings.Repeat("x", 20_000)
	}
	return text(s), "4" + s
}

func (w *world) send(i int) {
	f, s := w.message()
	w.rs[i].s.Send(f)
	f.Release()
	w.expect(i, s)
}

func (w *world) expect(i int, s string) {
	if !w.closed[i] {
		w.want[i] = append(w.want[i], s)
	}
}

func (w *world) join(i int, group string) {
	w.rs[i].s.Join(group)
	if w.groups[group] == nil {
		w.groups[group] = make(map[int]bool)
	}
	if !w.closed[i] {
		w.groups[group][i] = true
	}
}

func (w *world) leave(i int, group string) {
	w.rs[i].s.Leave(group)
	delete(w.groups[group], i)
}

func (w *world) publish(in, except []string, named, exceptNamed []int) {
	f, s := w.message()
	w.k.srv.Publish(f, &engine.Target{Groups: in, ExceptGroups: except, Sessions: w.sessions(named), ExceptSessions: w.sessions(exceptNamed)})
	f.Release()
	for i := range w.rs {
		is := func(group string) bool { return w.groups[group][i] }
		wanted := slices.Contains(named, i) || slices.ContainsFunc(in, is)
		if wanted && !slices.Contains(exceptNamed, i) && !slices.ContainsFunc(except, is) {
			w.expect(i, s)
		}
	}
}

func (w *world) sessions(named []int) (all []*engine.Session) {
	for _, i := range named {
		all = append(all, w.rs[i].s)
	}
	return all
}

func (w *world) close(i int) {
	w.rs[i].s.Close()
	w.closed[i] = true
	for _, g := range w.groups {
		delete(g, i)
	}
}

// turn lets one loop do one turn.
func (w *world) turn(loop int) { w.k.loops[loop].runOne() }

// receive lets every client read what there is.
func (w *world) receive() {
	w.k.run()
	for i, c := range w.conns {
		if w.polls[i] {
			w.poll(i)
			continue
		}
		for _, f := range c.frames() {
			if f.op == gobwas.OpText {
				w.got[i] = append(w.got[i], f.String())
			}
		}
		c.flush()
	}
	w.k.advance(engine.TickLength)
}

func (w *world) poll(i int) {
	c := w.conns[i]
	c.drain()
	if c.got.Len() == 0 && !c.closed && !w.paused[i] {
		c.deliver(requestText("GET", pollURL+"&sid="+w.rs[i].s.ID(), "", ""))
	}
	w.collect(i)
}

// collect takes what polls were answered.
func (w *world) collect(i int) {
	c := w.conns[i]
	c.drain()
	br := bufio.NewReader(&c.got)
	for {
		if _, err := br.Peek(1); err != nil {
			return // a poll that is held has no answer yet
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			w.k.t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		for _, p := range strings.Split(string(body), sep) {
			if strings.HasPrefix(p, "4") {
				w.got[i] = append(w.got[i], p)
			}
		}
	}
}

// check requires that everybody has got what the model says, in that order.
func (w *world) check(t *rapid.T) {
	for range 300 {
		w.receive()
		if slices.EqualFunc(w.want, w.got, func(a, b []string) bool { return len(a) <= len(b) }) {
			break
		}
	}
	w.receive()
	for i := range w.want {
		if !slices.Equal(w.want[i], w.got[i]) {
			t.Errorf("session %d (polling: %v, closed: %v)\n got %s\nwant %s", i, w.polls[i], w.closed[i], brief(w.got[i]), brief(w.want[i]))
		}
	}
}

func brief(all []string) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, " %.5s", s)
	}
	return b.String()
}

func TestEverySessionReceivesWhatTheModelSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const sessions = 9
		w := newWorld(t, sessions)
		defer w.k.close()
		one := rapid.IntRange(0, sessions-1)
		some := rapid.SliceOfN(one, 0, 4)
		group := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		groups := rapid.SliceOfN(group, 0, 3)
		rt.Repeat(map[string]func(*rapid.T){
			"send":  func(t *rapid.T) { w.send(one.Draw(t, "to")) },
			"join":  func(t *rapid.T) { w.join(one.Draw(t, "who"), group.Draw(t, "group")) },
			"leave": func(t *rapid.T) { w.leave(one.Draw(t, "who"), group.Draw(t, "group")) },
			"publish": func(t *rapid.T) {
				w.publish(groups.Draw(t, "in"), rapid.SliceOfN(group, 0, 1).Draw(t, "except"), some.Draw(t, "named"), rapid.SliceOfN(one, 0, 2).Draw(t, "except"))
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "seldom") == 0 {
					w.close(one.Draw(t, "who"))
				}
			},
			"turn":    func(t *rapid.T) { w.turn(rapid.IntRange(0, 1).Draw(t, "loop")) },
			"receive": func(*rapid.T) { w.receive() },
		})
		w.check(rt)
	})
}

// Many goroutines at once: each one's messages keep their order, and each session
// gets all that is meant for it.
func TestEveryGoroutinesOrderIsKept(t *testing.T) {
	const sessions, goroutines, messages = 6, 4, 300
	f := start(t, engine.Options{Loops: 2})
	var conns []*wsConn
	var all []*engine.Session
	for range sessions {
		c, o := f.openWS()
		conns, all = append(conns, c), append(all, f.session(o.SID).s)
	}
	for i, s := range all { // a publish does not overtake a join of the same goroutine
		s.Join("all")
		if i%2 == 0 {
			s.Join("even")
		}
	}
	var senders sync.WaitGroup
	for g := range goroutines {
		senders.Go(func() {
			own := fmt.Sprint("own ", g)
			for i := range messages {
				fr := text(fmt.Sprintf("%d %d", g, i))
				switch i % 4 {
				case 0:
					for _, s := range all {
						s.Send(fr)
					}
				case 1:
					f.srv.Publish(fr, &engine.Target{Groups: []string{"even", "all"}})
				case 2:
					f.srv.Publish(fr, &engine.Target{Sessions: all})
				case 3: // in a group of its own, and out again
					for _, s := range all {
						s.Join(own)
					}
					f.srv.Publish(fr, &engine.Target{Groups: []string{own}})
					for _, s := range all {
						s.Leave(own)
					}
					lost := text("to nobody")
					f.srv.Publish(lost, &engine.Target{Groups: []string{own}})
					lost.Release()
				}
				fr.Release()
			}
		})
	}
	for n, c := range conns {
		var next [goroutines]int
		for range goroutines * messages {
			var g, i int
			if got := c.text(); !scan(got, &g, &i) || i != next[g] {
				t.Fatalf("session %d got %q, want message %d of that goroutine", n, got, next[g])
			}
			next[g]++
		}
	}
	senders.Wait()
}

func scan(s string, g, i *int) bool {
	_, err := fmt.Sscanf(s, "4%d %d", g, i)
	return err == nil
}
