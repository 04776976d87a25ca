package socketio_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"pgregory.net/rapid"
)

// guest is a client that comes and goes, and what the model says of it.
type guest struct {
	*revenant
	s     *socketio.Socket
	rooms map[string]bool
	away  bool
	due   []due // what it has not read yet
}

// due is an event that a client is to get. One that is lost with the connection is
// volatile.
type due struct {
	packet   string
	volatile bool
}

// reads takes the next n events.
func (g *guest) reads(n int) {
	g.Helper()
	for _, d := range g.due[:n] {
		g.gets(d.packet)
	}
	g.due = g.due[n:]
}

// leaves loses the connection, and with it what was on its way; known says whether the
// server learns of it.
func (g *guest) leaves(w *watched, known bool) {
	g.Helper()
	if known {
		w.loses(g.revenant)
	}
	g.away = true
	g.due = slices.DeleteFunc(g.due, func(d due) bool { return d.volatile })
}

// comes back, to what it has missed.
func (g *guest) comesBack(w *watched) {
	g.Helper()
	if !g.returns(g.TB, w.addr) {
		g.Fatal("not recovered")
	}
	g.s = w.socket(g, g.sid)
	if len(g.before) > len(g.due) {
		g.Fatalf("missed %q, but %v was due", g.before, g.due)
	}
	for i, got := range g.before {
		if got != g.due[i].packet {
			g.Fatalf("missed event %d: %s, want %s", i, got, g.due[i].packet)
		}
	}
	g.due = g.due[len(g.before):]
	g.away = false
	rooms := g.s.Rooms()
	if len(rooms) != len(g.rooms)+1 {
		g.Fatalf("rooms %q, want %v", rooms, g.rooms)
	}
	for r := range g.rooms {
		if !slices.Contains(rooms, r) {
			g.Fatalf("rooms %q, want %v", rooms, g.rooms)
		}
	}
}

// party is one run of the model.
type party struct {
	*rapid.T
	w      *watched
	guests []*guest
	rooms  []string
	count  int
}

// emit sends an event, and enters it with those who are to get it.
func (p *party) emit(to, except []string, volatile bool) {
	p.count++
	op := p.w.To(to...).Except(except...)
	if volatile {
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

// audience draws rooms, or ids of guests.
func (p *party) audience(most int, label string) []string {
	names := slices.Clone(p.rooms)
	for _, g := range p.guests {
		names = append(names, g.sid)
	}
	return rapid.SliceOfN(rapid.SampledFrom(names), 0, most).Draw(p.T, label)
}

func (p *party) guest() *guest { return rapid.SampledFrom(p.guests).Draw(p.T, "guest") }

// present draws a guest that is there; the run skips the step if it draws one that is not.
func (p *party) present() *guest {
	g := p.guest()
	if g.away {
		p.Skip("away")
	}
	return g
}

// Whatever clients join and leave, whoever is emitted to, and whenever connections are
// lost, known to the server or not: each client gets what was for it once, in order.
func TestRecoveryModel(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		p := &party{T: rt, w: w, rooms: []string{fmt.Sprint("a", run), fmt.Sprint("b", run), fmt.Sprint("c", run)}}
		for range 3 {
			c, s := w.visitor(t)
			p.guests = append(p.guests, &guest{revenant: c, s: s, rooms: make(map[string]bool)})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"emit": func(*rapid.T) {
				p.emit(p.audience(2, "to"), p.audience(1, "except"), rapid.Bool().Draw(rt, "volatile"))
			},
			"emit alone": func(*rapid.T) {
				g := p.guest()
				p.count++
				must(t, g.s.Emit("n", p.count))
				g.due = append(g.due, due{packet: fmt.Sprintf(`42["n",%d]`, p.count)})
			},
			"join": func(*rapid.T) {
				g, room := p.present(), rapid.SampledFrom(p.rooms).Draw(rt, "room")
				must(t, g.s.Join(room))
				g.rooms[room] = true
			},
			"leave": func(*rapid.T) {
				g, room := p.present(), rapid.SampledFrom(p.rooms).Draw(rt, "room")
				g.s.Leave(room)
				delete(g.rooms, room)
			},
			"read": func(*rapid.T) {
				g := p.present()
				g.reads(rapid.IntRange(0, len(g.due)).Draw(rt, "events"))
			},
			"lose": func(*rapid.T) { p.present().leaves(w, true) },
			"lose without a word": func(*rapid.T) {
				g := p.present()
				g.leaves(w, false)
				g.comesBack(w)
			},
			"return": func(*rapid.T) {
				if g := p.guest(); g.away {
					g.comesBack(w)
				}
			},
		})
		for _, g := range p.guests {
			if g.away {
				g.comesBack(w)
			}
			g.reads(len(g.due))
		}
		must(t, w.To(p.guests[0].sid, p.guests[1].sid, p.guests[2].sid).Emit("end"))
		for _, g := range p.guests {
			g.gets(`42["end"]`)
			g.s.Disconnect(true)
			g.expectClosed()
		}
	})
	eventually(t, "nobody is waited for", func() bool { return w.Stats().Recovery.Waiting == 0 })
	if st := w.Stats().Recovery; st.Refused > 0 || st.Recovered == 0 {
		t.Errorf("%+v", st)
	}
	if n := socketio.LogRooms(w.Server); n > 1 {
		t.Errorf("%d rooms are remembered", n)
	}
}

// An offset is read as it was written, and nothing else is one.
func FuzzOffset(f *testing.F) {
	v := socketio.New(socketio.Options{})
	for _, n := range []uint64{0, 1, 63, 64, 1 << 20, 1<<48 - 1} {
		f.Add(socketio.FormatOffset(v, n), n)
	}
	f.Add("", uint64(0))
	f.Add(strings.Repeat("-", 14), uint64(7))
	f.Fuzz(func(t *testing.T, s string, n uint64) {
		n &= 1<<48 - 1
		text := socketio.FormatOffset(v, n)
		if got, ok := socketio.ParseOffset(v, text); !ok || got != n {
			t.Errorf("%q is %d %v, want %d", text, got, ok, n)
		}
		if n > 0 && socketio.FormatOffset(v, n-1) >= text {
			t.Errorf("%d does not sort before %d", n-1, n)
		}
		if got, ok := socketio.ParseOffset(v, s); ok && socketio.FormatOffset(v, got) != s {
			t.Errorf("%q is read as %d, which is %q", s, got, socketio.FormatOffset(v, got))
		}
	})
}

// Whatever a CONNECT packet holds, it is a key or it is not.
func FuzzRecoveryKey(f *testing.F) {
	pid := strings.Repeat("x", 20)
	for _, s := range []string{``, `{}`, `{"pid":"` + pid + `"}`, `{"pid":"` + pid + `","offset":"o"}`, `{"pid":7}`, `{"pid":"` + pid + `","offset":7}`,
		`{"token":{"pid":"` + pid + `"}}`, `{"PID":"` + pid + `"}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, auth []byte) {
		pid, _, ok := socketio.RecoveryKey(auth)
		if ok && !strings.Contains(string(auth), "pid") && !strings.Contains(string(auth), `\u`) {
			t.Errorf("a key in %q: %q", auth, pid)
		}
	})
}
