package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

var (
	errReset   = errors.New("connection reset")
	errNoPorts = errors.New("no local port is left: give more --sources, or wait a minute")
)

// slowReceiveBuffer is what a connection that does not read asks for, in bytes; the
// kernel doubles it. It fills after a few messages.
const slowReceiveBuffer = 4096

// upgrade is the request; its key is the one of RFC 6455 section 1.3, and accept
// what that must be answered with.
const (
	upgrade = "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	// maxResponse bounds the head of the answer, in bytes.
	maxResponse = 16 << 10
)

// Open connects all, and returns when every one has joined. rate is dials per
// second, 0 as many as Options.Concurrency allows. Each handshake's time, from when
// it was due, goes into the Tally. each is called with every turn, and may end it.
func (f *Fleet) Open(rate float64, each func() error) error {
	begin, dialed := Now(), 0
	for f.Joined+f.Asleep < len(f.conns) {
		next := Now() + time.Second
		for dialed < len(f.conns) && dialed-f.Joined-f.Asleep < f.o.Concurrency {
			due := Now()
			if rate > 0 {
				if due = begin + time.Duration(float64(dialed)/rate*1e9); due > Now() {
					next = due
					break
				}
			}
			if err := f.dial(dialed, due); err != nil {
				return err
			}
			dialed++
		}
		if err := f.Turn(next); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
		if f.Tally.Closed+f.SlowClosed > 0 {
			return fmt.Errorf("loadgen: the server closed a connection while others were opened: %s", f.Tally.Reason)
		}
		if quiet := Now() - max(begin, f.Tally.LastHeard); quiet > f.o.Stall {
			return fmt.Errorf("loadgen: %s: no handshake was finished for %v; %d of %d connections are open",
				f.targets[0].host, quiet.Round(time.Second), f.Joined+f.Asleep, len(f.conns))
		}
	}
	return nil
}

func (f *Fleet) target(i int) *target { return &f.targets[(f.o.First+i)%len(f.targets)] }

func (f *Fleet) dial(i int, due time.Duration) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("loadgen: connection %d: %w", i, err)
	}
	c := &f.conns[i]
	*c = conn{fd: int32(fd), phase: dialing, begun: due}
	established, err := f.connect(i, fd)
	if err != nil {
		f.drop(c)
		return fmt.Errorf("loadgen: ws://%s: %w", f.target(i).host, err)
	}
	events := uint32(readable)
	if !established {
		events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(i)}); err != nil {
		return fmt.Errorf("fleet: epoll: %w", err)
	}
	if established {
		f.request(i, c)
	}
	return nil
}

// connect begins to connect; on loopback it is mostly done at once.
func (f *Fleet) connect(i, fd int) (established bool, err error) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	// The port is chosen by connect, which may use it again for another server; bind
	// would search for one that nobody has, ever longer.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if f.slow(i) {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, slowReceiveBuffer); err != nil {
			return false, err
		}
	}
	from := &f.sources[(f.o.First+i)/len(f.targets)%len(f.sources)].from
	if err := unix.Bind(fd, from); err != nil {
		return false, fmt.Errorf("cannot connect from %v: %w", from.Addr, err)
	}
	switch err := unix.Connect(fd, &f.target(i).to); {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EINPROGRESS):
		return false, nil
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return false, errNoPorts
	default:
		return false, err
	}
}

// connected is called when connecting has ended, one way or the other.
func (f *Fleet) connected(i int, c *conn) {
	code, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		f.fail(fmt.Errorf("loadgen: ws://%s: %w", f.target(i).host, err))
		return
	}
	f.watch(i, c, readable)
	f.request(i, c)
}

// request asks for the upgrade.
func (f *Fleet) request(i int, c *conn) {
	c.phase = upgrading
	f.out = fmt.Appendf(f.out[:0], upgrade, f.dialect.path(), f.target(i).host)
	f.send(i, c, f.out)
}

// upgraded takes the answer to the request off b; ok is false while it is not all
// there.
func (f *Fleet) upgraded(i int, c *conn, b []byte) (rest []byte, ok bool) {
	head, rest, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok && len(b) < maxResponse {
		return b, false
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, []byte(accept)) {
		line, _, _ := bytes.Cut(b, []byte("\r\n"))
		f.fail(fmt.Errorf("loadgen: ws://%s%s does not upgrade to WebSocket: it answers %.80q %.80q", f.target(i).host, f.dialect.path(), line, rest))
		return nil, false
	}
	c.phase = greeting
	f.greet(i, c, nil)
	return rest, true
}

// greet goes a step further in the dialect's handshake.
func (f *Fleet) greet(i int, c *conn, message []byte) {
	send, next, err := f.dialect.greet(c.step, message)
	if err != nil {
		f.fail(fmt.Errorf("loadgen: ws://%s %w: does it speak %s?", f.target(i).host, err, f.o.Dialect))
		return
	}
	if send != "" {
		f.sendText(i, c, send)
	}
	if c.step = next; next == joined {
		f.join(i, c)
	}
}

// join: the handshake is done.
func (f *Fleet) join(i int, c *conn) {
	now := Now()
	f.Tally.Heard.Add(now-c.begun, 1)
	f.Tally.LastHeard = now
	if f.slow(i) {
		c.phase = asleep
		f.Asleep++
		f.watch(i, c, 0)
		return
	}
	c.phase = ready
	f.Joined++
}

// Wake lets the connections that do not read read again, unheard, so that those show
// that the server has closed.
func (f *Fleet) Wake() {
	for i := range f.conns {
		if c := &f.conns[i]; c.phase == asleep {
			c.phase = draining
			f.watch(i, c, readable)
		}
	}
}

// watch changes which events of a connection count.
func (f *Fleet) watch(i int, c *conn, events uint32) {
	if err := unix.EpollCtl(f.epoll, unix.EPOLL_CTL_MOD, int(c.fd), &unix.EpollEvent{Events: events, Fd: int32(i)}); err != nil {
		f.fail(fmt.Errorf("fleet: epoll: %w", err))
	}
}

// ended notes that the server has closed c.
func (f *Fleet) ended(c *conn, why error) {
	switch c.phase {
	case asleep, draining:
		f.SlowClosed++
		f.Asleep--
	default:
		if c.phase == ready {
			f.Joined--
		}
		if f.Tally.Closed++; f.Tally.Closed == 1 {
			f.Tally.Reason = why.Error()
		}
	}
	f.drop(c)
}

// drop closes c without a word.
func (f *Fleet) drop(c *conn) {
	_ = unix.Close(int(c.fd))
	f.keepCarry(c, nil)
	c.phase = closed
}

// closeReason says why the server closes, from the payload of its close frame.
func closeReason(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("close frame")
	}
	return fmt.Errorf("close frame %d %q", ws.StatusCode(uint16(payload[0])<<8|uint16(payload[1])), payload[2:])
}
