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
	for _, members := range []int{1, 100, 1000, 9000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) { fanout(b, members, 128) })
	}
}

func fanout(b *testing.B, members, payload int) {
	server, addr := serve(b, socketio.Options{})
	s := connect(b, swarm.WebSocket, addr, members)
	text := strings.Repeat("x", payload)
	frame := ws.AppendFrame(nil, ws.OpText, []byte(`42["reply","`+text+`"]`))
	fds := accepted(b, addr, members)
	base, err := s.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	sent := uint64(0)
	repeat := max(1, 10_000/members)
	measure := func(broadcast func()) float64 {
		runtime.GC()
		before := cpu(b)
		for range repeat {
			broadcast()
			sent += uint64(members * len(frame))
			arrived(b, s, base+sent)
		}
		return float64(cpu(b)-before) / float64(repeat*members)
	}
	ours := func() {
		if err := server.Emit("reply", text); err != nil {
			b.Fatal(err)
		}
	}
	bare := func() { writeAll(b, fds, frame) }
	measure(ours)
	measure(bare)
	for b.Loop() {
		var a, c []float64
		for range fanoutRounds {
			a, c = append(a, measure(ours)), append(c, measure(bare))
		}
		report(b, a, c)
	}
	b.ReportMetric(allocations(b, ours, func() {
		sent += uint64(members * len(frame))
		arrived(b, s, base+sent)
	})/float64(members), "allocs/delivery")
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

// allocations counts those of one broadcast, everything that runs meanwhile included.
func allocations(b *testing.B, broadcast, settle func()) float64 {
	const rounds = 10
	var before, after runtime.MemStats
	total := uint64(0)
	for range rounds {
		runtime.ReadMemStats(&before)
		broadcast()
		time.Sleep(50 * time.Millisecond) // the swarm is asked only afterwards: asking allocates
		runtime.ReadMemStats(&after)
		total += after.Mallocs - before.Mallocs
		settle()
	}
	return float64(total) / rounds
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

// writeAll is the limit: what one goroutine can do that does nothing else.
func writeAll(b *testing.B, fds []int, frame []byte) {
	for _, fd := range fds {
		if n, err := unix.Write(fd, frame); n != len(frame) {
			b.Fatal(n, err)
		}
	}
}
