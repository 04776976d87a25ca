package socketio_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"pgregory.net/rapid"
)

// stage is a server, and who is there to act: the model of what each client must
// receive. One goroutine emits, so that its order is defined. The handlers emit, too:
// what each socket's handlers emit is a stream of its own.
type stage struct {
	testing.TB
	io      *socketio.Server
	addr    string
	came    chan *socketio.Socket
	actors  []*actor
	counter int
}

// actor is a client, its socket and what the model says of it.
type actor struct {
	wire
	s     *socketio.Socket
	poll  bool
	rooms map[string]bool
	gone  bool                // it was disconnected by the server
	hung  bool                // with its connection
	want  map[string][]string // by stream
	got   chan map[string][]string
	asks  int
	acks  atomic.Int64 // received
}

// mainStream is what the emitting goroutine sends; others are named after an actor.
const mainStream = "main"

func newStage(t *testing.T) *stage {
	g := &stage{TB: t, came: make(chan *socketio.Socket, 1)}
	g.io = socketio.New(quiet(socketio.Options{TurnWrites: 2, PingInterval: time.Hour, KeepHandshake: true}))
	g.io.OnConnect(func(_ ctxt, s *socketio.Socket) error { g.came <- s; return nil })
	ask := func(_ ctxt, s *socketio.Socket, a struct {
		socketio.Tuple
		Who, N int
	}) (string, error) {
		if err := s.Emit("own", a.Who, a.N); err != nil {
			return "", err
		}
		if err := g.io.Emit("from", a.Who, a.N); err != nil {
			return "", err
		}
		return "acknowledged", s.Emit("own too", a.Who, a.N)
	}
	socketio.OnAck(g.io, "pooled", ask)
	socketio.OnAck(g.io, "inline", ask, socketio.Inline)
	g.addr = start(t, g.io)
	return g
}

// enter opens the clients of one run, each with a goroutine that reads.
func (g *stage) enter(websockets, pollers int) {
	g.Helper()
	for i := range websockets + pollers {
		a := &actor{poll: i >= websockets, rooms: make(map[string]bool), want: make(map[string][]string), got: make(chan map[string][]string, 1)}
		if a.poll {
			a.wire = dialPolling(g, g.addr)
		} else {
			a.wire = dial(g, g.addr)
		}
		id := enter(a.wire, "40", "40")
		a.s = receive(g, g.came)
		if a.s.ID() != id {
			g.Fatalf("socket %s came instead of %s", a.s.ID(), id)
		}
		g.actors = append(g.actors, a)
	}
	for i, a := range g.actors {
		go a.listen(i)
	}
}

// listen sorts what comes by stream, up to the end of the run or of the socket.
func (a *actor) listen(i int) {
	got := make(map[string][]string)
	stream := ""
	defer func() { a.got <- got }()
	for {
		s := a.read()
		var who, n int
		switch {
		case strings.HasPrefix(s, "binary:"): // belongs to what came before
		case strings.HasPrefix(s, "43"):
			stream = fmt.Sprint("handlers of ", i)
			a.acks.Add(1)
		case anyOf(s, &who, &n, `42["own",%d,%d]`, `42["own too",%d,%d]`, `42["from",%d,%d]`):
			stream = fmt.Sprint("handlers of ", who)
		default:
			stream = mainStream
		}
		got[stream] = append(got[stream], s)
		if s == `42["end"]` || s == "41" {
			return
		}
	}
}

func anyOf(s string, who, n *int, formats ...string) bool {
	return slices.ContainsFunc(formats, func(f string) bool { _, err := fmt.Sscanf(s, f, who, n); return err == nil })
}

// message makes the next event: its arguments and how they arrive.
func (g *stage) message() (args []any, packets []string) {
	g.counter++
	n := g.counter
	switch n % 11 {
	case 3: // a binary event
		return []any{n, []byte("one"), []byte("two")}, []string{
			fmt.Sprintf(`452-["m",%d,{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, n), "binary:one", "binary:two"}
	case 7: // more than the kernel takes at once
		big := strings.Repeat("x", 60_000)
		return []any{n, big}, []string{fmt.Sprintf(`42["m",%d,"%s"]`, n, big)}
	}
	return []any{n}, []string{fmt.Sprintf(`42["m",%d]`, n)}
}

// emit sends the next event to those whom the model selects.
func (g *stage) emit(to socketio.Emitter, selects func(a *actor) bool) {
	args, packets := g.message()
	if err := to.Emit("m", args...); err != nil && err != socketio.ErrDisconnected {
		g.Fatal(err)
	}
	for _, a := range g.actors {
		if !a.gone && selects(a) {
			a.want[mainStream] = append(a.want[mainStream], packets...)
		}
	}
}

// in is the model of To and Except: no rooms in to mean everyone.
func (a *actor) in(to, except []string) bool {
	is := func(room string) bool { return a.rooms[room] || a.s.ID() == room }
	return (len(to) == 0 || slices.ContainsFunc(to, is)) && !slices.ContainsFunc(except, is)
}

// ask has the client send an event that is acknowledged.
func (g *stage) ask(i int, event string) {
	a := g.actors[i]
	if a.gone {
		return
	}
	a.asks++
	a.send(fmt.Sprintf(`42%d["%s",%d,%d]`, a.asks, event, i, a.asks))
	stream := fmt.Sprint("handlers of ", i)
	for _, o := range g.actors {
		if o == a {
			a.want[stream] = append(a.want[stream], fmt.Sprintf(`42["own",%d,%d]`, i, a.asks))
		}
		if !o.gone {
			o.want[stream] = append(o.want[stream], fmt.Sprintf(`42["from",%d,%d]`, i, a.asks))
		}
		if o == a {
			a.want[stream] = append(a.want[stream], fmt.Sprintf(`42["own too",%d,%d]`, i, a.asks), fmt.Sprintf(`43%d["acknowledged"]`, a.asks))
		}
	}
}

// quiesce waits until every event asked is acknowledged: its handler has returned then,
// and whoever is disconnected next was sent before that what it emitted.
func (g *stage) quiesce() {
	g.Helper()
	for _, a := range g.actors {
		eventually(g, "all events are acknowledged", func() bool { return a.gone || int(a.acks.Load()) == a.asks })
	}
}

func (g *stage) disconnect(i int, hangUp bool) {
	a := g.actors[i]
	if a.gone {
		return
	}
	g.quiesce()
	a.s.Disconnect(hangUp)
	a.want[mainStream] = append(a.want[mainStream], "41")
	a.gone, a.hung = true, hangUp
}

// leave compares, and takes everybody off the stage.
func (g *stage) leave(t *rapid.T) {
	g.quiesce()
	if err := g.io.Emit("end"); err != nil {
		t.Fatal(err)
	}
	for i, a := range g.actors {
		if !a.gone {
			a.want[mainStream] = append(a.want[mainStream], `42["end"]`)
		}
		got := receive(g, a.got)
		for stream := range merged(got, a.want) {
			if !slices.Equal(got[stream], a.want[stream]) {
				t.Errorf("client %d (polling: %v, gone: %v), %s\n got %s\nwant %s", i, a.poll, a.gone, stream, shortened(got[stream]), shortened(a.want[stream]))
			}
		}
		if a.gone && !a.hung { // nothing came behind the DISCONNECT: the next thing is the answer to this
			enter(a.wire, "40", "40")
			receive(g, g.came)
		}
		a.vanish()
	}
	g.actors = nil
	eventually(g, "nobody is left", func() bool { return g.io.Stats().Sockets["/"] == 0 })
}

func merged(a, b map[string][]string) map[string]bool {
	all := make(map[string]bool)
	for _, m := range []map[string][]string{a, b} {
		for k := range m {
			all[k] = true
		}
	}
	return all
}

func shortened(all []string) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, " %.24s", s)
	}
	return b.String()
}

// Whatever a program sends in whatever way, every client receives what it is meant to,
// in the order of the sending.
func TestEveryClientReceivesWhatTheModelSays(t *testing.T) {
	g := newStage(t)
	rapid.Check(t, func(rt *rapid.T) {
		const websockets, pollers = 4, 2
		g.enter(websockets, pollers)
		one := rapid.IntRange(0, websockets+pollers-1)
		rooms := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 2)
		ids := func(t *rapid.T, label string) (all []string) { // rooms, and now and then an id
			all = rooms.Draw(t, label)
			if rapid.IntRange(0, 3).Draw(t, "an id") == 0 {
				all = append(all, g.actors[one.Draw(t, "whose")].s.ID())
			}
			return all
		}
		rt.Repeat(map[string]func(*rapid.T){
			"emit": func(t *rapid.T) {
				to := g.actors[one.Draw(t, "to")]
				g.emit(to.s, func(a *actor) bool { return a == to })
			},
			"emit to all": func(*rapid.T) { g.emit(g.io, func(*actor) bool { return true }) },
			"emit to rooms": func(t *rapid.T) {
				to, except := ids(t, "to"), ids(t, "except")
				g.emit(g.io.To(to...).Except(except...), func(a *actor) bool { return a.in(to, except) })
			},
			"broadcast": func(t *rapid.T) {
				from, to := g.actors[one.Draw(t, "from")], rooms.Draw(t, "to")
				g.emit(from.s.Broadcast().To(to...), func(a *actor) bool { return a != from && a.in(to, nil) })
			},
			"volatile": func(t *rapid.T) { // polling clients may lose them
				var except []string
				for _, a := range g.actors {
					if a.poll {
						except = append(except, a.s.ID())
					}
				}
				g.emit(g.io.Volatile().Except(except...), func(a *actor) bool { return !a.poll })
			},
			"join": func(t *rapid.T) {
				a, in := g.actors[one.Draw(t, "who")], rooms.Draw(t, "in")
				if err := a.s.Join(in...); err != nil {
					t.Fatal(err)
				}
				for _, r := range in {
					a.rooms[r] = true
				}
			},
			"leave": func(t *rapid.T) {
				a, out := g.actors[one.Draw(t, "who")], rooms.Draw(t, "out")
				a.s.Leave(out...)
				for _, r := range out {
					delete(a.rooms, r)
				}
			},
			"ask": func(t *rapid.T) {
				g.ask(one.Draw(t, "who"), rapid.SampledFrom([]string{"inline", "pooled"}).Draw(t, "event"))
			},
			"disconnect": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "seldom") == 0 {
					g.disconnect(one.Draw(t, "who"), rapid.Bool().Draw(t, "hang up"))
				}
			},
		})
		g.leave(rt)
	})
	if st := g.io.Stats(); st.Engine.VolatileDrops != 0 || st.Engine.SlowClosed != 0 || st.Panics+st.Errors+st.Violations != 0 {
		t.Errorf("%+v", st)
	}
}
