package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// A broadcast whose time is over before it is served, or whose sender goes meanwhile.
func TestServingThatIsOverAtOnce(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	for i := range 300 {
		m := &cluster.Message{
			Type: cluster.Broadcast, UID: "a", RequestID: fmt.Sprint(i),
			Packet: cluster.Packet{JSON: []byte(`["ask"]`)},
			Opts:   cluster.Opts{Rooms: []string{"nobody"}, Timeout: time.Nanosecond},
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			l.receiver.Gone("a")
		}()
		l.receiver.Receive(m)
		<-gone
	}
	for deadline := time.Now().Add(20 * time.Second); v.adapter.Stats().Serving+int(v.Stats().BroadcastAcks) != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", v.adapter.Stats())
		}
	}
}

// What is kept of messages is short, whichever way they have come.
func TestNamesThatAreKeptAreShort(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	long := strings.Repeat("x", 513)
	event := cluster.Packet{JSON: []byte(`["ask"]`)}
	for _, m := range []cluster.Message{
		{Type: cluster.Broadcast, UID: "a", RequestID: long, Packet: event},
		{Type: cluster.Broadcast, UID: long, RequestID: "r", Packet: event},
		{Type: cluster.BroadcastAck, UID: "a", RequestID: "r", SocketID: long},
		{Type: cluster.BroadcastAck, UID: "a", RequestID: "r", Failed: long},
		{Type: cluster.Tally, UID: long},
	} {
		before := v.adapter.Stats().Malformed
		l.receiver.Receive(&m)
		if st := v.adapter.Stats(); st.Malformed != before+1 || st.Serving != 0 || st.Tallied != 0 {
			t.Errorf("type %d: %+v", m.Type, st)
		}
	}
	v.client.ExpectNothing()
}

// An answer that has nothing in it, or is of another kind than the question, is no reason
// to panic.
func TestAnswersOfAnotherKind(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	l.others = 1000
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range v.To("nobody").AskAll(ctx, "ask") { //nolint:revive // as many as there are
		}
	}()
	go func() { _, _ = v.Of("/").ServerSideEmitWithAck(ctx, "ask") }()
	go func() { _, _ = v.Of("/").FetchSockets(ctx) }()
	var ids []string
	for len(ids) < 3 {
		for _, s := range l.take() {
			if m, _, err := cluster.ParseJSON([]byte(s), nil); err == nil && m.RequestID != "" {
				ids = append(ids, m.RequestID)
			}
		}
		time.Sleep(time.Millisecond)
	}
	for _, id := range ids {
		for kind := cluster.Type(0); kind < 80; kind++ {
			for _, json := range []string{"", "null", "[", "{}", "[]", `["x"]`, "[\xff]"} {
				l.receiver.Receive(&cluster.Message{Type: kind, UID: fmt.Sprint(kind, json), RequestID: id, Packet: cluster.Packet{JSON: []byte(json)}})
			}
		}
	}
	cancel()
	<-done
}

// Sockets that are told to join more rooms than they may are not kept busy with it.
func TestJoiningTooManyRooms(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	rooms := make([]string, 1<<16)
	for i := range rooms {
		rooms[i] = fmt.Sprintf("a room with a rather long name, of which there are many %d", i)
	}
	began := time.Now()
	l.receiver.Receive(&cluster.Message{Type: cluster.SocketsJoin, UID: "a", Rooms: rooms})
	if took := time.Since(began); took > time.Second { // some ms; where each is compared with all, 10 s and more
		t.Errorf("it took %v", took)
	}
	if st := v.adapter.Stats(); st.Malformed != 1 {
		t.Errorf("%+v", st)
	}
}
