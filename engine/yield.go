package engine

import (
	"context"
	"net"
	"os"
	"runtime"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// A loop with more to do than a turn allows has to let its connections in between
// two turns. A task that posted its own successor would not: gnet works off all
// tasks before it looks at its connections. So each loop has a connection to itself.
// A byte that it writes there comes back as input, among that of the others.

// yield is a loop's connection to itself. Loop-only.
type yield struct {
	loop *loop
	fd   int  // where the byte is written
	open bool // gnet has the other end
}

// newYield gives the loop its connection; false when there is none to be had.
func (s *Server) newYield(l *loop) bool {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	l.yield = &yield{loop: l, fd: pair[0]}
	f := os.NewFile(uintptr(pair[1]), "yield")
	defer func() { _ = f.Close() }()
	nc, err := net.FileConn(f)
	if err == nil {
		if _, err = l.el.Enroll(gnet.NewContext(context.Background(), l.yield), nc); err != nil {
			_ = nc.Close()
		}
	}
	if err != nil {
		_ = syscall.Close(pair[0])
	}
	return err == nil
}

// opened and closed are told by gnet. When the loop ends, so does its connection.
func (y *yield) opened() { y.open = true }

func (y *yield) closed() {
	y.open = false
	_ = syscall.Close(y.fd)
}

// ask brings another turn after the connections have had theirs; false when it
// cannot.
func (y *yield) ask() bool {
	if y == nil || !y.open {
		return false
	}
	n, _ := writeNow(y.fd, oneByte)
	return n > 0
}

var oneByte = []byte{0}

// granted is the turn. Other goroutines that wait for this processor go first:
// during a broadcast the loop never sleeps, and there may be no other processor.
func (y *yield) granted() {
	runtime.Gosched()
	_ = y.loop.Run(context.Background())
}
