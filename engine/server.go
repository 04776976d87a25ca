package engine

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/ws"
	"github.com/panjf2000/gnet/v2"
)

// Server is an Engine.IO server. Make it with New, then Listen, then Serve.
// Exported methods are safe for concurrent use.
type Server struct {
	opts       Options              // immutable after New
	cors       atomic.Pointer[CORS] // replaced by SetCORS
	prefix     []byte               // immutable: Path with its slash
	upgrades   []string             // immutable
	limits     ws.Limits            // immutable
	deflation  *deflation           // immutable; nil without PerMessageDeflate
	encoding   *encoding            // immutable
	inflated   ws.Inflated
	sampling   atomic.Bool // the next publish is to be timed
	clock      clock
	table      table
	gauges     gauges
	rate       bucket      // immutable: of AcceptRate
	opened     sharedLevel // what is left of it
	peers      peers
	rules      atomic.Pointer[rules] // the Limits in force
	trusted    networks              // immutable: TrustedProxies
	hooks      atomic.Pointer[hooks] // nil for none
	hooksMu    sync.Mutex            // held while hooks are replaced
	judges     judges
	congestion congestion

	loops     atomic.Pointer[[]*loop] // replaced, never changed in place
	loopsMu   sync.Mutex              // held while replacing loops
	lastStall atomic.Uint64           // tick after the last time the process or a loop stood still

	addr       net.Addr // written by Listen
	maxFD      int      // descriptors with this number or above are refused
	gnet       gnet.Engine
	halt       func(context.Context) // stops the loops; written by Listen and Start
	done       chan struct{}         // closed when gnet has returned
	runErr     error                 // what it returned; read after done
	stopped    chan struct{}         // closed when Shutdown has stopped the loops, or given one up
	stopErr    error                 // ErrLoopStuck or nil; read after stopped
	listenMu   sync.Mutex            // held by Listen, and by Shutdown while it looks
	listening  bool                  // guarded by listenMu
	emptying   atomic.Bool           // Empty was called
	draining   atomic.Bool           // Shutdown was called
	told       atomic.Bool           // and every session was told, or had its time
	quit       chan struct{}         // closed when the ticker is to end
	background sync.WaitGroup        // the ticker
	handed     *handedServer         // serves Options.Handler and Forward; nil without either
	pipes      pipes
	leaving    context.Context    // immutable: of requests for other servers; done when Shutdown has told its own clients
	leave      context.CancelFunc // immutable
	tls        *tlsServer         // written by Listen; nil without TLS
}

// New checks the options and returns a server that does not listen yet.
func New(o Options) (*Server, error) {
	if o.Accept == nil {
		return nil, ErrNoAccept
	}
	o = o.withDefaults()
	rules, err := newRules(o.Limits, &o)
	if err != nil {
		return nil, err
	}
	trusted, err := o.trustedProxies()
	if err != nil {
		return nil, err
	}
	if err := o.checkTag(); err != nil {
		return nil, err
	}
	deflation, err := newDeflation(o.PerMessageDeflate)
	if err != nil {
		return nil, err
	}
	encoding, err := newEncoding(o.HTTPCompression)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts:      o,
		prefix:    []byte(strings.TrimSuffix(o.Path, "/") + "/"),
		upgrades:  o.upgrades(),
		limits:    ws.Limits{Message: o.MaxHTTPBufferSize},
		deflation: deflation,
		encoding:  encoding,
		done:      make(chan struct{}),
		stopped:   make(chan struct{}),
		quit:      make(chan struct{}),
	}
	s.leaving, s.leave = context.WithCancel(context.Background())
	s.limits.Inflated = &s.inflated
	s.table.tag = []byte(o.ownTag())
	if o.Handler != nil || o.Forward != nil {
		s.handed = newHandedServer(s)
	}
	s.judges.max, s.judges.room = o.MaxHooks, o.MaxParked
	s.peers.table = make(map[netip.Addr]*peer)
	s.rate = newBucket(Rate{o.AcceptRate, o.AcceptBurst})
	s.trusted = trusted
	s.rules.Store(rules)
	s.clock.start = time.Now()
	s.clock.advance()
	s.loops.Store(new([]*loop))
	s.SetCORS(o.CORS)
	return s, nil
}

// Addr is where the server listens; nil before Listen.
func (s *Server) Addr() net.Addr { return s.addr }

// allLoops returns the loops known so far. gnet has no list of them: each becomes
// known with its first connection.
func (s *Server) allLoops() []*loop { return *s.loops.Load() }

// loopOf returns our state of gnet's loop, making it at first sight; nil where that
// cannot be done.
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
	l, err := newLoop(s, el)
	if err != nil {
		s.opts.Logger.Error("engine: a loop could not be connected to itself", "error", err)
		return nil
	}
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

// panicked reports a panic that a callback was saved from.
func (s *Server) panicked(l *loop, p any) {
	l.stats.panics.Add(1)
	s.opts.Logger.Error("engine: panic on an event loop", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
}
