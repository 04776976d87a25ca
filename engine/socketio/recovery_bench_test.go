//go:build linux

package socketio_test

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// cpu is what the process has used so far.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hearers is a server and its clients, which take what they are sent when they are told to.
type hearers struct {
	*socketio.Server
	fds  []int
	sent uint64
}

func assemble(b *testing.B, n int, o socketio.Options) *hearers {
	o = quiet(o)
	o.PingInterval = time.Hour
	a := &hearers{Server: socketio.New(o)}
	addr := start(b, a.Server)
	for range n {
		p := dial(b, addr)
		p.send("40")
		p.read()
		f, err := p.conn.(*net.TCPConn).File()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = f.Close() })
		a.fds = append(a.fds, int(f.Fd()))
		_ = syscall.SetNonblock(int(f.Fd()), true)
	}
	a.sent = a.Stats().Engine.Writes
	return a
}

// emit broadcasts once and waits until all of it is written; the clients read afterwards.
func (a *hearers) emit(b *testing.B, text string) (used time.Duration) {
	before := cpu(b)
	if err := a.Emit("reply", text); err != nil {
		b.Fatal(err)
	}
	a.sent += uint64(len(a.fds))
	for a.Stats().Engine.Writes < a.sent {
		time.Sleep(500 * time.Microsecond)
	}
	used = cpu(b) - before
	var room [4096]byte
	for _, fd := range a.fds {
		_, _ = syscall.Read(fd, room[:])
	}
	return used
}

// What recovery adds to the CPU time of a broadcast, the writes included. Both kinds of
// server take turns, so that a busy machine is busy for both.
func BenchmarkBroadcastWithRecovery(b *testing.B) {
	const members = 1000
	text := strings.Repeat("x", 180) // an event of about 206 bytes
	off := assemble(b, members, socketio.Options{})
	on := assemble(b, members, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}})
	var without, with time.Duration
	for b.Loop() {
		without += off.emit(b, text)
		with += on.emit(b, text)
	}
	perDelivery := float64(b.N) * members
	b.ReportMetric(float64(without)/perDelivery, "off-cpu-ns/delivery")
	b.ReportMetric(float64(with)/perDelivery, "on-cpu-ns/delivery")
	b.ReportMetric(float64(with)/float64(without), "on/off")
}

// What recovery adds to an emit, before the loops take over.
func BenchmarkEmitWithRecovery(b *testing.B) {
	for _, way := range []struct {
		name string
		o    socketio.Options
	}{{"off", socketio.Options{}}, {"on", socketio.Options{ConnectionStateRecovery: &socketio.Recovery{MaxBytes: 16 << 20}}}} {
		for _, parallel := range []bool{false, true} {
			name := way.name + "/one"
			if parallel {
				name = way.name + "/parallel"
			}
			b.Run(name, func(b *testing.B) {
				v := socketio.New(quiet(way.o))
				addr := start(b, v)
				sockets := make(chan *socketio.Socket, 1)
				v.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return s.Join("lobby") })
				p := dial(b, addr)
				p.send("40")
				go func() {
					for _, err := p.next(); err == nil; _, err = p.next() {
					}
				}()
				receive(b, sockets)
				text := any(strings.Repeat("x", 180))
				to := v.To("nobody")
				b.ReportAllocs()
				if !parallel {
					for b.Loop() {
						_ = to.Emit("reply", text)
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						_ = to.Emit("reply", text)
					}
				})
			})
		}
	}
}
