package forward

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// Options configure a Forwarder. The zero value of each field means its default.
type Options struct {
	// Tag is what this server is called, in front of the ids of its sessions: 1 to 16
	// letters and digits, which no other server of the Carrier has. Default: 8 random ones,
	// which is best.
	Tag string
	// MaxIdle is how many connections to another server rest between two requests, for
	// each address that requests come from; default 64.
	MaxIdle int
	// MaxStreams is how many requests, and WebSockets, may be on their way to one other
	// server, and from it; default 16,384. What comes beyond is answered 503.
	MaxStreams int
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

const (
	// restTimeout is how long a connection rests: shorter than the engine's 65 s, so that a
	// request does not meet one that is being closed.
	restTimeout = 5 * time.Second
	// maxResting bounds those to all servers.
	maxResting = 1024
)

// Forwarder brings requests to the server that has their session, and takes those that other
// servers bring. Its methods are safe for concurrent use.
type Forwarder struct {
	tunnel    *tunnel.Tunnel
	transport *http.Transport
	proxy     *httputil.ReverseProxy
	serving   sync.WaitGroup
}

// New joins the Carrier. Errors: tunnel.ErrBadTag, and the Carrier's. Close must follow.
func New(carrier tunnel.Carrier, o Options) (*Forwarder, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	t, err := tunnel.New(carrier, tunnel.Options{Tag: o.Tag, MaxStreams: o.MaxStreams, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("forward: %w", err)
	}
	f := &Forwarder{tunnel: t}
	f.transport = &http.Transport{
		DialContext:         f.dial,
		MaxIdleConns:        maxResting,
		MaxIdleConnsPerHost: orElse(o.MaxIdle, 64),
		IdleConnTimeout:     restTimeout,
		DisableCompression:  true, // or it asked for it
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: once{f.transport}, FlushInterval: -1, ErrorHandler: fail,
		BufferPool: buffers{}, ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	return f, nil
}

// orElse returns v, or the default where v is the zero value.
func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Tag is what this server is called.
func (f *Forwarder) Tag() string { return f.tunnel.Tag() }

// Stats returns the numbers of the tunnel to the other servers.
func (f *Forwarder) Stats() tunnel.Stats { return f.tunnel.Stats() }

// Equip sets NodeTag and Forward.
func (f *Forwarder) Equip(o *socketio.Options) {
	o.NodeTag, o.Forward = f.Tag(), f.To
}

// To returns what forwards requests to the server of that tag; nil where there is none. It
// is for socketio.Options.Forward.
func (f *Forwarder) To(tag string) http.Handler {
	if !f.tunnel.Knows(tag) {
		return nil
	}
	return route{f, tag}
}

// Attach has the server answer what other servers forward, from now on. It is called once.
func (f *Forwarder) Attach(v *socketio.Server) error {
	l, err := f.tunnel.Listen()
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	f.serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			f.serving.Go(func() { serve(v, nc.(*tunnel.Stream)) })
		}
	})
	return nil
}

// Close cuts what is being forwarded, in both directions, and says goodbye to the other
// servers. It comes after the server's Shutdown, which lets its clients go in good order.
func (f *Forwarder) Close() error {
	err := f.tunnel.Close()
	f.transport.CloseIdleConnections()
	f.serving.Wait()
	return err
}

// routeKey finds the route of a request that is being forwarded.
type routeKey struct{}

// route forwards requests to one server.
type route struct {
	*Forwarder
	tag string
}

// ServeHTTP forwards a request.
func (k route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Date"] = nil, nil // net/http would add what the answer does not have
	ctx := context.WithValue(r.Context(), routeKey{}, host(k.tag, r))
	k.proxy.ServeHTTP(frugalWriter{w}, r.WithContext(ctx))
}
