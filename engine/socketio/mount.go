package socketio

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/fanfare-go/fanfare/engine"
)

// Peer says who is at the other end of a connection that is not the server's port's.
type Peer = engine.Peer

// Start starts the server without a port, in place of Listen: for one that is mounted
// in an http.Server. ServeHTTP does it at the first request; Start tells what is wrong
// before that. Serve, or Shutdown alone, must follow.
func (v *Server) Start() error {
	return v.start(v.engine.Start)
}

// ServeHTTP serves the server's requests where they come in over somebody else's
// http.Server: mount it in any mux or router, over HTTP/1.1, TLS and HTTP/2. What is
// below Options.Path, as the client wrote the path or as the mux left it, is the
// server's, [Options.ClientFiles] included; everything else gets 404, and never comes
// to Options.Handler. It starts the server where nobody has. Shutdown ends it, and
// comes before the http.Server's own.
//
// A WebSocket over plain TCP leaves net/http and costs what it costs on a port of our
// own. A held poll costs net/http's goroutine and two descriptors; a WebSocket over
// TLS two goroutines and two descriptors. Node: io.attach, io.engine.attach.
func (v *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v.files != nil && v.files.has(r.URL.Path) {
		v.files.ServeHTTP(w, r)
		return
	}
	if err := v.ready(); err != nil {
		if !errors.Is(err, ErrServerClosed) {
			v.options.Logger.Error("socketio: a mounted server could not be started", "error", err)
		}
		http.Error(w, "cannot serve this request now", http.StatusServiceUnavailable)
		return
	}
	v.engine.ServeHTTP(w, r)
}

// ready starts the server where nobody has.
func (v *Server) ready() error {
	if v.workers.Load() != nil {
		return nil
	}
	if err := v.Start(); err != nil && !errors.Is(err, errAlreadyListening) {
		return err
	}
	return nil
}

// RefuseSession is for what Options.Forward returns: it answers that nobody knows the
// session. See engine.RefuseSession.
func RefuseSession(w http.ResponseWriter, r *http.Request) { engine.RefuseSession(w, r) }

// Dial returns the client's end of a new connection to the server within the process,
// on which HTTP/1.1 and WebSocket are spoken as at its port, on behalf of the peer.
// For those who bring a transport of their own. It starts the server where nobody has.
// Errors: ErrServerClosed, [engine.ErrFull], or why it could not start. The caller closes it.
func (v *Server) Dial(p Peer) (net.Conn, error) {
	if v.closed.Load() {
		return nil, ErrServerClosed
	}
	if err := v.ready(); err != nil {
		return nil, err
	}
	nc, err := v.engine.Dial(p)
	if err != nil {
		return nil, fmt.Errorf("socketio: %w", err)
	}
	return nc, nil
}
