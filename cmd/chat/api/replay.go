package api

import (
	"container/list"
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"
)

// replays keep the answers to requests with an Idempotency-Key, so that a request that is
// sent again does nothing again. Bounded in number, bytes and time; the oldest go first.
type replays struct {
	ttl        time.Duration // immutable
	most, size int           // immutable: answers, and bytes of them

	mu       sync.Mutex
	byKey    map[string]*replay // guarded by mu
	done     *list.List         // of *replay, the oldest answer first; guarded by mu
	bytes    int                // of the answers in done; guarded by mu
	replayed uint64             // guarded by mu
}

// replay is one request and its answer.
type replay struct {
	key     string
	request [sha256.Size]byte // path and body
	answer  outcome           // immutable once ended is closed
	kept    bool              // likewise: the answer is to be given again
	ended   chan struct{}
	at      time.Time // when it was answered
}

// replayOverhead is what an answer costs beside its bytes and its key, about.
const replayOverhead = 256

// maxIdempotencyKey is the longest key, in bytes.
const maxIdempotencyKey = 255

var (
	errKey    = Invalid("Idempotency-Key: want 1 to 255 characters of ASCII without spaces, such as a UUID")
	errKeyFor = &Problem{http.StatusUnprocessableEntity, "idempotency_key_reused", "the Idempotency-Key belongs to another request: use a new key for each"}
)

func newReplays(o Options) *replays {
	return &replays{ttl: o.IdempotencyTTL, most: o.MaxIdempotent, size: o.MaxIdempotentBytes, byKey: make(map[string]*replay), done: list.New()}
}

// once answers a request with an Idempotency-Key: the first one with that key does what
// it asks for, further ones wait for that and are given the same answer.
func (s *Server) once(ctx context.Context, e *endpoint, c *call, key, id string) outcome {
	if len(key) > maxIdempotencyKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return failed(errKey)
	}
	h := sha256.New()
	h.Write([]byte(e.path))
	h.Write([]byte{0})
	h.Write(c.body)
	request := [sha256.Size]byte(h.Sum(nil))
	for {
		r, first := s.replays.enter(key, request)
		if first {
			// Whoever goes away meanwhile gets the answer when it asks again.
			return s.replays.finish(r, s.run(context.WithoutCancel(ctx), e, c, id))
		}
		if r.request != request {
			return failed(errKeyFor)
		}
		select {
		case <-r.ended:
		case <-ctx.Done():
			return failed(errTimeout)
		}
		if r.kept {
			return s.replays.again(r)
		}
	}
}

// enter returns the request with this key, made if there is none.
func (l *replays) enter(key string, request [sha256.Size]byte) (r *replay, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune(time.Now())
	if r := l.byKey[key]; r != nil {
		return r, false
	}
	r = &replay{key: key, request: request, ended: make(chan struct{})}
	l.byKey[key] = r
	return r, true
}

// finish keeps the answer. One that says "try again" is not kept.
func (l *replays) finish(r *replay, o outcome) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.answer, r.kept, r.at = o, o.status < http.StatusInternalServerError || o.status == http.StatusNotImplemented, time.Now()
	if r.kept {
		l.done.PushBack(r)
		l.bytes += r.cost()
		l.prune(r.at)
	} else {
		delete(l.byKey, r.key)
	}
	close(r.ended)
	return o
}

func (r *replay) cost() int { return len(r.key) + len(r.answer.body) + replayOverhead }

// prune forgets what is too old or too much. Called with mu held.
func (l *replays) prune(now time.Time) {
	for e := l.done.Front(); e != nil; e = l.done.Front() {
		r := e.Value.(*replay)
		if now.Sub(r.at) < l.ttl && l.done.Len() <= l.most && l.bytes <= l.size {
			return
		}
		l.done.Remove(e)
		l.bytes -= r.cost()
		delete(l.byKey, r.key)
	}
}

// again returns the answer of a request that was answered before.
func (l *replays) again(r *replay) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replayed++
	o := r.answer
	o.replayed = true
	return o
}

func (l *replays) numbers() (kept int, replayed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done.Len(), l.replayed
}
