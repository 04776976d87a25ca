package natsadapter

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

const patience = 20 * time.Second // never reached by a test that passes

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// freeAddr is an address nobody listens at for now.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // of a test
	return l.Addr().String()
}

// startServers starts n servers of NATS that form a cluster in this process.
func startServers(t testing.TB, n int, seeds ...string) (servers []*embedded.Server) {
	t.Helper()
	for range n {
		s, err := embedded.Start(embedded.Options{
			ClusterListen: "127.0.0.1:0", Seeds: seeds, Username: "cluster", Password: "secret",
			PingInterval: 500 * time.Millisecond, Logger: quiet(),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
		servers = append(servers, s)
		seeds = append(seeds, s.ClusterAddr())
	}
	for _, s := range servers {
		eventually(t, "routes", func() bool { return s.Routes() == n-1 })
	}
	return servers
}

// startNodes starts n nodes, each on a server of NATS of its own, that know of each other.
func startNodes(t testing.TB, n int, o Options) (nodes []*Node) {
	t.Helper()
	for _, s := range startServers(t, n) {
		nodes = append(nodes, startNode(t, s, o))
	}
	meetAll(t, nodes)
	return nodes
}

func startNode(t testing.TB, s *embedded.Server, o Options) *Node {
	t.Helper()
	o.InProcess = s
	setDefault(&o.Logger, quiet())
	node, err := Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	return node
}

func meetAll(t testing.TB, nodes []*Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, node := range nodes {
		if err := node.WaitPeers(ctx, len(nodes)-1); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for what other goroutines bring about.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// recorder is the adapter of a namespace that keeps what it is given.
type recorder struct {
	mu    sync.Mutex
	got   []string // the events' JSON, with the type before it where that is no Broadcast
	bytes int
	count int
	gone  []string
	all   func(m *cluster.Message) // is shown each, if not nil
}

func (r *recorder) Receive(m *cluster.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all != nil {
		r.all(m)
	}
	r.count++
	r.bytes += len(m.Packet.JSON)
	if r.count <= 1000 {
		r.got = append(r.got, string(m.Packet.JSON))
	}
}

func (r *recorder) Gone(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = append(r.gone, uid)
}

// events returns the first 1000 that came.
func (r *recorder) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *recorder) received() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// attachAll gives each node a recorder of the namespace, heard by the others.
func attachAll(t testing.TB, nodes []*Node, namespace string) (links []*link, recorders []*recorder) {
	t.Helper()
	for _, node := range nodes {
		r := new(recorder)
		l, err := node.attach(namespace, r)
		if err != nil {
			t.Fatal(err)
		}
		links, recorders = append(links, l), append(recorders, r)
	}
	heard(t, links, recorders, nil)
	return links, recorders
}

// heard waits until each hears what every other sends to these rooms: NATS tells its
// servers in a moment, but not at once.
func heard(t testing.TB, links []*link, recorders []*recorder, rooms []string) {
	t.Helper()
	for i, l := range links {
		for j, r := range recorders {
			if i == j || l == nil || r == nil {
				continue
			}
			before := r.received()
			eventually(t, "hearing", func() bool {
				if err := l.Publish(broadcast("probe", rooms...)); err != nil {
					t.Fatal(err)
				}
				return r.received() > before
			})
		}
	}
	settle(t, links)
	for _, r := range recorders {
		if r == nil {
			continue
		}
		r.mu.Lock()
		r.got, r.count, r.bytes = nil, 0, 0
		r.mu.Unlock()
	}
}

// settle waits until all that was sent has come: a mark behind it has.
func settle(t testing.TB, links []*link) {
	t.Helper()
	for _, l := range links {
		n := l.node
		eventually(t, "marks", func() bool {
			if s := n.Stats(); s.Outbox.Sent < s.Queued {
				return false
			}
			n.window.mu.Lock()
			at := n.window.sent
			behind := false
			for _, c := range n.window.credits {
				behind = behind || c.reached != at
			}
			n.window.mu.Unlock()
			if behind {
				n.window.mark(at)
			}
			return !behind
		})
	}
}

func broadcast(event string, rooms ...string) *cluster.Message {
	return &cluster.Message{Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte(`["` + event + `"]`)}, Opts: cluster.Opts{Rooms: rooms}}
}
