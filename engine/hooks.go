package engine

import (
	"net/http"
	"slices"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// hooks is what the application registered to have a say in requests. A server without
// any has none, and pays an atomic load per request. Immutable once stored.
type hooks struct {
	chain           []http.Handler // the middlewares, each with what sends to the next one
	initialHeaders  []func(http.Header, *http.Request)
	headers         []func(http.Header, *http.Request)
	connectionError []func(ConnectionError)
}

// Use registers a middleware of net/http's usual kind for every request of the engine:
// handshakes, polls, posts and upgrades, in the order of registration, after CORS and
// before everything else is looked at. It may block: requests wait for it off the event
// loops, at most Options.MaxHooks of them with a hook at the same time.
//
//   - A middleware that calls next lets the request through. The headers it has set on
//     the ResponseWriter by the time it returns go with the engine's answer, the 101 of
//     an upgrade included, but for those that say how the answer is framed. next writes
//     the answer's status (200 or 101) to the writer it is given, for middlewares that
//     wait for that; what they write afterwards is dropped: the answer is the engine's,
//     and may be given much later.
//   - One that writes a status or a body and does not call next has answered. An upgrade,
//     and a request with a body, closes its connection then.
//   - One that panics, or does neither, fails the request: code 3, and
//     MIDDLEWARE_FAILURE for OnConnectionError.
//
// What the middlewares put into the context of the request that opens a session is kept
// with it (Request.HTTP). The body of a request is not theirs: it reads as empty. The
// request's context is done when its peer is gone, the server stops, or it took longer
// than Options.ConnectTimeout.
//
// Safe for concurrent use. Node: engine.use.
func (s *Server) Use(middleware func(next http.Handler) http.Handler) {
	s.register(func(h *hooks) {
		next := &nextMiddleware{index: len(h.chain) + 1}
		h.chain = append(slices.Clip(h.chain), middleware(next))
	})
}

// OnInitialHeaders registers fn for the answer to the first request of each session, the
// 101 of a WebSocket included; it may change the further header lines that go with it, of
// which the cookie is one. Called on an event loop, before OnHeaders: it must not block.
// Safe for concurrent use. Node: engine.on("initial_headers").
func (s *Server) OnInitialHeaders(fn func(http.Header, *http.Request)) {
	s.register(func(h *hooks) { h.initialHeaders = append(slices.Clip(h.initialHeaders), fn) })
}

// OnHeaders registers fn for the answer to every request that the engine accepts. It is
// called when the request came, on an event loop: it must not block. A poll is answered
// later. Safe for concurrent use. Node: engine.on("headers").
func (s *Server) OnHeaders(fn func(http.Header, *http.Request)) {
	s.register(func(h *hooks) { h.headers = append(slices.Clip(h.headers), fn) })
}

// OnConnectionError registers fn for requests that the engine refuses. Called on an event
// loop: it must not block. Safe for concurrent use. Node: engine.on("connection_error").
func (s *Server) OnConnectionError(fn func(ConnectionError)) {
	s.register(func(h *hooks) { h.connectionError = append(slices.Clip(h.connectionError), fn) })
}

// register stores a changed copy.
func (s *Server) register(change func(*hooks)) {
	s.hooksMu.Lock()
	defer s.hooksMu.Unlock()
	var h hooks
	if old := s.hooks.Load(); old != nil {
		h = *old
	}
	change(&h)
	s.hooks.Store(&h)
}

// asks reports whether the application has to be asked about a request before the
// engine may serve it.
func (s *Server) asks(in *intent, q *http1.Request) bool {
	if h := s.hooks.Load(); h != nil && len(h.chain) > 0 {
		return true
	}
	return (s.opts.AllowRequest != nil || s.opts.GenerateID != nil) && in.opens(q)
}
