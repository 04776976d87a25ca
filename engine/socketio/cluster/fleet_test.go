package cluster_test

import (
	"context"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// node is one server on a bus, with one client.
type node struct {
	*socketiotest.Server
	adapter *cluster.Adapter
	client  *socketiotest.Client
}

func newFleet(t *testing.T, b *clustertest.Bus, n int, o cluster.Options) (list []*node) {
	t.Helper()
	for range n {
		list = append(list, newNode(t, b.Adapter(o)))
	}
	return list
}

func newNode(t *testing.T, adapter func(*socketio.MemoryAdapter) socketio.Adapter) *node {
	t.Helper()
	v := new(node)
	v.Server = socketiotest.NewServer(t, socketio.Options{KeepHandshake: true, Adapter: func(m *socketio.MemoryAdapter) socketio.Adapter {
		a := adapter(m)
		v.adapter = a.(*cluster.Adapter)
		return a
	}})
	v.client = v.Connect()
	return v
}

// fakeLink keeps what it is given, as text.
type fakeLink struct {
	receiver *cluster.Adapter

	mu     sync.Mutex
	sent   []string
	uids   []string // of others
	others int      // where there are no uids
	err    error
}

func (l *fakeLink) add(to string, m *cluster.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.Type == cluster.Tally { // which comes when it likes
		return l.err
	}
	l.sent = append(l.sent, to+string(cluster.AppendJSON(nil, m, "/")))
	return l.err
}

func (l *fakeLink) Publish(m *cluster.Message) error            { return l.add("", m) }
func (l *fakeLink) Answer(uid string, m *cluster.Message) error { return l.add(uid+" ", m) }
func (l *fakeLink) Close() error                                { return nil }

func (l *fakeLink) Others(context.Context) (int, []string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.others, len(l.uids)), l.uids, l.err
}

// take returns what was sent since the last time.
func (l *fakeLink) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent
	l.sent = nil
	return sent
}

// alone is a server whose others are the test.
func alone(t *testing.T, o cluster.Options) (*node, *fakeLink) {
	l := new(fakeLink)
	v := newNode(t, func(m *socketio.MemoryAdapter) socketio.Adapter {
		a, err := cluster.New(m, "me", o, func(a *cluster.Adapter) (cluster.Link, error) { l.receiver = a; return l, nil })
		if err != nil {
			t.Fatal(err)
		}
		return a
	})
	return v, l
}

// hear has the server receive a text.
func (l *fakeLink) hear(t *testing.T, text string) {
	t.Helper()
	m, _, err := cluster.ParseJSON([]byte(text), nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	l.receiver.Receive(m)
}
