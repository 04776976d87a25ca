package bench

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

// fanoutRounds alternate between the server and the bare loop, so that what else
// the machine does falls on both alike.
const fanoutRounds = 11

// BenchmarkFanout broadcasts one event of 128 bytes to WebSocket members and sets
// the CPU it takes against a bare Go loop of write(2) over the same sockets, in
// the same run: ns/delivery, bare-ns/delivery, their ratio, and allocations.
func BenchmarkFanout(b *testing.B) {
	for _, members := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			f := newFanout(b, members, 128)
			f.round(f.ours)
			f.round(f.bare)
			for b.Loop() {
				var ours, bare []float64
				for range fanoutRounds {
					ours, bare = append(ours, f.round(f.ours)), append(bare, f.round(f.bare))
				}
				report(b, ours, bare)
			}
			b.ReportMetric(f.allocations()/float64(members), "allocs/delivery")
		})
	}
}

// fanout is a server with members, and the ways to reach them all.
type fanout struct {
	b       *testing.B
	server  *socketio.Server
	swarm   *swarm.Swarm
	members int
	text    string
	frame   []byte // what a member receives
	fds     []int  // the server's ends
	arrived uint64 // bytes the swarm has by now
}

func newFanout(b *testing.B, members, payload int) *fanout {
	server, addr := serve(b, socketio.Options{})
	f := &fanout{b: b, server: server, members: members, text: strings.Repeat("x", payload)}
	f.swarm = connect(b, swarm.WebSocket, addr, members)
	f.frame = ws.AppendFrame(nil, ws.OpText, []byte(`42["reply","`+f.text+`"]`))
	f.fds = accepted(b, addr, members)
	var err error
	if f.arrived, err = f.swarm.Bytes(); err != nil {
		b.Fatal(err)
	}
	return f
}

// ours broadcasts through the server and returns when its loops have written.
func (f *fanout) ours() {
	want := f.server.Stats().Engine.Deliveries + uint64(f.members)
	if err := f.server.Emit("reply", f.text); err != nil {
		f.b.Fatal(err)
	}
	for f.server.Stats().Engine.Deliveries < want {
		time.Sleep(time.Millisecond) // about 1 % of the CPU of a broadcast to 10,000, and on our bill
	}
}

// bare is the limit: what one goroutine can do that does nothing else.
func (f *fanout) bare() {
	for _, fd := range f.fds {
		if n, err := unix.Write(fd, f.frame); n != len(f.frame) {
			f.b.Fatal(n, err)
		}
	}
}

// round measures a way: ns of CPU per delivery. It begins and ends with nothing in
// flight; waiting for the swarm is not measured.
func (f *fanout) round(broadcast func()) float64 {
	repeat := min(max(1, 10_000/f.members), 200)
	used := time.Duration(0)
	runtime.GC()
	for range repeat {
		before := cpu(f.b)
		broadcast()
		used += cpu(f.b) - before
		f.settle()
	}
	return float64(used) / float64(repeat*f.members)
}

// settle waits until the swarm has one more frame for each member.
func (f *fanout) settle() {
	f.arrived += uint64(f.members * len(f.frame))
	arrived(f.b, f.swarm, f.arrived)
}

// allocations counts those of one broadcast, everything that runs meanwhile included.
func (f *fanout) allocations() float64 {
	const rounds = 10
	var before, after runtime.MemStats
	total := uint64(0)
	for range rounds {
		runtime.ReadMemStats(&before)
		if err := f.server.Emit("reply", f.text); err != nil {
			f.b.Fatal(err)
		}
		time.Sleep(100*time.Millisecond + time.Duration(f.members)*50*time.Microsecond) // asking whether it is done allocates
		runtime.ReadMemStats(&after)
		total += after.Mallocs - before.Mallocs
		f.settle()
	}
	return float64(total) / rounds
}

// report prints the medians and the median of the rounds' ratios.
func report(b *testing.B, ours, bare []float64) {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / bare[i]
	}
	b.ReportMetric(median(ours), "ns/delivery")
	b.ReportMetric(median(bare), "bare-ns/delivery")
	b.ReportMetric(median(ratios), "ratio")
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// accepted finds the server's ends of its connections among our descriptors.
func accepted(b *testing.B, addr string, n int) (fds []int) {
	b.Helper()
	port := int(netip.MustParseAddrPort(addr).Port())
	for fd := 3; fd < 20_000; fd++ {
		local, err := unix.Getsockname(fd)
		if err != nil {
			continue
		}
		if _, err := unix.Getpeername(fd); err != nil {
			continue
		}
		switch sa := local.(type) {
		case *unix.SockaddrInet4:
			if sa.Port == port {
				fds = append(fds, fd)
			}
		case *unix.SockaddrInet6:
			if sa.Port == port {
				fds = append(fds, fd)
			}
		}
	}
	if len(fds) != n {
		b.Fatalf("%d connections found, want %d", len(fds), n)
	}
	return fds
}
