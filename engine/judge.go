package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
)

// judges run what the application has to say about requests, off the loops: it may ask a
// database. Goroutines there are only while requests wait.
type judges struct {
	mu          sync.Mutex
	max, room   int     // immutable: that may run, and that may wait
	running     int     // guarded by mu
	waiting     int     // guarded by mu
	first, last *parked // guarded by mu: who waits, first in, first out
}

// take has p judged; false when too many wait.
func (j *judges) take(p *parked) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.running < j.max:
		j.running++
		go j.work(p)
		return true
	case j.waiting >= j.room:
		return false
	case j.last == nil:
		j.first = p
	default:
		j.last.next = p
	}
	j.last = p
	j.waiting++
	return true
}

// work judges p, and then who waits, until nobody does.
func (j *judges) work(p *parked) {
	defer func() {
		if p != nil { // the application ended its goroutine (runtime.Goexit)
			p.judged()
			go j.work(j.next())
		}
	}()
	for p != nil {
		p.judge()
		p.judged()
		p = j.next()
	}
}

// next takes who waits longest; nil, and one that runs less, where nobody does.
func (j *judges) next() *parked {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.first
	if p == nil {
		j.running--
		return nil
	}
	if j.first = p.next; j.first == nil {
		j.last = nil
	}
	p.next = nil
	j.waiting--
	return p
}

// idle reports that nobody is being judged.
func (j *judges) idle() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.running == 0
}

// verdict is what the application said about a request.
type verdict struct {
	refusal *requestError // nil: the request may go on
	cause   error         // of the refusal
	answer  *passage      // a middleware's own answer, in place of the engine's
	header  http.Header   // to go with the engine's answer
	request *http.Request // as the middlewares left it
	name    *givenName    // of the new session; nil for an id of our own
}

// judge asks the application, stage by stage. A panic is the refusal of its stage.
func (p *parked) judge() {
	v := &p.verdict
	v.request, v.refusal = p.request, errMiddleware
	defer func() {
		if reason := recover(); reason != nil {
			v.cause = fmt.Errorf("engine: panic: %v", reason)
			p.loop.stats.panics.Add(1)
			p.loop.srv.opts.Logger.Error("engine: panic while a request was judged", slog.Any("panic", reason), slog.String("stack", string(debug.Stack())))
		}
	}()
	if p.request.Context().Err() != nil {
		return // nobody waits for it any more
	}
	if len(p.chain) > 0 && !p.sendThrough() {
		return
	}
	if v.refusal = nil; p.fresh {
		p.askAboutSession()
	}
}

// sendThrough sends the request through the middlewares and reports whether it came out
// at the other end.
func (p *parked) sendThrough() bool {
	v := &p.verdict
	x := &passage{
		chain: p.chain, upgrade: p.upgrade, header: make(http.Header),
		limit: int(p.loop.srv.opts.MaxHTTPBufferSize),
	}
	x.run(p.request)
	switch {
	case x.passed != nil:
		v.header, v.request = x.header, x.passed
		return true
	case x.status != 0:
		v.answer = x
	default:
		v.cause = errNoAnswer
	}
	return false
}

// askAboutSession asks who may open one, and what it is to be called.
func (p *parked) askAboutSession() {
	v, srv := &p.verdict, p.loop.srv
	if allow := srv.opts.AllowRequest; allow != nil {
		v.refusal = errForbidden
		if v.cause = allow(v.request.Context(), v.request); v.cause != nil {
			v.refusal = forbidden(v.cause)
			return
		}
		v.refusal = nil
	}
	if generate := srv.opts.GenerateID; generate != nil && p.served {
		v.refusal = errIDGeneration
		sid, err := generate(v.request)
		if err == nil {
			v.name, err = srv.table.names.reserve(sid)
		}
		if v.cause = err; err == nil {
			v.refusal = nil
		}
	}
}

// forbidden is the refusal of AllowRequest, with its text if it is for the client.
func forbidden(err error) *requestError {
	var e *RequestError
	if errors.As(err, &e) && e.Message != "" {
		return newRequestError(errForbidden.code, errForbidden.status, e.Message)
	}
	return errForbidden
}

// judged gives p back to its loop.
func (p *parked) judged() {
	if !p.loop.post(task{kind: taskRun, fn: p.goOn}) {
		p.cancel() // the loop has stopped
	}
}

// values is what the application put into the request's context, without its end.
func (v *verdict) values() context.Context {
	if v == nil || v.request == nil {
		return nil
	}
	return context.WithoutCancel(v.request.Context())
}
