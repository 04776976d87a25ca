package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Limits of the HTTP server.
const (
	headerTimeout   = 5 * time.Second  // for a request's header
	readTimeout     = 15 * time.Second // for a request with its body
	idleTimeout     = 2 * time.Minute  // between requests
	answerTimeout   = 10 * time.Second // for an answer to be taken, once it is there
	maxHeaderBytes  = 16 << 10
	shutdownTimeout = 5 * time.Second // for requests under way when Serve is asked to end
)

// Server is the publishing API. Its methods are safe for concurrent use.
type Server struct {
	options Options // immutable
	started time.Time
	keys    atomic.Pointer[keys]
	slots   chan struct{} // one for each request at work
	replays *replays
	stats   []endpointStats // by number of the endpoint; the last is everything else
}

// New returns a Server that does not listen yet.
func New(o Options) *Server {
	if o.Server == nil {
		panic("api: Options.Server is missing")
	}
	o = o.withDefaults()
	s := &Server{options: o, started: time.Now(), slots: make(chan struct{}, o.MaxConcurrent), replays: newReplays(o), stats: make([]endpointStats, len(endpoints)+1)}
	s.SetKeys(o.Keys)
	return s
}

// SetKeys replaces the keys that let clients in: for a configuration that was read again.
// Requests under way go on.
func (s *Server) SetKeys(words []string) { s.keys.Store(newKeys(words)) }

// Serve answers requests from l until ctx is done, lets those under way finish for up to 5
// s, and returns nil. Any other end is an error. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + max(s.options.MaxAckTimeout, s.options.Timeout) + answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		TLSConfig:         s.options.TLS,
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { ended <- shutdown(h) })
	var err error
	if s.options.TLS != nil {
		err = h.ServeTLS(l, "", "")
	} else {
		err = h.Serve(l)
	}
	if stop() {
		_ = h.Close()
		return fmt.Errorf("api: serve: %w", err)
	}
	return <-ended
}

// shutdown waits for requests under way, and cuts off those that take too long.
func shutdown(h *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := h.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return h.Close()
}
