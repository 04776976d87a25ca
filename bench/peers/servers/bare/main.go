// Command bare is the limit for what one core can do: one epoll loop that answers
// upgrades and, for a broadcast, calls write on every descriptor in order of
// arrival. The Go scheduler is not told about these calls, and the frame is built
// once. It speaks the raw dialect and keeps no rule that costs anything.
package main

import (
	"errors"
	"io"
	"os"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"golang.org/x/sys/unix"
)

func main() {
	l := undertest.Listen()
	file, err := l.File() // a descriptor of our own, outside of Go's poller
	if err != nil {
		undertest.Fail(err)
	}
	defer file.Close() //nolint:errcheck // at the end; what matters is that it is not closed before, when nobody refers to it
	at := l.Addr()
	if err := l.Close(); err != nil {
		undertest.Fail(err)
	}
	p, err := newLoop(int(file.Fd()))
	if err != nil {
		undertest.Fail(err)
	}
	undertest.Announce(at)
	if err := p.run(); !errors.Is(err, io.EOF) {
		undertest.Fail(err)
	}
}

// stdin ends the program: it is watched by the same loop, so that no other goroutine
// exists.
func stdinEnded() bool {
	var b [64]byte
	n, err := unix.Read(int(os.Stdin.Fd()), b[:])
	return n == 0 || (err != nil && err != unix.EINTR && err != unix.EAGAIN)
}
