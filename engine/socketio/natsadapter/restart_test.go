package natsadapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// What is published while NATS is away waits within the bounds, volatile events first to go,
// and comes in order once it is back. The connection is one of the program's own.
func TestNATSIsStartedAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("a second or more until all are connected again")
	}
	t.Parallel()
	addr := freeAddr(t)
	start := func() *embedded.Server {
		s, err := embedded.Start(embedded.Options{Listen: addr, Token: "token", Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := start()
	connect := func(o Options, own bool) *Node {
		o.HeartbeatInterval, o.HeartbeatTimeout, o.Logger = 200*time.Millisecond, patience, quiet()
		o.URLs, o.Token = []string{"nats://" + addr}, "token"
		if own {
			nc, err := nats.Connect(addr, nats.Token("token"), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.ReconnectWait(50*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(nc.Close)
			o.Conn, o.URLs, o.Token = nc, nil, ""
		}
		n, err := Connect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.Close() })
		return n
	}
	nodes := []*Node{connect(Options{Outbox: cluster.OutboxOptions{MaxMessages: 100, Pause: 10 * time.Millisecond}}, true), connect(Options{}, false)}
	meetAll(t, nodes)
	links, got := attachAll(t, nodes, "/")
	// What a server has heard nothing of yet, it cannot know to have begun with.
	if err := links[0].Publish(broadcast("first")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first event is there", func() bool { return len(got[1].events()) == 1 })
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		eventually(t, "it is known", func() bool { return n.Ready() != nil && !n.Stats().Connected })
	}
	// One is being sent, and stays; then the queue fills.
	var want []string
	publish := func(i int, volatile bool) error {
		m := broadcast(fmt.Sprint(i))
		m.Opts.Flags.Volatile = volatile
		return links[0].Publish(m)
	}
	for i := 0; ; i++ {
		volatile := i%2 == 1
		err := publish(i, volatile)
		if errors.Is(err, ErrOutboxFull) {
			break
		}
		if !volatile {
			want = append(want, fmt.Sprintf(`["%d"]`, i))
		}
	}
	if st := nodes[0].Stats().Outbox; st.Dropped == 0 || st.Waiting > 100 {
		t.Errorf("%+v", st)
	}
	s = start()
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	for _, n := range nodes {
		eventually(t, "connected again", func() bool { return n.Stats().Connected })
	}
	eventually(t, "all is sent", func() bool { return nodes[0].Stats().Outbox.Waiting == 0 })
	var events []string
	eventually(t, "all is accounted for", func() bool { // what was on its way may be lost with the connection
		events = slices.DeleteFunc(got[1].events(), func(e string) bool { return !slices.Contains(want, e) })
		return len(events)+int(nodes[1].Stats().Lost) >= len(want)
	})
	for i, e := range events { // in order, whatever is missing
		if k := slices.Index(want, e); k < i || i > 0 && k <= slices.Index(want, events[i-1]) {
			t.Fatalf("%q is out of order: %q", e, events)
		}
	}
}

// Older events are read back, if they are not in memory any more; and who has missed what
// JetStream does not have any more is not recovered.
func TestOlderEventsAreReadBack(t *testing.T) {
	t.Parallel()
	j := JetStreamOptions{InMemory: true, MaxBytes: 256 << 10}
	j.Tail.MaxEvents = 10
	j.Tail.MaxOlderEvents = 250
	nodes := startKeepers(t, 1, 2, j)
	a, b := socketiotest.Start(t, recovering(nodes[0], socketio.Options{})), socketiotest.Start(t, recovering(nodes[1], socketio.Options{}))
	c, late := a.Connect(socketiotest.ConnectOptions{}), a.Connect(socketiotest.ConnectOptions{})
	emit := func(n int, data string) {
		t.Helper()
		for i := range n {
			if err := a.Emit("n", i, data); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "it is kept", func() bool { l := nodes[0].Stats().Log; return l.Outbox.Waiting == 0 && l.Tail.Pending == 0 })
	}
	emit(1, "first")
	c.Expect("n", 0, "first")
	late.Expect("n", 0, "first")
	c.Close()
	late.Close()
	emit(200, "x")
	back := c.ReconnectTo(b)
	if !back.Recovered() {
		t.Fatalf("not recovered: %+v", nodes[1].Stats().Log.Tail)
	}
	for i := range 200 {
		back.Expect("n", i, "x")
	}
	if l := nodes[1].Stats().Log; l.Tail.Ranges != 1 {
		t.Errorf("%+v", l.Tail)
	}
	for range 8 {
		emit(50, strings.Repeat("x", 1000))
	}
	if gone := late.ReconnectTo(b); gone.Recovered() {
		t.Error("recovered without what is not there any more")
	}
	if l := nodes[1].Stats().Log; l.Tail.TooOld != 1 {
		t.Errorf("%+v", l.Tail)
	}
}
