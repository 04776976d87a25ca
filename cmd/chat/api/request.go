package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

// outcome is the whole answer to a request: what is sent, counted, and replayed.
type outcome struct {
	status   int
	body     []byte
	media    string // Content-Type, if it is not JSON
	allow    string // methods, with 405
	replayed bool
}

// failed is the outcome of an error.
func failed(p *Problem) outcome { return outcome{status: p.Status, body: p.body()} }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	id := requestID(r)
	number := endpointOf(r.URL.Path)
	o := s.outcomeOf(w, r, number, id)
	s.stats[number].count(o.status, time.Since(begin))
	s.options.Logger.Debug("api: request", "id", id, "method", r.Method, "path", endpointName(number), "status", o.status, "took", time.Since(begin))
	o.send(w, id)
}

func (o outcome) send(w http.ResponseWriter, id string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if o.media != "" {
		h.Set("Content-Type", o.media)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Request-Id", id)
	h.Set("Content-Length", strconv.Itoa(len(o.body)))
	switch o.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	if o.allow != "" {
		h.Set("Allow", o.allow)
	}
	if o.replayed {
		h.Set("Idempotency-Replayed", "true")
	}
	w.WriteHeader(o.status)
	_, _ = w.Write(o.body) // fails where the client has gone
}

// outcomeOf lets the request in, or says why not.
func (s *Server) outcomeOf(w http.ResponseWriter, r *http.Request, number int, id string) outcome {
	if r.URL.Path == descriptionPath {
		return description(r)
	}
	if key, ok := keyOf(r); !ok || !s.keys.Load().takes(key) {
		return failed(errUnauthorized)
	}
	if number == len(endpoints) {
		return failed(errNotFound)
	}
	e := &endpoints[number]
	if r.Method != e.method && (r.Method != http.MethodHead || e.method != http.MethodGet) {
		o := failed(errMethod)
		o.allow = e.methods()
		return o
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return failed(errBusy)
	}
	return s.read(w, r, e, id)
}

// bodies are buffers for the bodies of requests.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled is the largest buffer that is kept, in bytes.
const maxPooled = 64 << 10

// read takes in the body and has the endpoint answer.
func (s *Server) read(w http.ResponseWriter, r *http.Request, e *endpoint, id string) outcome {
	if e.method == http.MethodGet {
		return s.run(r.Context(), e, &call{server: s, query: r.URL.Query()}, id)
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return failed(errMediaType)
	}
	if r.URL.RawQuery != "" {
		return failed(Invalid("parameters belong into the body, not into the URL"))
	}
	b := bodies.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= maxPooled {
			b.Reset()
			bodies.Put(b)
		}
	}()
	if _, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, int64(s.options.MaxBody))); err != nil {
		return failed(bodyProblem(err))
	}
	c := &call{server: s, body: b.Bytes()}
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return s.run(r.Context(), e, c, id)
	}
	return s.once(r.Context(), e, c, key, id)
}

// bodyProblem says why a body could not be read.
func bodyProblem(err error) *Problem {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return Invalid("the body ends too early")
	}
	return &Problem{http.StatusRequestTimeout, "timeout", "the body did not come in time"}
}

// run has the endpoint answer. A panic costs this request.
func (s *Server) run(ctx context.Context, e *endpoint, c *call, id string) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			s.options.Logger.Error("api: panic", "id", id, "path", e.path, "panic", p, "stack", string(debug.Stack()))
			o = failed(errInternal)
		}
	}()
	c.whole = ctx
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	c.ctx = ctx
	body, err := e.answer(c)
	if err == nil {
		return outcome{status: http.StatusOK, body: body}
	}
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		s.options.Logger.Warn("api: request failed", "id", id, "path", e.path, "error", err)
	}
	return failed(p)
}

// requestID is what the client calls the request, if that is fit for a log, or a new name.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) == 0 || len(id) > 64 || strings.ContainsFunc(id, unfit) {
		return rand.Text()
	}
	return id
}

func unfit(c rune) bool {
	letter := 'a' <= c|0x20 && c|0x20 <= 'z'
	return !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
}
