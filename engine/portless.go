package engine

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// Start starts the loops without a port, in place of Listen: for a server whose
// connections others bring, such as net/http (ServeHTTP). Serve and Shutdown are the
// same.
func (s *Server) Start() error {
	return s.start(func() error {
		if err := s.budgetDescriptors(); err != nil {
			return err
		}
		return s.bootPortless()
	})
}

// bootPortless runs the loops of a gnet client, which has no listeners: gnet's
// servers are not without.
func (s *Server) bootPortless() error {
	k := &callbacks{srv: s, booted: make(chan struct{})}
	client, err := gnet.NewClient(k, append(s.gnetOptions(), gnet.WithMulticore(true))...)
	if err == nil {
		err = client.Start()
	}
	if err != nil {
		return fmt.Errorf("engine: starting the event loops: %w", err)
	}
	stop := sync.OnceFunc(func() {
		_ = client.Stop() // we asked for it: what a loop says to that is no news
		s.loopsEnded(nil)
	})
	s.halt = func(context.Context) { stop() }
	if err := s.introduceLoops(client); err != nil {
		stop()
		return fmt.Errorf("engine: starting the event loops: %w", err)
	}
	return nil
}

// introduction is gnet's context of a connection that is there to make its loop known.
type introduction struct{}

// introduceLoops makes every loop known: gnet has no list of them, and here no
// connection that is not brought to a loop we know. gnet gives each to the loop
// that has the fewest, so that all stay until the last has come.
func (s *Server) introduceLoops(client *gnet.Client) error {
	for range s.opts.Loops {
		pair, err := socketpair()
		if err != nil {
			return err
		}
		defer func() { _ = syscall.Close(pair[0]) }()
		nc, err := connOf(pair[1], "introduction")
		if err != nil {
			return err
		}
		if _, err := client.EnrollContext(nc, introduction{}); err != nil {
			return err
		}
	}
	return nil
}

// connOf makes a descriptor a net.Conn, and closes it.
func connOf(fd int, name string) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), name)
	defer func() { _ = f.Close() }()
	return net.FileConn(f) // duplicates it, into the runtime's poller
}
