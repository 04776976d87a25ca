package interop_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// patience is never reached by a test that passes.
const patience = 30 * time.Second

// fleet is two servers or more that are connected over Redis, and clients of each.
type fleet struct {
	mode     *mode
	redis    string // URL
	prefix   string // of all its names in Redis
	recovery bool
	store    *redistest.Server
	servers  []*member
	playing  bool // a case has begun, and not ended
}

// member is one server of a fleet with its clients.
type member struct {
	server
	name    string
	clients []*clienttest.Client // 1 and 2 in "/", 3 in "/chat"
}

// odd and odder are namespaces with characters that are special in Redis' patterns. Node's classic adapter does not hear
// of the second, since it does not quote them.
const (
	odd   = "/a*b"
	odder = "/a[b]"
)

// lonely is a namespace that one server of a fleet has alone.
func lonely(name string) string { return "/lonely-" + name }

func (f *fleet) namespaces(name string) []string {
	return []string{"/", "/chat", odd, odder, lonely(name)}
}

var fleets atomic.Int64

// openFleet opens a server for each of the kinds, "node" or "go", and waits until they are connected.
func openFleet(t *testing.T, h *hall, m *mode, recovery bool, kinds ...string) *fleet {
	t.Helper()
	f := &fleet{mode: m, redis: h.store.URL, prefix: fmt.Sprintf("fleet%d", fleets.Add(1)), recovery: recovery, store: h.store}
	for i, kind := range kinds {
		one := &member{name: fmt.Sprintf("%s-%s-%d", f.prefix, kind, i)}
		if kind == "node" {
			one.server = openNode(t, h.node(t), one.name, f)
		} else {
			one.server = openGo(t, one.name, f)
		}
		f.servers = append(f.servers, one)
	}
	return f
}

// settle connects the clients and waits until every server hears the others.
func (f *fleet) settle(t *testing.T, h *hall) {
	t.Helper()
	for _, one := range f.servers {
		one.connect(t, h.driver)
		f.enter(t, one, 1, "red", "only "+one.name)
		f.enter(t, one, 2, "red", "blue")
		f.enter(t, one, 3, "red")
	}
	f.connected(t, h.driver)
}

// connected waits until every server hears the others.
func (f *fleet) connected(t *testing.T, d *clienttest.Driver) {
	t.Helper()
	for _, one := range f.servers {
		for _, n := range []string{"/", "/chat", odd, odder} {
			f.counted(t, one, n, len(f.servers))
		}
	}
	for _, room := range []string{"red", "blue"} {
		f.subscribed(t, "/", room, len(f.servers))
	}
	f.subscribed(t, "/chat", "red", len(f.servers))
	f.probe(t, d)
}

// connect brings a server its clients. They are called by names that no other client of the test has, and answer what
// they are asked with that.
func (m *member) connect(t *testing.T, d *clienttest.Driver) {
	t.Helper()
	for i := range 2 {
		m.clients = append(m.clients, d.Connect(t, clienttest.ClientOptions{
			URL: m.url(), Transports: clienttest.WebSocket, Auth: map[string]string{"token": fmt.Sprintf("token%d", i+1)},
			Query: map[string]string{"q": fmt.Sprintf("query%d", i+1)}, Headers: map[string]string{"X-Test": fmt.Sprintf("header%d", i+1)},
		}))
	}
	third, refusal := m.clients[0].Of("/chat", nil)
	if refusal != nil {
		t.Fatal(refusal)
	}
	m.clients = append(m.clients, third)
	for i, c := range m.clients {
		c.Answer("ask", m.label(i+1))
		c.AnswerEcho("mirror")
	}
	m.clients[0].Answer("half", m.label(1))
}

func (m *member) label(i int) string { return fmt.Sprintf("<%s.%d>", m.name, i) }

// enter has a client of a server join rooms.
func (f *fleet) enter(t testing.TB, m *member, client int, rooms ...any) {
	t.Helper()
	m.do(t, order{Op: "enter", Namespace: namespaceOf(client), ID: m.clients[client-1].ID(), Targets: rooms})
}

func namespaceOf(client int) string {
	if client == 3 {
		return "/chat"
	}
	return "/"
}

// counted waits until a server counts n servers of a namespace.
func (f *fleet) counted(t testing.TB, m *member, namespace string, n int) {
	t.Helper()
	eventually(t, func() (string, bool) {
		got := m.do(t, order{Op: "servers", Namespace: namespace}).Count
		return fmt.Sprintf("%s counts %d servers of %s, want %d", m.name, got, namespace, n), got == n
	})
}

// subscribed waits until so many servers hear what is sent to one room alone, where rooms have channels of their own:
// that begins a moment after the first socket has joined. A name as long as a socket's id is taken for one.
func (f *fleet) subscribed(t testing.TB, namespace, room string, servers int) {
	t.Helper()
	if !f.mode.dynamic || len(room) == 20 && f.mode.ours.Sharded.Subscriptions == redisadapter.Dynamic {
		return
	}
	channel := f.prefix + "#" + namespace + "#" + room + "#"
	eventually(t, func() (string, bool) {
		got := f.store.Command("PUBSUB", "SHARDNUMSUB", channel)
		return fmt.Sprintf("servers that hear the room %s: %q, want %d", room, got, servers), got == fmt.Sprintf("%s\n%d", channel, servers)
	})
}

// probe sends something from every server until every client has got it.
func (f *fleet) probe(t *testing.T, d *clienttest.Driver) {
	t.Helper()
	group, seen := f.group(t, d), make([]map[string]bool, 3*len(f.servers))
	eventually(t, func() (string, bool) {
		for _, one := range f.servers {
			one.do(t, order{Op: "emit", Event: "probe", Args: []any{one.name}})
			one.do(t, order{Op: "emit", Namespace: "/chat", Event: "probe", Args: []any{one.name}})
		}
		missing := 0
		for i, got := range group.Drain() {
			if seen[i] == nil {
				seen[i] = map[string]bool{}
			}
			for _, args := range got["probe"] {
				seen[i][string(args[0])] = true
			}
			missing += len(f.servers) - len(seen[i])
		}
		return fmt.Sprintf("%d probes are missing", missing), missing == 0
	})
	f.fence(t, group)
	group.Drain()
}

// group is all clients of a fleet.
func (f *fleet) group(t testing.TB, d *clienttest.Driver) *clienttest.Group {
	var all []*clienttest.Client
	for _, one := range f.servers {
		all = append(all, one.clients...)
	}
	return d.Group(t, all...)
}

// fence waits until every client has got everything that any server has sent before.
func (f *fleet) fence(t testing.TB, group *clienttest.Group) {
	t.Helper()
	for _, one := range f.servers {
		for _, n := range []string{"/", "/chat"} {
			one.do(t, order{Op: "emit", Namespace: n, Event: "fence"})
		}
	}
	group.Wait("fence", len(f.servers))
}

// eventually asks again and again, with a short rest, until the answer is yes.
func eventually(t testing.TB, ask func() (state string, ok bool)) {
	t.Helper()
	deadline := time.Now().Add(patience + window())
	for rest := 5 * time.Millisecond; ; rest = min(2*rest, 100*time.Millisecond) {
		state, ok := ask()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("within %s: %s", patience, state)
		}
		time.Sleep(rest)
	}
}

// readable replaces what differs from run to run by what stays.
func (f *fleet) readable(text string, order []*member) string {
	var pairs []string
	for i, one := range order {
		place := string(rune('a' + i))
		for k, c := range one.clients {
			name := fmt.Sprintf("%s%d", place, k+1)
			pairs = append(pairs, c.ID(), name, one.label(k+1), name)
		}
		pairs = append(pairs, one.name, place)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
