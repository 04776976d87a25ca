package natsadapter

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

// line is between two servers of NATS: it can stop to forward, and be cut.
type line struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	moves sync.Cond
	still bool       // nothing is forwarded
	cut   bool       // nobody is let in
	conns []net.Conn // all of them
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l := &line{to: to}
	l.moves.L = &l.mu
	var err error
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			a, err := l.listener.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", l.to)
			l.mu.Lock()
			if l.cut || err != nil {
				_ = a.Close()
				if err == nil {
					_ = b.Close()
				}
				l.mu.Unlock()
				continue
			}
			l.conns = append(l.conns, a, b)
			l.mu.Unlock()
			work.Go(func() { l.forward(a, b) })
			work.Go(func() { l.forward(b, a) })
		}
	})
	t.Cleanup(func() {
		_ = l.listener.Close()
		l.set(false, true)
		work.Wait()
	})
	return l
}

func (l *line) forward(from, to net.Conn) {
	defer from.Close() //nolint:errcheck // of a test
	defer to.Close()   //nolint:errcheck // of a test
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		l.mu.Lock()
		for l.still {
			l.moves.Wait()
		}
		l.mu.Unlock()
		if _, e := to.Write(b[:n]); e != nil || err == io.EOF || err != nil {
			return
		}
	}
}

func (l *line) set(still, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.still, l.cut = still, cut
	if cut {
		for _, c := range l.conns {
			_ = c.Close()
		}
		l.conns = nil
	}
	l.moves.Broadcast()
}

// torn is two nodes whose servers speak over a line.
func torn(t *testing.T, ping time.Duration) (nodes []*Node, between *line) {
	t.Helper()
	start := func(seeds ...string) *embedded.Server {
		s, err := embedded.Start(embedded.Options{ClusterListen: "127.0.0.1:0", Seeds: seeds, PingInterval: ping, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Shutdown(t.Context()) })
		return s
	}
	a := start()
	between = newLine(t, a.ClusterAddr())
	b := start(between.listener.Addr().String())
	o := Options{HeartbeatInterval: 200 * time.Millisecond, HeartbeatTimeout: time.Second}
	nodes = []*Node{startNode(t, a, o), startNode(t, b, o)}
	meetAll(t, nodes)
	return nodes, between
}

// What is sent while servers do not reach each other is lost, to the last of them counted.
func TestAPartitionIsReportedExactly(t *testing.T) {
	t.Parallel()
	nodes, between := torn(t, 500*time.Millisecond)
	links, got := attachAll(t, nodes, "/")
	sent := 0
	send := func(n int) {
		for range n {
			if err := links[0].Publish(broadcast("x")); err != nil {
				t.Fatal(err)
			}
		}
		sent += n
	}
	send(100)
	between.set(false, true)
	send(500)
	eventually(t, "they are gone for each other", func() bool {
		return len(nodes[0].Stats().Servers)+len(nodes[1].Stats().Servers) == 0
	})
	for i, r := range got {
		r.mu.Lock()
		if len(r.gone) != 1 || r.gone[0] != nodes[1-i].UID() {
			t.Errorf("gone for server %d: %q", i, r.gone)
		}
		r.mu.Unlock()
	}
	send(300)
	between.set(false, false)
	meetAll(t, nodes)
	eventually(t, "all is accounted for", func() bool {
		return got[1].received()+int(nodes[1].Stats().Lost) == sent
	})
	if lost := nodes[1].Stats().Lost; lost < 300 {
		t.Errorf("%d lost", lost)
	}
	if err := nodes[1].Ready(); err == nil {
		t.Error("the loss shows nowhere")
	}
	if nodes[0].Stats().Lost != 0 {
		t.Errorf("the sender lost %d", nodes[0].Stats().Lost)
	}
	// And it goes on.
	heard(t, links, got, nil)
}

// A line that stands still for a moment costs nothing.
func TestAStandstillLosesNothing(t *testing.T) {
	t.Parallel()
	nodes, between := torn(t, 10*time.Second)
	links, got := attachAll(t, nodes, "/")
	between.set(true, false)
	const n = 2000
	for range n {
		if err := links[0].Publish(broadcast("x")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "gone", func() bool { return len(nodes[1].Stats().Servers) == 0 })
	between.set(false, false)
	eventually(t, "all comes", func() bool { return got[1].received() == n })
	if s := nodes[1].Stats(); s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}
