package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

const (
	// reservedFD is the least number of descriptors kept for the rest of the
	// process: files, databases, connections on the move.
	reservedFD = 32
	// minFD is the descriptor limit below which Listen refuses to start.
	minFD = 128
	// portTries is how often a free port is looked for where none was asked for:
	// somebody else may take it between our look and gnet's bind.
	portTries = 5
)

// Listen binds the TCP address ("host:port"; port 0 takes a free one) and starts
// the loops. An address in use, a descriptor limit too low or a bad address are
// errors that say what to do.
func (s *Server) Listen(addr string) error { return s.ListenTLS(addr, s.opts.TLS) }

// ListenTLS is Listen with a configuration that replaces Options.TLS; nil for none.
func (s *Server) ListenTLS(addr string, config *tls.Config) error {
	return s.start(func() error {
		s.tls = nil
		if config != nil {
			t, err := newTLSServer(config)
			if err != nil {
				return err
			}
			s.tls = t
		}
		return s.listen(addr)
	})
}

func (s *Server) start(listen func() error) error {
	s.listenMu.Lock()
	defer s.listenMu.Unlock()
	if s.listening {
		return ErrListening
	}
	if err := listen(); err != nil {
		return err
	}
	if s.handed != nil {
		go s.handed.serve()
	}
	s.background.Go(s.runTicker)
	s.listening = true
	return nil
}

func (s *Server) listen(addr string) error {
	if err := s.budgetDescriptors(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		free, err := probeAddress(addr)
		if err != nil {
			return err
		}
		s.addr = free // before there are loops that could ask
		if err = s.boot(free); err == nil {
			return nil
		}
		s.addr = nil
		if _, port, _ := net.SplitHostPort(addr); port != "0" || try == portTries {
			return err
		}
	}
}

// budgetDescriptors raises the soft limit and derives from it what we may take.
func (s *Server) budgetDescriptors() error {
	limit, err := raiseDescriptorLimit()
	if err != nil {
		return fmt.Errorf("engine: reading the descriptor limit: %w", err)
	}
	if limit < minFD {
		return fmt.Errorf("%w (it is %d, at least %d are needed)", ErrDescriptorLimit, limit, minFD)
	}
	s.maxFD = limit - max(reservedFD, limit/16)
	if s.opts.MaxConnections <= 0 || s.opts.MaxConnections > s.maxFD {
		s.opts.MaxConnections = s.maxFD
	}
	return nil
}

func raiseDescriptorLimit() (int, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, err
	}
	if r.Cur < r.Max {
		raised := syscall.Rlimit{Cur: r.Max, Max: r.Max}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			r = raised
		}
	}
	return int(min(r.Cur, 1<<30)), nil
}

// probeAddress binds addr without SO_REUSEPORT, for a moment: with it, which gnet
// needs, two servers would share a port without a word.
func probeAddress(addr string) (net.Addr, error) {
	ln, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w (%s)", ErrAddressInUse, addr)
	case err != nil:
		return nil, fmt.Errorf("engine: listening on %q: %w", addr, err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr(), nil
}

// boot runs gnet on its own goroutine and waits until it has all of its listeners,
// which its first tick tells: OnBoot comes when it has only one.
func (s *Server) boot(addr net.Addr) error {
	done := make(chan error, 1)
	k := &callbacks{srv: s, booted: make(chan struct{})}
	go func() {
		done <- gnet.Run(k, "tcp://"+gnetAddress(addr),
			append(s.gnetOptions(),
				gnet.WithReusePort(true), // an accept error in gnet's other mode ends the whole engine
				gnet.WithReuseAddr(true), // what we closed first lingers in TIME_WAIT, and must not keep a successor out
				gnet.WithSocketSendBuffer(s.opts.SendBuffer),
			)...)
	}()
	select {
	case err := <-done:
		if err == nil {
			err = ErrLoopsDied
		}
		return fmt.Errorf("engine: starting on %s: %w", addr, err)
	case <-k.booted:
	}
	s.halt = func(ctx context.Context) { _ = s.gnet.Stop(ctx) }
	go func() { s.loopsEnded(<-done) }()
	return nil
}

func (s *Server) gnetOptions() []gnet.Option {
	return []gnet.Option{
		gnet.WithNumEventLoop(s.opts.Loops),
		gnet.WithTicker(true),
		gnet.WithLogger(gnetLogger{s.opts.Logger}),
	}
}

// loopsEnded is told that gnet has returned. It does so without an error when an
// accept failed, too.
func (s *Server) loopsEnded(err error) {
	switch {
	case err != nil:
		s.runErr = fmt.Errorf("engine: the event loops failed: %w", err)
	case !s.draining.Load():
		s.runErr = ErrLoopsDied
	}
	for _, l := range s.allLoops() {
		l.closeInbox() // nobody will take what others would go on to queue
		l.self.closed()
	}
	s.pipes.closeAll() // before Shutdown, which waits for done, returns
	close(s.done)
}

// gnetAddress is addr in gnet's words: it takes "[::]" for IPv6 alone, and no host
// for both.
func gnetAddress(addr net.Addr) string {
	t, ok := addr.(*net.TCPAddr)
	if ok && t.IP.To4() == nil && t.IP.IsUnspecified() {
		return fmt.Sprintf(":%d", t.Port)
	}
	return addr.String()
}

// gnetLogger lets gnet's errors through; the rest is its own affair.
type gnetLogger struct{ log *slog.Logger }

func (gnetLogger) Debugf(string, ...any)          {}
func (gnetLogger) Infof(string, ...any)           {}
func (gnetLogger) Warnf(string, ...any)           {} // events of closed connections, by the thousand
func (g gnetLogger) Errorf(f string, args ...any) { g.log.Error("gnet: " + fmt.Sprintf(f, args...)) }
func (g gnetLogger) Fatalf(f string, args ...any) { g.log.Error("gnet: " + fmt.Sprintf(f, args...)) }
