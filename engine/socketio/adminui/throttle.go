package adminui

import (
	"net/netip"
	"sync"
	"time"
)

// maxThrottled is how many addresses are remembered for their failed logins. Who fills
// the table loses others' entries, and gains no more than one password at a time.
const maxThrottled = 4096

// throttle counts failed logins by address: a bucket each that leaks.
type throttle struct {
	burst    int           // immutable
	interval time.Duration // immutable

	mu    sync.Mutex
	empty map[netip.Prefix]time.Time // when the bucket of an address is empty again; guarded by mu
}

func newThrottle(burst int, interval time.Duration) *throttle {
	return &throttle{burst: burst, interval: interval, empty: make(map[netip.Prefix]time.Time)}
}

// take counts an attempt, and reports whether it is one that may be made.
func (t *throttle) take(address string) bool {
	who, now := block(address), time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.empty[who]
	if at.Before(now) {
		at = now
	}
	if at = at.Add(t.interval); at.Sub(now) > time.Duration(t.burst)*t.interval {
		return false
	}
	t.makeRoom(now)
	t.empty[who] = at
	return true
}

// giveBack undoes take, for a login that succeeded.
func (t *throttle) giveBack(address string) {
	who := block(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.empty[who]; ok {
		t.empty[who] = at.Add(-t.interval)
	}
}

// makeRoom forgets whose bucket is empty, and somebody where there is nobody. Called
// with mu held.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.empty) < maxThrottled {
		return
	}
	for who, at := range t.empty {
		if !now.Before(at) {
			delete(t.empty, who)
		}
	}
	for who := range t.empty {
		if len(t.empty) < maxThrottled {
			return
		}
		delete(t.empty, who)
	}
}

// block is what an address is counted by: an IPv6 user has a /64 at least. What is no
// address is counted together.
func block(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
