package swarm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"golang.org/x/sys/unix"
)

// forever is more trips than anybody waits for.
const forever = 1 << 62

// begin has every client make its first trip.
func (c *clients) begin(t Trips) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trips, c.left, c.under, c.latency = t, t.N, 0, report.Histogram{}
	if t.N == 0 {
		c.left = forever
	}
	for _, k := range c.all {
		k.steps, k.begun = k.requests(t.Request), k.begun[:0]
		if c.left > 0 && t.Every == 0 {
			c.depart(k, time.Now())
		}
	}
	if t.Every > 0 {
		return c.startPacer()
	}
	return nil
}

// depart sends the first request of a trip.
func (c *clients) depart(k *client, begun time.Time) {
	c.left--
	c.under++
	k.begun = append(k.begun, begun)
	k.step = 0
	c.send(k)
}

func (c *clients) send(k *client) {
	b := k.steps[k.step]
	if n, err := unix.Write(k.fd, b); n != len(b) {
		c.fail(fmt.Errorf("%d of %d bytes of a request were written (%v)", n, len(b), err))
	}
}

// answered is told of a complete answer.
func (c *clients) answered(k *client, a []byte) {
	switch {
	case k.kind == HeldPoll:
		c.arrived++
		c.send(k)
	case len(k.begun) == 0:
		c.fail(fmt.Errorf("%q has come, and nobody asked", a))
	case k.step < len(k.steps)-1:
		k.step++
		c.send(k)
	default:
		c.returned(k, a)
	}
}

// returned ends a trip, and begins the next unless that has a time of its own.
func (c *clients) returned(k *client, a []byte) {
	if !bytes.Contains(a, []byte(c.trips.Answer)) {
		c.fail(fmt.Errorf("the answer is %q, without %q", a, c.trips.Answer))
	}
	now := time.Now()
	c.latency.Add(now.Sub(k.begun[0]), 1)
	k.begun = append(k.begun[:0], k.begun[1:]...)
	c.under--
	switch {
	case c.left > 0 && c.trips.Every == 0:
		c.depart(k, now)
	case c.left == 0 && c.under == 0 && c.trips.N > 0:
		c.ring()
	case c.under == 0:
		c.idle.Broadcast()
	}
}

// startPacer has the epoll tell when the next trip is due.
func (c *clients) startPacer() error {
	if len(c.all) != 1 {
		return fmt.Errorf("trips at set times are for one client, not for %d", len(c.all))
	}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	c.pacer = fd
	every := unix.NsecToTimespec(c.trips.Every.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// pace begins the trips that have fallen due. Those that this process was too late
// for count from when they were due.
func (c *clients) pace() {
	var b [8]byte
	if n, _ := unix.Read(c.pacer, b[:]); n != len(b) {
		return
	}
	now, due := time.Now(), int(binary.NativeEndian.Uint64(b[:]))
	for late := min(due, c.left) - 1; late >= 0; late-- {
		for _, k := range c.all {
			c.depart(k, now.Add(-time.Duration(late)*c.trips.Every))
		}
	}
}

// halt begins no more trips, waits for those under way, and sums up.
func (c *clients) halt() *report.Latency {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = 0
	if c.pacer > 0 {
		_ = unix.Close(c.pacer)
		c.pacer = 0
	}
	for c.under > 0 && c.failed == nil {
		c.idle.Wait()
	}
	return c.latency.Latency()
}
