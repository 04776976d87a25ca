package bench

import (
	"net/netip"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// yardstick is the limit: one goroutine that calls sendto on every member's
// descriptor and does nothing else. The descriptors do not block, so Go's scheduler
// is not told about the calls.
type yardstick struct{ fds []int }

// deliver sends b once to every member.
func (y *yardstick) deliver(t testing.TB, b []byte) {
	for _, fd := range y.fds {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		if int(n) != len(b) {
			t.Fatalf("bench: %d of %d bytes were sent (%v)", int(n), len(b), errno)
		}
	}
}

// yardstickOver finds the server's ends of its n connections among our descriptors,
// in the order in which they were accepted, or nearly.
func yardstickOver(t testing.TB, addr string, n int) *yardstick {
	t.Helper()
	y := &yardstick{}
	port := int(netip.MustParseAddrPort(addr).Port())
	for fd := 3; fd < 1<<20 && len(y.fds) < n; fd++ {
		local, err := unix.Getsockname(fd)
		if err != nil || portOf(local) != port {
			continue
		}
		if _, err := unix.Getpeername(fd); err == nil { // not the listener
			y.fds = append(y.fds, fd)
		}
	}
	if len(y.fds) != n {
		t.Fatalf("bench: %d connections found, want %d", len(y.fds), n)
	}
	return y
}

func portOf(a unix.Sockaddr) int {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return a.Port
	case *unix.SockaddrInet6:
		return a.Port
	}
	return 0
}

// measure returns the CPU of repeat deliveries of b, and that of one wait for the
// members to have them: the server's figure contains such a wait too, and is to be
// freed from it.
func (y *yardstick) measure(f *fanout, b []byte, repeat int) (deliveries, wait time.Duration) {
	must(f.b, f.swarm.Expect(len(y.fds)*len(b), repeat))
	for range repeat {
		before := used(f.b)
		y.deliver(f.b, b)
		sent := used(f.b)
		must(f.b, f.swarm.Wait())
		deliveries += sent - before
		wait += used(f.b) - sent
	}
	return deliveries, wait / time.Duration(repeat)
}
