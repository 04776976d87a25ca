package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"golang.org/x/sys/unix"
)

// nap is how long the clients do not ask for what has come: meanwhile it gathers, and
// the server, whose write would do the waking, pays for no wake-up per frame.
const nap = time.Millisecond

// client is a process full of connections to one server, on one epoll and one
// goroutine.
type client struct {
	epoll int
	moved chan struct{} // has an element when something happened

	mu    sync.Mutex
	to    unix.SockaddrInet4 // guarded by mu, as is the rest
	all   []connection
	want  int   // connections to open in all
	err   error // the first that went wrong
	sent  []time.Time
	now   time.Time // when the bytes that are worked at were read
	seen  report.Histogram
	event events
}

func beClient(in io.Reader, out io.Writer) error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	c := &client{epoll: epoll, moved: make(chan struct{}, 1)}
	c.event.delivered = func(n uint32) {
		if int(n) < len(c.sent) {
			c.seen.Add(c.now.Sub(c.sent[n]), 1)
		}
	}
	go c.loop()
	return obey(in, out, c.do)
}

// do carries out one order.
func (c *client) do(o order) (a answer, err error) {
	switch o.Op {
	case "open":
		err = c.open(o)
	case "broadcast":
		err = c.broadcast(o)
	case "count":
	default:
		err = fmt.Errorf("unknown order %q", o.Op)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a = answer{Open: c.event.joined, Counts: c.event.counts, Latency: c.seen.Latency(), Pings: c.event.pings}
	return a, errors.Join(err, c.err)
}

// open opens o.N connections, and returns when all are joined or one failed.
func (c *client) open(o order) error {
	addr, err := netip.ParseAddrPort(o.Addr)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.to = unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	c.all, c.want = make([]connection, 0, o.N), o.N
	for range min(o.Dialing, o.N) {
		c.dialNext()
	}
	c.mu.Unlock()
	return c.wait(o.Patience, func() (uint64, bool) { return uint64(c.event.joined), c.event.joined == c.want })
}

// broadcast sends one message, unless another client does, and returns when everybody here has it.
func (c *client) broadcast(o order) error {
	c.mu.Lock()
	if len(c.all) == 0 {
		c.mu.Unlock()
		return errors.New("broadcast before open")
	}
	n, at := uint32(len(c.sent)), time.Now()
	if o.At != 0 {
		at = time.Unix(0, o.At)
	}
	c.sent = append(c.sent, at)
	expected := uint64(len(c.sent)) * uint64(c.want)
	c.mu.Unlock()
	if !o.Others {
		time.Sleep(time.Until(at))
		c.say(n, o.Payload)
	}
	return c.wait(o.Patience, func() (uint64, bool) { return c.event.counts.Delivered, c.event.counts.Delivered >= expected })
}

// say sends message n.
func (c *client) say(n uint32, payload int) {
	packet := appendSequence([]byte(`42["chatMessage","`), n)
	for range payload - sequenceWidth {
		packet = append(packet, 'x')
	}
	frame := appendClientFrame(nil, 1, append(packet, `"]`...))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(0, c.all[0].write(frame))
}

// wait returns when look says it is done, something failed, or its figure stood still
// for the time given. look is called with mu held.
func (c *client) wait(patience time.Duration, look func() (figure uint64, done bool)) error {
	still := time.NewTimer(patience)
	defer still.Stop()
	for last := uint64(0); ; {
		c.mu.Lock()
		figure, done := look()
		err := c.err
		c.mu.Unlock()
		if done || err != nil {
			return nil // do adds err
		}
		if figure != last {
			last = figure
			still.Reset(patience)
		}
		select {
		case <-c.moved:
		case <-still.C:
			return fmt.Errorf("nothing happened for %v, at %d", patience, figure)
		}
	}
}

// dialNext begins the next handshake, if one is left. mu is held.
func (c *client) dialNext() {
	if len(c.all) == c.want || c.err != nil {
		return
	}
	i := len(c.all)
	fd, err := dial(&c.to, i)
	if err != nil {
		c.fail(i, err)
		return
	}
	c.all = append(c.all, connection{fd: int32(fd)})
	err = c.all[i].write(fmt.Appendf(nil, upgradeHead, netip.AddrPortFrom(netip.AddrFrom4(c.to.Addr), uint16(c.to.Port))))
	c.fail(i, errors.Join(err, unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)})))
}

// fail notes that connection i went wrong, unless err is nil. mu is held.
func (c *client) fail(i int, err error) {
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("connection %d: %w", i, err)
	}
}

// loop reads whatever comes, for ever.
func (c *client) loop() {
	ready := make([]unix.EpollEvent, 512)
	b := make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(c.epoll, ready, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		c.mu.Lock()
		c.fail(0, err)
		for _, e := range ready[:max(n, 0)] {
			c.read(int(e.Fd), b)
		}
		c.mu.Unlock()
		select {
		case c.moved <- struct{}{}:
		default: // not looked at yet
		}
		if n < len(ready) {
			time.Sleep(nap) // also after an error, which c.fail has noted
		}
	}
}

// read takes what has come for connection i. mu is held.
func (c *client) read(i int, b []byte) {
	k := &c.all[i]
	n, err := unix.Read(int(k.fd), b)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err == nil && n == 0:
		err = errors.New("closed by the server")
	case err == nil:
		c.now = time.Now()
		before := c.event.joined
		err = k.feed(b[:n], &c.event)
		if c.event.joined > before {
			c.dialNext()
		}
	}
	if err != nil {
		c.fail(i, err)
		_ = unix.Close(int(k.fd))
	}
}
