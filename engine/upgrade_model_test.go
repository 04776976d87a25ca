package engine_test

import (
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
	"pgregory.net/rapid"
)

// mover is a client that polls, and changes to WebSocket in the middle of whatever it
// is sent, as a stock client does: it probes, lets the polls that are out come back
// and sends no other, then says that it has moved.
type mover struct {
	w    *world
	i    int // of the session, in the world
	ws   *fakeConn
	next func(m *mover) // the step to come; nil when it has moved, or may not
}

func newMover(w *world, i int) *mover { return &mover{w: w, i: i, next: (*mover).connect} }

func (m *mover) connect() {
	m.ws = m.w.k.connect(m.i % 2)
	m.ws.deliver(requestText("GET", wsURL+"&sid="+m.w.rs[m.i].s.ID(), wsHeader+"\r\n", ""))
	m.next = (*mover).probe
}

func (m *mover) probe() {
	m.ws.sendText("2probe")
	m.next = (*mover).pause
}

// pause comes when 3probe does. A server that has closed the session closes the
// WebSocket, and what there is to say comes with the polls.
func (m *mover) pause() {
	w := m.w
	w.k.run()
	m.ws.drain()
	if m.ws.got.Len() == 0 || m.handshaken() != "3probe" {
		m.next = nil
		return
	}
	w.collect(m.i)
	w.paused[m.i] = true
	m.next = (*mover).upgrade
}

// handshaken is the first text behind the 101, or nothing.
func (m *mover) handshaken() string {
	b := m.ws.got.Bytes()
	if i := slices.Index(b, '\x81'); i >= 0 { // no byte of the 101 is this
		m.ws.got.Next(i)
		if texts := m.ws.texts(); len(texts) == 1 {
			return texts[0]
		}
	}
	return ""
}

func (m *mover) upgrade() {
	w := m.w
	w.collect(m.i)
	for _, f := range m.ws.frames() {
		if f.op == gobwas.OpClose { // the session was closed: polls say how
			w.paused[m.i], m.next = false, nil
			return
		}
	}
	if w.counter%2 == 0 {
		m.ws.narrow(w.k.t)
	}
	m.ws.sendText("5")
	w.conns[m.i], w.polls[m.i], m.next = m.ws, false, nil
}

func (m *mover) step() bool {
	if m.next != nil {
		m.next(m)
	}
	return m.next != nil
}

// What is sent and published during the change to WebSocket arrives once and in
// order, whichever way it takes.
func TestAnUpgradeLosesAndDoublesNothing(t *testing.T) {
	moved := 0
	rapid.Check(t, func(rt *rapid.T) {
		const sessions = 6
		w := &world{k: startFake(t, 2, engine.Options{TurnWrites: 2}), groups: make(map[string]map[int]bool)}
		defer w.k.close()
		var movers []*mover
		for i := range sessions {
			poll := i < 4
			if w.open(i%2, poll); poll {
				movers = append(movers, newMover(w, i))
			}
			w.join(i, "all")
		}
		w.k.run()
		one := rapid.IntRange(0, sessions-1)
		rt.Repeat(map[string]func(*rapid.T){
			"send":    func(t *rapid.T) { w.send(one.Draw(t, "to")) },
			"publish": func(t *rapid.T) { w.publish([]string{"all"}, nil, nil, rapid.SliceOfN(one, 0, 2).Draw(t, "except")) },
			"move":    func(t *rapid.T) { movers[rapid.IntRange(0, 3).Draw(t, "who")].step() },
			"turn":    func(t *rapid.T) { w.turn(rapid.IntRange(0, 1).Draw(t, "loop")) },
			"poll": func(t *rapid.T) {
				if i := rapid.IntRange(0, 3).Draw(t, "who"); w.polls[i] {
					w.poll(i)
				}
			},
			"receive": func(*rapid.T) { w.receive() },
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") == 0 {
					w.close(one.Draw(t, "who"))
				}
			},
		})
		for _, m := range movers {
			for m.step() {
				w.k.run()
			}
			if !w.polls[m.i] {
				moved++
			}
		}
		w.check(rt)
	})
	if moved == 0 {
		t.Error("no session has changed to WebSocket")
	}
	t.Logf("%d sessions have changed to WebSocket", moved)
}
