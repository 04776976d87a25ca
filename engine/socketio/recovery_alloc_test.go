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

// With recovery a broadcast is kept once, whoever receives it: what it allocates does not
// grow with the members. Without, it allocates what it always did.
func TestRecoveryAllocatesNothingPerDelivery(t *testing.T) {
	const loops = 2
	for _, c := range []struct {
		name string
		o    socketio.Options
		most int // allocations of an Emit
	}{
		{"off", socketio.Options{}, 4 + loops},
		{"on", socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}}, 9 + loops},
	} {
		for _, members := range []int{10, 300} {
			c.o.PingInterval = time.Hour
			io := socketio.New(quiet(c.o))
			addr := start(t, io)
			l := &listeners{TB: t}
			for range members {
				p := dial(t, addr)
				p.send("40")
				p.read()
				f, err := p.conn.(*net.TCPConn).File()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = f.Close() })
				l.fds = append(l.fds, int(f.Fd()))
				if err := syscall.SetNonblock(int(f.Fd()), true); err != nil {
					t.Fatal(err)
				}
			}
			text := any(strings.Repeat("x", 100))
			frame := 2 + len(`42["reply","`) + 100 + len(`"]`)
			if c.name == "on" {
				frame += len(`,"..............` + `"`) // the offset
			}
			if frame > 127 {
				frame += 2
			}
			n := testing.AllocsPerRun(30, func() {
				if err := io.Emit("reply", text); err != nil {
					t.Error(err)
				}
				l.take(members * frame)
			})
			if n > float64(c.most) {
				t.Errorf("%s, %d members: %v allocations", c.name, members, n)
			}
			t.Logf("%s, %d members: %v allocations", c.name, members, n)
		}
	}
}
