package pprof

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long a function of the program may take to answer, 2 s: well below the 10 s after which Prometheus gives up on a
// scrape, and twice the 1 s that a Kubernetes probe waits by default.
const patience = 2 * time.Second

// question asks a function of the program without trusting it to return. Those who ask while an answer is outstanding wait for that same
// answer: however long the function is stuck and however often it is asked, it runs once at a time. Safe for concurrent use.
type question[T any] struct {
	ask func() T // immutable

	mu      sync.Mutex
	pending *answer[T] // guarded by mu; nil when ask is not running
}

// answer is written before done is closed and read afterwards.
type answer[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// get returns the answer, ErrSlow when patience ends, or the context's error.
func (q *question[T]) get(ctx context.Context) (value T, err error) {
	a := q.join()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.done:
		return a.value, a.err
	case <-timer.C:
		return value, fmt.Errorf("%w: waited %v", ErrSlow, patience)
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// join returns the outstanding answer, or a new one on its way.
func (q *question[T]) join() *answer[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending == nil {
		q.pending = &answer[T]{done: make(chan struct{}), err: ErrPanic}
		go q.run(q.pending)
	}
	return q.pending
}

// run asks. A panic, or runtime.Goexit, is an error like any other.
func (q *question[T]) run(a *answer[T]) {
	defer func() {
		if r := recover(); r != nil {
			a.err = fmt.Errorf("%w: %v", ErrPanic, r)
		}
		q.mu.Lock()
		q.pending = nil
		q.mu.Unlock()
		close(a.done)
	}()
	a.value = q.ask()
	a.err = nil
}
