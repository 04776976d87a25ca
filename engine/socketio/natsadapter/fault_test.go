package natsadapter

import (
	"encoding/binary"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

// stranger is a client of NATS that is no server of the cluster.
func stranger(t *testing.T, s *embedded.Server) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestMalformedFramesAreCountedAndDropped(t *testing.T) {
	t.Parallel()
	s := startServers(t, 1)[0]
	n := startNode(t, s, Options{MaxPeers: 2})
	got := new(recorder)
	if _, err := n.attach("/", got); err != nil {
		t.Fatal(err)
	}
	nc := stranger(t, s)
	head := func(kind uint8, server serverID) []byte { return appendHead(nil, kind, server) }
	whole, _ := newFrame(1, broadcast("x", "a"))
	huge := binary.AppendUvarint(binary.AppendUvarint(head(uint8(cluster.Broadcast), 1), hasTargets), 1<<40)
	bad := map[string][][]byte{
		"%2F.b": {
			nil, {format}, []byte("not a frame, though long enough"), head(3, 1), append(head(3, 1), 0xff),
			whole[:len(whole)-1], append(slices.Clone(whole), 0), huge, head(kindMark, 1), head(255, 1),
			append(head(kindPart, 1), 5, 2, 'x'), append(head(kindPart, 1), 0, 2), head(kindPart, 1), append(head(kindPart, 1), 0, 1, 'x'),
		},
		"_.q":                    {head(uint8(cluster.Broadcast), 1), append(head(uint8(cluster.Heartbeat), 1), 200), append(head(kindMark, 1), 1), append(head(kindCounts, 1), 9, 9), append(head(kindReached, 1), 0x80)},
		"%2F.z":                  {}, // not heard
		"%2F.u." + n.UID():       {head(uint8(cluster.BroadcastAck), 1)},
		"%2F.q":                  {head(uint8(cluster.FetchSockets), 1)},
		"no namespace of ours.q": {},
	}
	want := uint64(0)
	for to, frames := range bad {
		for _, f := range frames {
			if err := nc.Publish(n.prefix+to, f); err != nil {
				t.Fatal(err)
			}
			want++
		}
	}
	eventually(t, "counted", func() bool { return n.Stats().Malformed >= want })
	for _, server := range []serverID{2, 3, 4} { // one too many, then another
		_ = nc.Publish(n.prefix+"%2F.b", func() []byte { f, _ := newFrame(server, broadcast("x")); return f }())
	}
	_ = nc.Publish(n.prefix+"%2F.b", whole)
	eventually(t, "the rest", func() bool { return got.received() >= 2 })
	if st := n.Stats(); st.Malformed != want || st.Refused != 2 || len(st.Servers) != 2 {
		t.Errorf("%d malformed, want %d; %+v", st.Malformed, want, st)
	}
	if e := got.events(); !slices.Equal(e, []string{`["x"]`, `["x"]`}) {
		t.Errorf("got %q", e)
	}
}

// What a server that does not keep up has missed it knows exactly.
func TestWhatASlowServerMissesIsCounted(t *testing.T) {
	t.Parallel()
	servers := startServers(t, 2)
	sender := startNode(t, servers[0], Options{HeartbeatInterval: time.Second, HeartbeatTimeout: patience})
	slow := startNode(t, servers[1], Options{HeartbeatInterval: time.Second, HeartbeatTimeout: patience, Inbox: 16})
	meetAll(t, []*Node{sender, slow})
	links, got := attachAll(t, []*Node{sender, slow}, "/")
	before := slow.Stats()
	if before.Lost != 0 {
		t.Fatalf("lost already: %+v", before)
	}
	at, wait := make(chan struct{}), make(chan struct{})
	got[1].mu.Lock()
	got[1].all = func(*cluster.Message) {
		if at != nil {
			close(at)
			at = nil
			<-wait
		}
	}
	began := at
	got[1].mu.Unlock()
	const n = 1000
	for i := range n {
		if err := links[0].Publish(broadcast(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	<-began
	eventually(t, "NATS drops", func() bool { return slow.Stats().SlowConsumer > 0 })
	close(wait)
	// The last are missed, too, which nothing but counts can tell.
	eventually(t, "all is accounted for", func() bool {
		return uint64(got[1].received())+slow.Stats().Lost == n
	})
	if lost := slow.Stats().Lost; lost == 0 || slow.Ready() == nil {
		t.Errorf("lost %d, ready: %v", lost, slow.Ready())
	}
	if s := slow.Stats().Servers; len(s) != 1 || s[0].Lost != slow.Stats().Lost {
		t.Errorf("%+v", s)
	}
}

// One that says it is there, and not what it has got, holds the others up for a
// heartbeat's time only.
func TestAServerThatDoesNotReportIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	servers := startServers(t, 2)
	o := Options{HeartbeatInterval: 400 * time.Millisecond, HeartbeatTimeout: patience, WindowMessages: 64}
	nodes := []*Node{startNode(t, servers[0], o), startNode(t, servers[1], o)}
	meetAll(t, nodes)
	links, got := attachAll(t, nodes, "/")
	mute := stranger(t, servers[0])
	hello := appendText(appendText(appendHead(nil, uint8(cluster.InitialHeartbeat), 7), "mute"), nodes[0].options.layoutName())
	if err := mute.Publish(nodes[0].prefix+nodeToken+questions, hello); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is met", func() bool { return len(nodes[0].Stats().Servers) == 2 })
	began := time.Now()
	const n = 1000
	for range n {
		if err := links[0].Publish(broadcast("x")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all comes", func() bool { return got[1].received() == n })
	if took := time.Since(began); took < o.HeartbeatInterval {
		t.Errorf("after %v: nobody was waited for", took)
	}
	if s := nodes[0].Stats(); s.Unheard != 1 || s.Held == 0 {
		t.Errorf("%+v", s)
	}
}

// Who asks all servers has an answer from those that do not have the namespace.
func TestAServerAnswersForNamespacesItDoesNotHave(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 2, Options{})
	answers := make(chan cluster.Message, 10)
	r := &recorder{all: func(m *cluster.Message) { answers <- *m }}
	l, err := nodes[0].attach("/only here", r)
	if err != nil {
		t.Fatal(err)
	}
	for question, answer := range map[cluster.Type]cluster.Type{
		cluster.Broadcast: cluster.BroadcastClientCount, cluster.FetchSockets: cluster.FetchSocketsResponse,
		cluster.CountSockets: cluster.CountSocketsResponse, cluster.RoomSizes: cluster.RoomSizesResponse,
	} {
		m := broadcast("q")
		m.Type, m.RequestID = question, "r"+strconv.Itoa(int(question))
		if err := l.Publish(m); err != nil {
			t.Fatal(err)
		}
		select {
		case a := <-answers:
			if a.Type != answer || a.RequestID != m.RequestID || a.UID != nodes[1].UID() || a.Clients != 0 || len(a.Sockets)+len(a.Sizes) != 0 {
				t.Errorf("to %d: %+v", question, a)
			}
		case <-time.After(patience):
			t.Fatalf("no answer to %d", question)
		}
	}
	m := broadcast("q")
	m.Type, m.RequestID = cluster.ServerSideEmit, "r"
	if err := l.Publish(m); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody is waited for", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.Equal(r.gone, []string{nodes[1].UID()})
	})
}

func TestServersOfAnotherLayoutAreTold(t *testing.T) {
	t.Parallel()
	s := startServers(t, 1)[0]
	nodes := []*Node{startNode(t, s, Options{Shards: 16}), startNode(t, s, Options{}), startNode(t, s, Options{Cluster: "another"})}
	for _, n := range nodes[:2] {
		eventually(t, "it is told", func() bool { return n.Ready() != nil })
	}
	if err := nodes[2].Ready(); err != nil || len(nodes[2].Stats().Servers) != 0 {
		t.Errorf("another cluster is heard: %v, %+v", err, nodes[2].Stats())
	}
}
