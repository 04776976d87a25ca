//go:build !race

// The race detector lets sync.Pool forget at random.

package socketio_test

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// listeners are clients whose bytes are counted without an allocation.
type listeners struct {
	testing.TB
	fds  []int
	room [64 << 10]byte
}

func listen(t *testing.T, addr string, n int) *listeners {
	t.Helper()
	l := &listeners{TB: t}
	for range n {
		p, _ := join(t, addr)
		f, err := p.conn.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		l.fds = append(l.fds, int(f.Fd()))
		if err := syscall.SetNonblock(l.fds[len(l.fds)-1], true); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// take reads until all have got that many bytes together.
func (l *listeners) take(bytes int) {
	deadline := time.Now().Add(patience)
	for bytes > 0 {
		for _, fd := range l.fds {
			if n, _ := syscall.Read(fd, l.room[:]); n > 0 {
				bytes -= n
			}
		}
		if time.Now().After(deadline) {
			l.Fatalf("%d bytes are missing", bytes)
		}
	}
	if bytes < 0 {
		l.Fatalf("%d bytes too many", -bytes)
	}
}

// A broadcast costs a few allocations where it is emitted, one per loop, and none for
// each who receives it, also where several wait together.
func TestABroadcastAllocatesNothingPerDelivery(t *testing.T) {
	const loops, each = 2, 4 // allocations of an Emit, besides one per loop
	for _, members := range []int{10, 300} {
		for _, backlog := range []int{1, 16} {
			io := socketio.New(quiet(socketio.Options{PingInterval: time.Hour}))
			l := listen(t, start(t, io), members)
			text := any(strings.Repeat("x", 110))
			frame := 4 + len(`42["reply","`) + 110 + len(`"]`) - 2 // a header of 2 bytes
			n := testing.AllocsPerRun(30, func() {
				for range backlog {
					if err := io.Emit("reply", text); err != nil {
						t.Error(err)
					}
				}
				l.take(backlog * members * frame)
			})
			if n > float64(backlog*(each+loops)) {
				t.Errorf("%d members, backlog %d: %v allocations", members, backlog, n)
			}
			t.Logf("%d members, backlog %d: %v allocations", members, backlog, n)
		}
	}
}
