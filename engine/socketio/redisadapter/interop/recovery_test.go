package interop_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// move is a client that loses its connection to one server and comes back to another.
type move struct {
	*testing.T
	f        *fleet
	from, to *member
	gate     *gate
	client   *clienttest.Client
}

// recoveries are what happens meanwhile, and what the client has to say of it.
var recoveries = []struct {
	name string
	away func(m *move) // while it is
	back func(m *move) // and after it has come back
	want string
	ours bool // Node's servers make something else of it
}{
	{
		name: "with what it missed, from both servers", want: `recovered: true, 2 "red", 3 "all", 4 "id", 5 {"$bin":"AQID/w=="}, 6 "here"`,
		away: func(m *move) {
			m.emit(m.from, order{Rooms: list("red")}, 2, "red")
			m.emit(m.to, order{}, 3, "all")
			m.emit(m.from, order{Rooms: list("elsewhere")}, -1)
			m.emit(m.from, order{Except: list("red")}, -2)
			m.emit(m.from, order{Namespace: "/chat"}, -3)
			m.emit(m.from, order{Rooms: list(m.client.ID(), "red")}, 4, "id")
			m.emit(m.to, order{Rooms: list("red", "elsewhere")}, 5, four)
		},
		back: func(m *move) { m.emit(m.to, order{Rooms: list(m.client.ID())}, 6, "here") },
	},
	{
		name: "in its rooms, for all servers", want: `recovered: true, 2 "red", 3 "id"`,
		away: func(*move) {},
		back: func(m *move) {
			m.emit(m.from, order{Rooms: list("red")}, 2, "red")
			m.emit(m.from, order{Rooms: list(m.client.ID())}, 3, "id")
			m.found(m.from, "red")
		},
	},
	{
		name: "after 300 events for others and 100 of its own", want: `recovered: true, 2 "red" and 99 more`,
		away: func(m *move) {
			for i := range 100 {
				m.emit(m.from, order{Rooms: list("red")}, 2+i, "red")
				m.to.do(m.T, order{Op: "sequence", Rooms: list("elsewhere"), Event: "news", N: 3})
			}
		},
		back: func(*move) {},
	},
	{
		name: "without volatile events, which Node's servers repeat", want: `recovered: true, 3 "all"`, ours: true,
		away: func(m *move) {
			for _, by := range []*member{m.from, m.to} {
				by.do(m.T, order{Op: "emit", Event: "news", Args: list(2, "volatile"), Volatile: true})
			}
			m.emit(m.to, order{}, 3, "all")
		},
		back: func(*move) {},
	},
}

// emit sends one numbered event, and waits until it is in the stream: that of another server comes behind it then.
func (m *move) emit(by *member, o order, number int, args ...any) {
	m.Helper()
	o.Op, o.Event, o.Args = "emit", "news", append([]any{number}, args...)
	before := m.f.store.Command("XINFO", "STREAM", m.f.prefix)
	by.do(m.T, o)
	eventually(m.T, func() (string, bool) {
		return "it is not in the stream", m.f.store.Command("XINFO", "STREAM", m.f.prefix) != before
	})
}

// found waits until a server finds the client in a room.
func (m *move) found(by *member, room any) {
	m.Helper()
	eventually(m.T, func() (string, bool) {
		for _, s := range by.do(m.T, order{Op: "fetch", Rooms: list(room)}).Sockets {
			if s.ID == m.client.ID() {
				return "", true
			}
		}
		return fmt.Sprintf("%s does not find the client in %v", by.name, room), false
	})
}

// TestRecovery has clients come back to another server than the one they were lost on, over Redis Streams.
func TestRecovery(t *testing.T) {
	t.Parallel()
	h := openHall(t)
	for _, p := range pairsOf() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			f := openFleet(t, h, streams, true, p.a, p.b)
			f.settle(t, h)
			f.comeAndGo(t, h, 0, p.a+" to "+p.b)
			if p.a != p.b {
				f.comeAndGo(t, h, 1, p.b+" to "+p.a)
			}
		})
	}
}

// comeAndGo runs all recoveries from the server with that number to the other.
func (f *fleet) comeAndGo(t *testing.T, h *hall, from int, direction string) {
	for _, r := range recoveries {
		if _, ok := f.servers[1-from].server.(*goServer); r.ours && !ok {
			continue
		}
		t.Run(direction+"/"+r.name, func(t *testing.T) {
			m := &move{T: t, f: f, from: f.servers[from], to: f.servers[1-from], gate: openGate(t)}
			m.leave(h)
			r.away(m)
			m.gate.lead(m.to.url())
			state := m.client.WaitReconnect()
			if state.SID != m.client.ID() {
				t.Errorf("the client is %s, was %s", state.SID, m.client.ID())
			}
			r.back(m)
			got := fmt.Sprintf("recovered: %v, %s", state.Recovered, m.received())
			if got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
		})
	}
}

// leave has a client come, join a room, receive an event, and lose its connection.
func (m *move) leave(h *hall) {
	m.Helper()
	m.gate.lead(m.from.url())
	m.client = h.driver.Connect(m.T, clienttest.ClientOptions{URL: m.gate.url, Transports: clienttest.WebSocket, Reconnect: true})
	m.from.do(m.T, order{Op: "enter", ID: m.client.ID(), Targets: list("red")})
	m.emit(m.from, order{Rooms: list(m.client.ID())}, 1)
	m.client.Wait("news", 1)
	m.gate.lead("")
	m.client.WaitDisconnect()
	eventually(m.T, func() (string, bool) {
		there := len(m.from.do(m.T, order{Op: "fetch", Local: true, Rooms: list(m.client.ID())}).Sockets)
		kept := m.f.store.Command("KEYS", m.f.prefix+":session:*")
		return fmt.Sprintf("%d sockets there, sessions %q", there, kept), there == 0 && kept != ""
	})
}

var offset = regexp.MustCompile(`^"\d+-\d+"$`)

// received is what the client has got since, up to a fence. Every event has its offset as the last argument.
func (m *move) received() string {
	m.Helper()
	m.emit(m.to, order{}, 1000)
	var list []string
	for {
		args := m.client.Wait("news", 1)[0]
		if last := len(args) - 1; last < 0 || !offset.Match(args[last]) {
			m.Errorf("no offset in %s", args)
		} else {
			args = args[:last]
		}
		if string(args[0]) == "1000" {
			return shorter(list)
		}
		list = append(list, text(args))
	}
}

func text(args []json.RawMessage) string {
	var all []string
	for _, a := range args {
		all = append(all, normal(a))
	}
	return strings.Join(all, " ")
}

func shorter(list []string) string {
	if len(list) > 10 {
		return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
	}
	return strings.Join(list, ", ")
}
