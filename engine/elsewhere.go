package engine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// Where several servers have one address, a request may reach one that does not have its
// session. The id says whose it is: in front of it stands the tag of that server. Tags are
// known to clients, and what they say of one is believed by nobody: an id is a secret with
// or without.

const (
	maxTagBytes  = 16
	tagSeparator = '.' // no character of an id of ours
)

// checkTag checks NodeTag and Forward.
func (o *Options) checkTag() error {
	switch {
	case o.NodeTag == "" && o.Forward != nil:
		return fmt.Errorf("%w: Forward needs one", ErrBadNodeTag)
	case o.NodeTag != "" && !validTag([]byte(o.NodeTag)):
		return fmt.Errorf("%w: %.40q", ErrBadNodeTag, o.NodeTag)
	}
	return nil
}

// ownTag is what ids of this server's sessions begin with.
func (o *Options) ownTag() string {
	if o.NodeTag == "" {
		return ""
	}
	return o.NodeTag + string(tagSeparator)
}

// validTag reports 1 to 16 letters and digits.
func validTag(tag []byte) bool {
	for _, c := range tag {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(tag) > 0 && len(tag) <= maxTagBytes
}

// elsewhere returns who serves a request with that query for another server, which has its
// session; nil where it is ours, whoever else's it may be.
func (s *Server) elsewhere(query []byte) http.Handler {
	if s.opts.Forward == nil {
		return nil
	}
	sid, n, ok := http1.QueryValue(query, "sid")
	if n != 1 || !ok || bytes.HasPrefix(sid, s.table.tag) {
		return nil
	}
	i := bytes.IndexByte(sid, tagSeparator)
	if i < 0 || !validTag(sid[:i]) {
		return nil
	}
	return s.opts.Forward(string(sid[:i]))
}

// elsewhereTarget is that for a request of net/http, as its request line has it.
func (s *Server) elsewhereTarget(r *http.Request) http.Handler {
	_, query, _ := strings.Cut(r.RequestURI, "?")
	return s.elsewhere([]byte(query))
}

// forward has h answer for another server.
func (s *Server) forward(h http.Handler, w http.ResponseWriter, r *http.Request) {
	s.gauges.forwarded.Add(1)
	ctl := http.NewResponseController(w)
	if r.ContentLength == 0 {
		_ = ctl.SetReadDeadline(time.Time{}) // a poll waits longer than other requests may
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.leaving, cancel)() // Shutdown does not wait for polls of others
	h.ServeHTTP(&patientWriter{w, ctl, s}, r.WithContext(ctx))
	_ = ctl.SetWriteDeadline(time.Time{}) // net/http sets its own for the next request
}

// patientWriter gives the client so much time to take each part of an answer, and of what
// a WebSocket brings.
type patientWriter struct {
	http.ResponseWriter
	ctl *http.ResponseController
	srv *Server
}

// RefuseSession is for what Options.Forward returns: it answers, with the writer that it was
// given, that nobody knows the session, as the engine does. Clients begin anew.
func RefuseSession(w http.ResponseWriter, r *http.Request) {
	if k := patientOf(w); k != nil {
		addLines(w.Header(), k.srv.cors.Load().lines([]byte(r.Header.Get("Origin"))))
	}
	body, contentType := errUnknownSID.body, jsonType
	if wantsUpgrade(r) { // fact 5
		body, contentType = []byte(errUnknownSID.message), textHTML
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(errUnknownSID.status)
	_, _ = w.Write(body)
}

// patientOf finds the writer that the engine gave; nil if it is none of the engine's.
func patientOf(w http.ResponseWriter) *patientWriter {
	for {
		switch k := w.(type) {
		case *patientWriter:
			return k
		case interface{ Unwrap() http.ResponseWriter }:
			w = k.Unwrap()
		default:
			return nil
		}
	}
}

func (w *patientWriter) patient() {
	_ = w.ctl.SetWriteDeadline(time.Now().Add(w.srv.opts.MaxBlocked))
}

// Unwrap lets an http.ResponseController find the rest.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *patientWriter) WriteHeader(status int) {
	w.patient()
	w.ResponseWriter.WriteHeader(status)
}

func (w *patientWriter) Write(b []byte) (int, error) {
	w.patient()
	return w.ResponseWriter.Write(b)
}

// FlushError flushes; see http.ResponseController.
func (w *patientWriter) FlushError() error {
	w.patient()
	return w.ctl.Flush()
}

// Hijack takes the connection of a WebSocket.
func (w *patientWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, buf, err := w.ctl.Hijack()
	if err != nil {
		return nil, nil, err
	}
	return patientConn{slowWriter{nc, w.srv.opts.MaxBlocked}}, buf, nil
}

type patientConn struct{ slowWriter }

// CloseWrite lets the client see the end.
func (c patientConn) CloseWrite() error {
	closeHalf(c.Conn)
	return nil
}
