package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/ws"
	"github.com/panjf2000/gnet/v2"
)

// Server is an Engine.IO server. Make it with New, then Listen, then Serve.
// Exported methods are safe for concurrent use.
type Server struct {
	opts     Options   // immutable after New
	prefix   []byte    // immutable: Path with its slash
	upgrades []string  // immutable
	limits   ws.Limits // immutable
	clock    clock
	table    table
	gauges   gauges

	loops     atomic.Pointer[[]*loop] // replaced, never changed in place
	loopsMu   sync.Mutex              // held while replacing loops
	pumps     sync.WaitGroup
	lastStall atomic.Uint64 // tick after the last time the process or a loop stood still

	addr       net.Addr // written by Listen
	maxFD      int      // descriptors with this number or above are refused
	gnet       gnet.Engine
	booted     chan struct{} // closed when gnet has its listeners
	done       chan struct{} // closed when gnet has returned
	runErr     error         // what it returned; read after done
	starting   atomic.Bool   // Listen was called
	listening  atomic.Bool   // and has succeeded
	draining   atomic.Bool
	stopTicker chan struct{}
	handed     *handedServer // serves Options.Handler; nil without one
}

// New checks the options and returns a server that does not listen yet.
func New(o Options) (*Server, error) {
	if o.Accept == nil {
		return nil, ErrNoAccept
	}
	o = o.withDefaults()
	s := &Server{
		opts:       o,
		prefix:     []byte(o.Path + "/"),
		upgrades:   o.upgrades(),
		limits:     ws.Limits{Message: o.MaxHTTPBufferSize},
		booted:     make(chan struct{}),
		done:       make(chan struct{}),
		stopTicker: make(chan struct{}),
	}
	if o.Handler != nil {
		s.handed = newHandedServer(s)
	}
	s.clock.start = time.Now()
	s.clock.advance()
	s.loops.Store(new([]*loop))
	return s, nil
}

// Addr is where the server listens; nil before Listen.
func (s *Server) Addr() net.Addr { return s.addr }

// allLoops returns the loops known so far. gnet has no list of them: each becomes
// known with its first connection.
func (s *Server) allLoops() []*loop { return *s.loops.Load() }

// loopOf returns our state of gnet's loop, making it at first sight.
func (s *Server) loopOf(el gnet.EventLoop) *loop {
	if l := findLoop(s.allLoops(), el); l != nil {
		return l
	}
	s.loopsMu.Lock()
	defer s.loopsMu.Unlock()
	all := s.allLoops()
	if l := findLoop(all, el); l != nil {
		return l
	}
	l := newLoop(s, el)
	s.pumps.Go(l.runPump)
	all = append(slices.Clone(all), l)
	s.loops.Store(&all)
	return l
}

func findLoop(all []*loop, el gnet.EventLoop) *loop {
	for _, l := range all {
		if l.el == el {
			return l
		}
	}
	return nil
}

// Serve blocks until Shutdown has finished (nil), or the loops stopped by
// themselves: an error then, and nobody is served any more.
func (s *Server) Serve() error {
	if !s.listening.Load() {
		return ErrNotListening
	}
	<-s.done
	return s.runErr
}

// Shutdown ends the server gracefully: no new connections, every session closed
// with ReasonServerShutdown after what was sent before, close frames exchanged,
// requests to Options.Handler finished. What is not done when ctx is, is cut off,
// and ctx's error returned. Node: io.close().
func (s *Server) Shutdown(ctx context.Context) error {
	if !s.listening.Load() {
		return ErrNotListening
	}
	if s.draining.Swap(true) {
		select {
		case <-s.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, l := range s.allLoops() {
		l.post(task{kind: taskRun, fn: l.closeSessions})
	}
	s.gauges.waitTold(ctx)
	for _, l := range s.allLoops() {
		l.post(task{kind: taskRun, fn: l.closeIdle})
	}
	err := s.gauges.waitIdle(ctx)
	if s.handed != nil {
		if herr := s.handed.shutdown(ctx); err == nil {
			err = herr
		}
	}
	close(s.stopTicker)
	return errors.Join(err, s.stopGnet(ctx))
}

// stopGrace is how long the loops get to stop, whatever time Shutdown was given.
const stopGrace = 5 * time.Second

// stopGnet stops the loops. gnet's Stop looks twice a second whether they have; we
// are told when they have, and do not wait for one that is stuck for ever.
func (s *Server) stopGnet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	go func() { _ = s.gnet.Stop(ctx) }()
	select {
	case <-s.done:
		s.stopLoops()
		return nil
	case <-ctx.Done():
		return ErrLoopStuck
	}
}

// closeSessions says goodbye to every session of the loop.
func (l *loop) closeSessions() {
	for _, s := range slices.Clone(l.sessions) {
		if s != nil {
			s.close(ReasonServerShutdown, byServer)
		}
	}
}

// closeIdle closes every idle connection of the loop. Not before the sessions were
// told: a poll or a post may be on its way on any of them.
func (l *loop) closeIdle() {
	for _, c := range slices.Clone(l.conns) {
		if h := c.http; h != nil && h.flags&httpBusy == 0 { // a body that does not arrive included
			c.finish()
		}
	}
}

func (s *Server) stopLoops() {
	for _, l := range s.allLoops() {
		l.stop()
	}
	s.pumps.Wait()
}

// panicked reports a panic that a callback was saved from.
func (s *Server) panicked(l *loop, p any) {
	l.stats.panics.Add(1)
	s.opts.Logger.Error("engine: panic on an event loop", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
}
