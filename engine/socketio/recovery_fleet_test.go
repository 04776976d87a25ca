package socketio_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"pgregory.net/rapid"
)

// caravan is one run of the model with several servers.
type caravan struct {
	*rapid.T
	f      *fleet
	guests []*guest
	at     []int // the server of each guest, or the last it was on
	rooms  []string
	count  int
}

func (p *caravan) server(label string) int {
	return rapid.IntRange(0, len(p.f.servers)-1).Draw(p.T, label)
}

// emit sends an event from some server, and enters it with those who are to get it.
func (p *caravan) emit(op socketio.BroadcastOperator, to, except []string, volatile bool) {
	p.count++
	if op = op.To(to...).Except(except...); volatile {
		p.calm() // it would overtake
		op = op.Volatile()
	}
	must(p.guests[0], op.Emit("n", p.count))
	for _, g := range p.guests {
		in := func(room string) bool { return room == g.sid || g.rooms[room] }
		if (len(to) == 0 || slices.ContainsFunc(to, in)) && !slices.ContainsFunc(except, in) && (!volatile || !g.away) {
			g.due = append(g.due, due{fmt.Sprintf(`42["n",%d]`, p.count), volatile})
		}
	}
}

// calm has all servers deliver everything.
func (p *caravan) calm() {
	for _, w := range p.f.servers {
		p.f.stalls(w.Server, false)
	}
	p.f.settle(p.guests[0])
}

func (p *caravan) audience(most int, label string) []string {
	names := slices.Clone(p.rooms)
	for _, g := range p.guests {
		names = append(names, g.sid)
	}
	return rapid.SliceOfN(rapid.SampledFrom(names), 0, most).Draw(p.T, label)
}

func (p *caravan) guest() int { return rapid.IntRange(0, len(p.guests)-1).Draw(p.T, "guest") }

// present draws a guest that is there; the run skips the step if it draws one that is not.
func (p *caravan) present() int {
	i := p.guest()
	if p.guests[i].away {
		p.Skip("away")
	}
	return i
}

// abreast has a guest read all there is: what it joins and leaves then is in the right
// place of what other servers know of it, which is the rooms that it is in at the end.
func (p *caravan) abreast(g *guest) {
	p.calm()
	p.emit(p.f.servers[0].To(), nil, nil, false)
	p.calm()
	g.reads(len(g.due))
}

func (p *caravan) comesBack(i, server int) {
	g := p.guests[i]
	p.f.stalls(p.f.servers[server].Server, false) // it has to come to where the client is
	g.comesBack(p.f.servers[server])
	p.at[i] = server
}

// Whatever clients join and leave, whoever emits to whom on which server, however far
// behind servers are, and wherever clients go when they lose their connection, known to
// the server or not: each gets what was for it once, and all in one order.
func TestRecoveryOfAFleetModel(t *testing.T) {
	f := newFleet(t, 3, socketio.Options{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		p := &caravan{T: rt, f: f, rooms: []string{fmt.Sprint("a", run), fmt.Sprint("b", run), fmt.Sprint("c", run)}}
		p.at = make([]int, 3)
		for i := range p.at {
			c, s := f.roamer(t, i)
			p.at[i] = i
			p.guests = append(p.guests, &guest{revenant: c, s: s, rooms: make(map[string]bool)})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"emit": func(*rapid.T) {
				at := f.servers[p.server("server")]
				p.emit(at.To(), p.audience(2, "to"), p.audience(1, "except"), rapid.Bool().Draw(rt, "volatile"))
			},
			"emit alone": func(*rapid.T) {
				g := p.guests[p.present()]
				p.count++
				must(t, g.s.Emit("n", p.count))
				g.due = append(g.due, due{packet: fmt.Sprintf(`42["n",%d]`, p.count)})
			},
			"join": func(*rapid.T) {
				g, room := p.guests[p.present()], rapid.SampledFrom(p.rooms).Draw(rt, "room")
				p.abreast(g)
				must(t, g.s.Join(room))
				g.rooms[room] = true
			},
			"leave": func(*rapid.T) {
				g, room := p.guests[p.present()], rapid.SampledFrom(p.rooms).Draw(rt, "room")
				p.abreast(g)
				g.s.Leave(room)
				delete(g.rooms, room)
			},
			"stand still": func(*rapid.T) { f.stalls(f.servers[p.server("server")].Server, true) },
			"read": func(*rapid.T) {
				i := p.present()
				f.stalls(f.servers[p.at[i]].Server, false)
				p.guests[i].reads(rapid.IntRange(0, len(p.guests[i].due)).Draw(rt, "events"))
			},
			"lose": func(*rapid.T) { i := p.present(); p.guests[i].leaves(f.servers[p.at[i]], true) },
			"lose without a word": func(*rapid.T) {
				i := p.present()
				p.guests[i].leaves(f.servers[p.at[i]], false)
				p.comesBack(i, p.server("server"))
			},
			"return": func(*rapid.T) {
				if i := p.guest(); p.guests[i].away {
					p.comesBack(i, p.server("server"))
				}
			},
		})
		p.calm()
		for i, g := range p.guests {
			if g.away {
				p.comesBack(i, p.server("server"))
			}
			g.reads(len(g.due))
		}
		must(t, f.servers[0].To(p.guests[0].sid, p.guests[1].sid, p.guests[2].sid).Emit("end"))
		for _, g := range p.guests {
			g.gets(`42["end"]`)
			g.s.Disconnect(true)
			g.expectClosed()
		}
	})
	for _, w := range f.servers {
		eventually(t, "nobody is waited for", func() bool { return w.Stats().Recovery.Waiting == 0 })
		if st := w.Stats().Recovery; st.Refused > 0 || st.Recovered == 0 {
			t.Errorf("%+v", st)
		}
	}
}
