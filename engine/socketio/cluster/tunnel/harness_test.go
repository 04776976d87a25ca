package tunnel_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// server is one end of a bus.
type server struct {
	*tunnel.Tunnel
	t        testing.TB
	listener *tunnel.Listener
}

// join starts a server that listens.
func join(t testing.TB, c tunnel.Carrier, tag string, change ...func(*tunnel.Options)) *server {
	t.Helper()
	o := tunnel.Options{Tag: tag, Logger: slog.New(slog.DiscardHandler)}
	for _, fn := range change {
		fn(&o)
	}
	u, err := tunnel.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := u.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return &server{u, t, l}
}

// pair are two servers that know each other.
func pair(t testing.TB, bus *tunneltest.Bus, change ...func(*tunnel.Options)) (a, b *server) {
	t.Helper()
	a, b = join(t, bus, "a", change...), join(t, bus, "b", change...)
	a.meet(b)
	return a, b
}

// meet waits until two servers know each other.
func (s *server) meet(o *server) {
	s.t.Helper()
	until(s.t, "the servers know each other", func() bool { return s.Knows(o.Tag()) && o.Knows(s.Tag()) })
}

func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

// dial opens a stream with its first bytes.
func (s *server) dial(to, meta, first string) net.Conn {
	s.t.Helper()
	nc, err := s.Dial(context.Background(), to, []byte(meta))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = nc.Close() })
	if _, err := io.WriteString(nc, first); err != nil {
		s.t.Fatal(err)
	}
	return nc
}

func (s *server) accept() *tunnel.Stream {
	s.t.Helper()
	nc, err := s.listener.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = nc.Close() })
	return nc.(*tunnel.Stream)
}

// connect is a stream of both, with nothing said but "hello".
func connect(t testing.TB, a, b *server) (dialed net.Conn, accepted *tunnel.Stream) {
	t.Helper()
	dialed = a.dial(b.Tag(), "", "hello")
	accepted = b.accept()
	expect(t, accepted, "hello")
	return dialed, accepted
}

// expect reads exactly that.
func expect(t testing.TB, r io.Reader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != want {
		t.Fatalf("read %.100q, %v; want %.100q", b, err, want)
	}
}
