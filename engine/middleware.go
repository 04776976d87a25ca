package engine

import (
	"context"
	"net/http"
	"sync"
)

// passage is the way of one request through the middlewares: the ResponseWriter they
// are given, and what becomes of it. Safe for concurrent use: a middleware may have a
// goroutine of its own.
type passage struct {
	chain   []http.Handler // immutable
	upgrade bool           // immutable
	limit   int            // immutable: bytes of a middleware's own answer

	mu     sync.Mutex
	header http.Header
	status int // of its own answer; 0 for none yet
	body   []byte
	passed *http.Request // as the last middleware handed it on
	over   bool          // they have returned: nothing counts any more
}

type passageKey struct{}

// passageOf finds the passage a request belongs to.
func passageOf(r *http.Request) *passage {
	x, _ := r.Context().Value(passageKey{}).(*passage)
	return x
}

// nextMiddleware is what a middleware knows as next: the one registered after it, or the
// engine.
type nextMiddleware struct{ index int }

func (n *nextMiddleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch x := passageOf(r); {
	case x == nil: // its context was replaced: nobody knows whose request it is
		w.WriteHeader(http.StatusInternalServerError)
	case n.index < len(x.chain):
		x.chain[n.index].ServeHTTP(w, r)
	case x.pass(r) && x.upgrade:
		w.WriteHeader(http.StatusSwitchingProtocols)
	default: // some middlewares wait for this to set their headers
		w.WriteHeader(http.StatusOK)
	}
}

// run sends r through the middlewares.
func (x *passage) run(r *http.Request) {
	x.chain[0].ServeHTTP(x, r.WithContext(context.WithValue(r.Context(), passageKey{}, x)))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
	x.chain = nil // the passage lives as long as the request's context
}

// pass notes that the middlewares let the request through; false where that comes too late.
func (x *passage) pass(r *http.Request) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.status != 0 || x.passed != nil {
		return false
	}
	x.passed = r
	return true
}

// Header is the answer's.
func (x *passage) Header() http.Header { return x.header }

// WriteHeader begins an answer of the middleware's own.
func (x *passage) WriteHeader(status int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if status >= http.StatusOK && !x.over && x.passed == nil && x.status == 0 {
		x.status = status
	}
}

// Write adds to it.
func (x *passage) Write(b []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.over || x.passed != nil:
		return len(b), nil
	case len(x.body)+len(b) > x.limit:
		return 0, errAnswerTooLarge
	}
	x.body = append(x.body, b...)
	return len(b), nil
}
