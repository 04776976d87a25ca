package swarm

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// dialers is how many connections are opened at the same time.
	dialers = 16
	// perSource is how many connections come from one address of 127.0.0.0/8: there
	// are some 28,000 ports for each.
	perSource = 20_000
)

// clients are the swarm's connections.
type clients struct {
	epoll int
	bytes atomic.Uint64
}

func newClients() (*clients, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &clients{epoll: fd}, err
}

// open connects o.N clients; the first error counts.
func (c *clients) open(o order) error {
	addr, err := net.ResolveTCPAddr("tcp4", o.Addr)
	if err != nil {
		return err
	}
	numbers := make(chan int, o.N)
	for i := range o.N {
		numbers <- i
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

// connect opens one client and hands its socket to the epoll.
func (c *clients) connect(o order, addr *net.TCPAddr, i int) error {
	fd, err := dial(addr, i)
	if err != nil {
		return err
	}
	host := addr.String()
	if o.Kind == HeldPoll {
		err = holdPoll(fd, host)
	} else {
		err = openWebSocket(fd, host)
	}
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func dial(addr *net.TCPAddr, i int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	// The port is chosen by connect, which may use it again for another server; bind
	// would search for one that nobody has, ever longer.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i/perSource)}}
	if err := unix.Bind(fd, &from); err != nil {
		return fd, err
	}
	to := unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}
	return fd, unix.Connect(fd, &to)
}

const upgradeHead = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n" +
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// openWebSocket upgrades and joins the default namespace.
func openWebSocket(fd int, host string) error {
	if err := send(fd, fmt.Sprintf(upgradeHead, host)); err != nil {
		return err
	}
	if _, err := readUntil(fd, `"maxPayload":`); err != nil {
		return err
	}
	// a masked text frame with the key 0: "40"
	if err := send(fd, "\x81\x82\x00\x00\x00\x0040"); err != nil {
		return err
	}
	_, err := readUntil(fd, `40{"sid":"`)
	return err
}

// holdPoll opens a polling session, joins the default namespace and leaves a poll
// waiting.
func holdPoll(fd int, host string) error {
	const target = "/socket.io/?EIO=4&transport=polling"
	if err := send(fd, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); err != nil {
		return err
	}
	open, err := readUntil(fd, `"maxPayload":`)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	url := target + "&sid=" + sid
	if err := send(fd, "POST "+url+" HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 2\r\n\r\n40"); err != nil {
		return err
	}
	if _, err := readUntil(fd, "\r\n\r\nok"); err != nil {
		return err
	}
	get := "GET " + url + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	if err := send(fd, get); err != nil {
		return err
	}
	if _, err := readUntil(fd, `40{"sid":"`); err != nil {
		return err
	}
	return send(fd, get) // this one is held
}

func send(fd int, s string) error {
	for len(s) > 0 {
		n, err := unix.Write(fd, []byte(s))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		s = s[max(n, 0):]
	}
	return nil
}

// readUntil reads until the text has come, and what came with it.
func readUntil(fd int, text string) (string, error) {
	var got []byte
	var b [4096]byte
	for !bytes.Contains(got, []byte(text)) {
		n, err := unix.Read(fd, b[:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return "", err
		case n == 0:
			return "", fmt.Errorf("the server closed after %q", got)
		}
		got = append(got, b[:max(n, 0)]...)
	}
	return string(got), nil
}

// drain reads and discards whatever comes, for ever.
func (c *clients) drain() {
	events := make([]unix.EpollEvent, 1024)
	b := make([]byte, 256<<10)
	for {
		n, err := unix.EpollWait(c.epoll, events, -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			panic(err)
		}
		for _, e := range events[:max(n, 0)] {
			got, err := unix.Read(int(e.Fd), b)
			if got > 0 {
				c.bytes.Add(uint64(got))
			} else if got == 0 || !errors.Is(err, syscall.EAGAIN) {
				_ = unix.Close(int(e.Fd))
			}
		}
	}
}
