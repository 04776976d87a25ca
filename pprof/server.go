package pprof

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Limits of the HTTP server.
const (
	headerTimeout   = 5 * time.Second              // for a request's header
	readTimeout     = 10 * time.Second             // for the whole request; there are no bodies to speak of
	writeTimeout    = maxDuration + 30*time.Second // for the longest profile and its way to the client
	idleTimeout     = 2 * time.Minute              // between requests: longer than the usual scrape intervals
	maxHeaderBytes  = 16 << 10                     // per request
	shutdownTimeout = 5 * time.Second              // for answers under way when Serve is asked to end
)

// Server is an admin HTTP server. Its methods are safe for concurrent use.
type Server struct {
	addr     string       // immutable after New
	log      *slog.Logger // immutable after New
	registry *prometheus.Registry
	handler  http.Handler // immutable after New

	mu       sync.Mutex
	listener net.Listener // guarded by mu; nil before Listen and from Serve on
	served   bool         // guarded by mu
}

// New checks the options and makes a Server, which does nothing until it is asked to. The error wraps ErrMetric or ErrPage.
func New(o Options) (*Server, error) {
	registry, err := newRegistry(o.Metrics)
	if err != nil {
		return nil, err
	}
	log := cmp.Or(o.Logger, slog.Default())
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", index(o.Pages))
	mux.Handle("GET /metrics", metrics(registry, log))
	mux.Handle("GET /healthz", health(o.Live))
	mux.Handle("GET /readyz", health(o.Ready))
	args := o.CommandLine
	if args == nil {
		args = os.Args
	}
	registerProfiles(mux, args)
	if err := registerPages(mux, o.Pages); err != nil {
		return nil, err
	}
	return &Server{
		addr:     cmp.Or(o.Addr, DefaultAddr),
		log:      log,
		registry: registry,
		handler:  uncached(mux),
	}, nil
}

// Handler serves all paths, from /, to be mounted somewhere else or called in tests.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen opens the address and returns it, with the port that was picked. Called again, it returns the same. Who calls it must call Serve
// as well, if only with a context that has ended, for the address to be given back.
func (s *Server) Listen() (net.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.listen(); err != nil {
		return nil, err
	}
	return s.listener.Addr(), nil
}

// listen opens the address unless it is open. The caller holds mu.
func (s *Server) listen() error {
	if s.served {
		return ErrServed
	}
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("pprof: admin address: %w", err)
	}
	s.listener = l
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		s.log.Warn("pprof: profiles are open to whoever reaches the admin address", "addr", a.String())
	}
	return nil
}

// Serve answers requests, opening the address first where Listen has not, until ctx ends. It then lets answers under way finish, up to 5
// s (profiles over a time are cut short), and returns nil. Any other end is an error. A Server serves once.
func (s *Server) Serve(ctx context.Context) error {
	l, err := s.take()
	if err != nil {
		return err
	}
	h := &http.Server{
		Handler:           ownHosts(l.Addr(), s.handler),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		shutdown(h)
	})
	err = h.Serve(l)
	if stop() {
		_ = h.Close()
		return fmt.Errorf("pprof: serve: %w", err)
	}
	<-ended
	return nil
}

// take hands the listener to Serve.
func (s *Server) take() (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.listen(); err != nil {
		return nil, err
	}
	l := s.listener
	s.listener, s.served = nil, true
	return l, nil
}

// shutdown ends h gracefully, then at once.
func shutdown(h *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if h.Shutdown(ctx) != nil {
		_ = h.Close()
	}
}

// uncached marks every answer as true for this moment only, and as what its type says it is.
func uncached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
