package engine

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// selfPipe is a loop's connection to itself (the self-pipe trick): a byte written to
// it is input, among that of the others, and brings a turn. Producers wake the loop
// so, the ticker does, and the loop itself, when it has more to do than a turn allows.
//
// gnet's own way, Execute, allocates twice each time, and gnet works off all such
// tasks before it looks at its connections: a loop that asked itself for turns, or is
// asked for them without end, would never come to its input.
type selfPipe struct {
	loop *loop // immutable

	mu sync.RWMutex // held for writing while fd is closed
	fd int          // where bytes are written; -1 after the end

	bell chan struct{} // immutable: rung in place of fd, of a loop without gnet
}

// newSelfPipe connects the loop to itself. What is written before gnet has the other
// end waits there.
func newSelfPipe(l *loop) (*selfPipe, error) {
	pair, err := socketpair()
	if err != nil {
		return nil, err
	}
	p := &selfPipe{loop: l, fd: pair[0]}
	f := os.NewFile(uintptr(pair[1]), "self-pipe")
	defer func() { _ = f.Close() }()
	nc, err := net.FileConn(f)
	if err == nil {
		err = p.enroll(nc)
	}
	if err != nil {
		p.closed()
	}
	return p, err
}

// socketpair makes two descriptors that do not block, nor outlive an exec.
func socketpair() (pair [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if pair, err = syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0); err != nil {
		return pair, err
	}
	for _, fd := range pair {
		syscall.CloseOnExec(fd)
		err = errors.Join(err, syscall.SetNonblock(fd, true))
	}
	return pair, err
}

// enroll gives the other end to gnet, which closes nc. Without it the loop would never
// wake: then the whole server ends.
func (p *selfPipe) enroll(nc net.Conn) error {
	s := p.loop.srv
	done, err := p.loop.el.Enroll(gnet.NewContext(context.Background(), p), nc)
	if err != nil {
		_ = nc.Close()
		return err
	}
	go func() {
		select {
		case r := <-done:
			if r.Err != nil {
				s.opts.Logger.Error("engine: a loop could not be connected to itself", "error", r.Err)
				s.halt(context.Background())
			}
		case <-s.done:
		}
	}()
	return nil
}

// ring brings a turn. Safe for concurrent use; nothing happens after the loop's end.
func (p *selfPipe) ring() {
	if p.bell != nil {
		select {
		case p.bell <- struct{}{}:
		default: // there is a turn to come
		}
		return
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.fd >= 0 {
		_, _ = writeNow(p.fd, oneByte) // where it is full, there is a turn to come
	}
}

var oneByte = []byte{0}

// heard is the turn. Other goroutines that wait for this processor go first: during a
// broadcast the loop never sleeps, and there may be no other processor. Loop-only.
func (p *selfPipe) heard() {
	runtime.Gosched()
	p.loop.run()
}

// closed is told that the loop has ended, by gnet or, where gnet had not taken the
// other end yet, by the server.
func (p *selfPipe) closed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd >= 0 {
		_ = syscall.Close(p.fd)
		p.fd = -1
	}
}
