package swarm

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"golang.org/x/sys/unix"
)

// dialers is how many connections are opened at the same time.
const dialers = 16

// clients are the swarm's connections. One goroutine reads them all (work); orders
// come on another.
type clients struct {
	epoll int       // immutable
	bell  io.Writer // immutable

	mu      sync.Mutex
	all     map[int32]*client // guarded by mu, like all below; by descriptor
	opened  int               // since the beginning
	arrived uint64
	ringAt  uint64 // arrived
	every   uint64 // how many more until it rings again
	rings   int    // still to come
	failed  error  // the first thing that went wrong since the last order

	trips   Trips
	left    int // trips to begin
	under   int // trips under way
	latency report.Histogram
	idle    sync.Cond // no trip is under way; its lock is mu
	pacer   int       // a timer in the epoll, for trips at set times; 0 means none
}

// client is one connection. Guarded by clients.mu.
type client struct {
	fd    int
	kind  Kind
	host  string
	sid   string      // of the session, where the transport is polling
	steps [][]byte    // what is sent, one after the answer to the other; none: all that comes is discarded
	step  int         // whose answer is to come
	begun []time.Time // of the trips under way; more than one only at set times
	carry []byte      // of an answer that has come in part
}

func newClients(bell io.Writer) (*clients, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	c := &clients{epoll: fd, bell: bell, all: make(map[int32]*client)}
	c.idle.L = &c.mu
	return c, err
}

// open connects o.N clients; the first error counts.
func (c *clients) open(o order) error {
	addr, err := net.ResolveTCPAddr("tcp4", o.Addr)
	if err != nil {
		return err
	}
	numbers := make(chan int, o.N)
	for range o.N {
		numbers <- c.opened
		c.opened++
	}
	close(numbers)
	var wg sync.WaitGroup
	errs := make(chan error, dialers)
	for range dialers {
		wg.Go(func() {
			for i := range numbers {
				if err := c.connect(o, addr, i); err != nil {
					errs <- fmt.Errorf("client %d: %w", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// connect opens client number i and hands its socket to the epoll.
func (c *clients) connect(o order, addr *net.TCPAddr, i int) error {
	fd, err := dial(addr, i)
	if err != nil {
		return err
	}
	k := &client{fd: fd, kind: o.Kind, host: addr.String()}
	if err := k.shakeHands(); err != nil {
		_ = unix.Close(fd)
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[int32(fd)] = k
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// drop closes all clients.
func (c *clients) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for fd := range c.all {
		_ = unix.Close(int(fd))
	}
	clear(c.all)
}

func (c *clients) expect(n uint64, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ringAt, c.every, c.rings = c.arrived+n, n, times
}

func (c *clients) ring() {
	if _, err := c.bell.Write([]byte{0}); err != nil {
		c.fail(err)
	}
}

func (c *clients) fail(err error) {
	if c.failed == nil {
		c.failed = err
		c.idle.Broadcast()
	}
}

// work reads whatever comes, for ever.
func (c *clients) work() {
	events := make([]unix.EpollEvent, 1024)
	b := make([]byte, 256<<10)
	for {
		n, err := unix.EpollWait(c.epoll, events, -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			panic(err)
		}
		c.mu.Lock()
		for _, e := range events[:max(n, 0)] {
			c.read(e.Fd, b)
		}
		for ; c.rings > 0 && c.arrived >= c.ringAt; c.rings-- {
			c.ringAt += c.every
			c.ring()
		}
		napping := c.rings > 0
		c.mu.Unlock()
		if napping {
			time.Sleep(nap)
		}
	}
}

// nap is how often the swarm looks at its connections while it expects a broadcast.
// One that slept on its epoll would be woken by every few writes, and on loopback the
// server pays for that: more, the slower it writes, so that every difference between
// two servers would look larger than it is.
const nap = time.Millisecond

func (c *clients) read(fd int32, b []byte) {
	if int(fd) == c.pacer {
		c.pace()
		return
	}
	k := c.all[fd]
	if k == nil {
		return // dropped meanwhile
	}
	n, err := unix.Read(int(fd), b)
	switch {
	case n > 0:
		c.take(k, b[:n])
	case n == 0 || !errors.Is(err, syscall.EAGAIN):
		_ = unix.Close(int(fd))
		delete(c.all, fd)
		c.fail(fmt.Errorf("the server closed a connection (%v)", err))
	}
}

// take counts what came, and has the client go on once its answer is complete.
func (c *clients) take(k *client, b []byte) {
	if (k.kind == WebSocket || k.kind == Deflate) && k.steps == nil {
		c.arrived += uint64(len(b))
		return
	}
	if len(k.carry) > 0 {
		k.carry = append(k.carry, b...)
		b = k.carry
	}
	for len(b) > 0 {
		n, err := k.answer(b)
		if err != nil {
			c.fail(err)
			return
		}
		if n == 0 {
			break
		}
		c.answered(k, b[:n])
		b = b[n:]
	}
	k.carry = append(k.carry[:0], b...)
}
