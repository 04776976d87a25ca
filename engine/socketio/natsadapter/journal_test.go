package natsadapter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// startKeepers starts that many servers of NATS with JetStream, which all keep everything,
// and n nodes on them.
func startKeepers(t *testing.T, brokers, n int, j JetStreamOptions) (nodes []*Node) {
	t.Helper()
	var seeds []string
	for range brokers {
		seeds = append(seeds, freeAddr(t))
	}
	var servers []*embedded.Server
	dir := t.TempDir()
	for i := range brokers {
		e := embedded.Options{
			Name: "keeper-" + strconv.Itoa(i), PingInterval: time.Second, Logger: quiet(),
			JetStream: &embedded.JetStreamOptions{StoreDir: filepath.Join(dir, strconv.Itoa(i))},
		}
		if brokers > 1 {
			e.ClusterListen, e.Seeds = seeds[i], seeds
		}
		s, err := embedded.Start(e)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
		servers = append(servers, s)
	}
	setDefault(&j.Tail.Patience, patience)
	setDefault(&j.Replicas, brokers)
	for i := range n {
		nodes = append(nodes, startNode(t, servers[i%brokers], Options{JetStream: &j}))
	}
	for _, node := range nodes {
		eventually(t, "JetStream is there", func() bool { return node.Ready() == nil })
	}
	meetAll(t, nodes)
	return nodes
}

func recovering(n *Node, o socketio.Options) *socketio.Server {
	o.ConnectionStateRecovery = &socketio.Recovery{MaxDisconnectionDuration: time.Minute}
	o.Adapter, o.Logger = n.Adapter, quiet()
	return socketio.New(o)
}

func TestServersOverJetStreamBehaveAsOne(t *testing.T) {
	if os.Getenv("FANFARE_JETSTREAM_SUITE") == "" {
		t.Skip("not reliable yet: SocketsLeave does not go through the log, and may come behind what does: FANFARE_JETSTREAM_SUITE=1 runs it")
	}
	clustertest.Run(t, func(t *testing.T, n int, o socketio.Options) (servers []*socketio.Server) {
		for _, k := range startKeepers(t, 1, n, JetStreamOptions{InMemory: true}) {
			servers = append(servers, recovering(k, o))
		}
		return servers
	})
}

// What was emitted while a client was on its way, it has on the server it comes to: also
// where the one it was at has gone.
func TestJetStreamCarriesClientsToAnotherServer(t *testing.T) {
	const n = 3
	nodes := startKeepers(t, 1, n, JetStreamOptions{})
	var servers []*socketiotest.Server
	for _, k := range nodes {
		servers = append(servers, socketiotest.Start(t, recovering(k, socketio.Options{})))
	}
	last := servers[n-1]
	c := servers[0].Connect(socketiotest.ConnectOptions{})
	id := c.ID()
	if err := c.Socket().Join("room"); err != nil {
		t.Fatal(err)
	}
	emit := func(to socketio.BroadcastOperator, event string, args ...any) {
		t.Helper()
		if err := to.Emit(event, args...); err != nil {
			t.Fatal(err)
		}
	}
	emit(last.To("room"), "one")
	c.Expect("one")
	c.Close()
	emit(servers[1].To("room"), "two", []byte("bytes"))
	emit(servers[1].To("elsewhere"), "not this")
	emit(servers[1].To(id), "three")
	back := c.ReconnectTo(last)
	if !back.Recovered() || back.ID() != id {
		t.Fatalf("recovered: %v, %s as %s; %+v", back.Recovered(), id, back.ID(), nodes[n-1].Stats().Log)
	}
	back.Expect("two", []byte("bytes"))
	back.Expect("three")
	emit(servers[0].To("room"), "four")
	back.Expect("four")
	if s := nodes[0].Stats().Log; s.Appended == 0 || s.Tail.LostForOthers != 0 {
		t.Errorf("%+v", s)
	}
}

// An attempt that seems to have failed may have succeeded, or not have begun.
func TestWhatIsTriedAgainIsThereOnce(t *testing.T) {
	node := startKeepers(t, 1, 1, JetStreamOptions{InMemory: true, Outbox: cluster.OutboxOptions{Pause: time.Millisecond}})[0]
	attempts := 0
	node.journal.publish = func(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
		switch attempts++; attempts % 4 {
		case 1:
			m.Header = nil
			opts = opts[:2] // without its id, JetStream does not know it again
			if _, err := node.journal.js.PublishMsg(ctx, m, opts...); err != nil {
				return nil, err
			}
			return nil, context.DeadlineExceeded
		case 3:
			return nil, nats.ErrNoResponders
		}
		return node.journal.js.PublishMsg(ctx, m, opts...)
	}
	io := socketiotest.Start(t, recovering(node, socketio.Options{}))
	c := io.Connect(socketiotest.ConnectOptions{})
	const n = 300
	var want, got []string
	for i := range n {
		if err := io.Emit("n", i); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("[%d]", i))
		if i%30 == 0 {
			eventually(t, "it is appended", func() bool { return node.Stats().Log.Outbox.Waiting == 0 })
		}
	}
	for range n {
		got = append(got, c.Expect("n").Args.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if err := io.Emit("end"); err != nil {
		t.Fatal(err)
	}
	c.Expect("end")
	if s := node.Stats().Log; s.Retries < 3 || s.Tail.Unknown+s.Tail.LostForOthers+s.Tail.Early+s.Tail.Bad != 0 || s.Tail.Read != n+1 {
		t.Errorf("%+v", s)
	}
}

func TestPlacesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, p := range []place{{1, 0, 0}, {time.Now().UnixMilli(), maxBatch, endOfBatch}, {1, 1, 3}} {
		if got, ok := parsePlace(p.String()); !ok || got != p || len(p.String()) > 30 {
			t.Errorf("%v: %v, %v", p, got, ok)
		}
	}
	for _, bad := range []string{"", "-", "--", "1-2", "1-2-", "01-2-3", "1-02-3", "1-2-10000", "0-1-1", "-1-2-3", "1-2-3-4", "1-2-+3", "A-1-1", "zzzzzzzzz-1-1", "1-99999999999999999-1", "1-2-3 "} {
		if p, ok := parsePlace(bad); ok {
			t.Errorf("%q is %v", bad, p)
		}
	}
	order := []place{{1, 9, 9}, {2, 1, 0}, {2, 1, endOfBatch}, {2, 2, 0}}
	j := new(journal)
	for i, a := range order {
		for k, b := range order {
			if got, want := j.Compare(a.String(), b.String()), slices.Compare([]int{i}, []int{k}); got != want {
				t.Errorf("%v to %v: %d", a, b, got)
			}
		}
	}
}
