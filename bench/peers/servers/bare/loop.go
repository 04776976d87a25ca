package main

import (
	"io"
	"os"
	"syscall"
	"unsafe"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

const (
	readBuffer = 64 << 10 // bytes, one for the loop
	maxEvents  = 1024     // of one epoll_wait
)

// loop is the server: one goroutine, one epoll.
type loop struct {
	epoll, listener int
	stdin           int
	conns           []*conn // by descriptor
	room            undertest.Room[*conn]
	in              []byte
	frame           []byte // of the broadcast, or of the echo, that is being sent
	request         http1.Request
	limits          ws.Limits
}

func newLoop(listener int) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(listener, true); err != nil {
		return nil, err
	}
	p := &loop{
		epoll: epoll, listener: listener, stdin: int(os.Stdin.Fd()),
		in: make([]byte, readBuffer),
	}
	if err := p.watch(listener, unix.EPOLLIN); err != nil {
		return nil, err
	}
	if err := p.watch(p.stdin, unix.EPOLLIN); err != nil && err != unix.EPERM { // a file cannot be watched, and does not end
		return nil, err
	}
	return p, nil
}

func (p *loop) watch(fd int, events uint32) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

func (p *loop) rewatch(fd int, events uint32) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// run serves until standard input ends, which is io.EOF.
func (p *loop) run() error {
	events := make([]unix.EpollEvent, maxEvents)
	for {
		n := p.ready(events)
		if n == 0 {
			var err error
			if n, err = unix.EpollWait(p.epoll, events, -1); err != nil && err != unix.EINTR {
				return err
			}
		}
		for _, e := range events[:max(n, 0)] {
			switch fd := int(e.Fd); fd {
			case p.listener:
				p.accept()
			case p.stdin:
				if stdinEnded() {
					return io.EOF
				}
			default:
				p.serve(p.conns[fd], e.Events)
			}
		}
	}
}

// ready is how many events are there at once. Like a write it does not block, and the
// scheduler is not told.
func (p *loop) ready(events []unix.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// accept takes all that wait. What cannot be accepted stays in the kernel's queue.
func (p *loop) accept() {
	for {
		fd, _, err := unix.Accept4(p.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) != nil || p.watch(fd, unix.EPOLLIN) != nil {
			_ = unix.Close(fd)
			continue
		}
		for fd >= len(p.conns) {
			p.conns = append(p.conns, nil)
		}
		p.conns[fd] = &conn{loop: p, fd: fd}
	}
}

// serve handles an event of a connection, nil if that was closed by an event before.
func (p *loop) serve(c *conn, events uint32) {
	if c == nil {
		return
	}
	if events&unix.EPOLLOUT != 0 {
		c.flush()
	}
	if events&^unix.EPOLLOUT != 0 {
		c.read()
	}
}

func (p *loop) broadcast(text []byte) {
	p.frame = ws.AppendFrame(p.frame[:0], ws.OpText, text)
	p.room.Each(func(c *conn) { c.write(p.frame) })
}
