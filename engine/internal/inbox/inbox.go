package inbox

import "sync"

// keep is the largest capacity, in entries, of a slice that survives without being well used: what a burst of 100,000 pushes grew is
// dropped at the next rest. 4,096 pointers are 32 KiB.
const keep = 4096

// Inbox is a first in, first out queue from any number of goroutines to one consumer. The zero value is ready. It must not be copied
// after first use.
type Inbox[T any] struct {
	mu     sync.Mutex
	queue  []T  // guarded by mu
	awake  bool // guarded by mu; the consumer runs, or was told to
	closed bool // guarded by mu
}

// Push appends v. wake reports that the caller must now wake the consumer: true for the first push of a burst only. open is false after
// Close; v was not taken then and still belongs to the caller. Safe for concurrent use.
func (b *Inbox[T]) Push(v T) (wake, open bool) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false, false
	}
	b.queue = append(b.queue, v)
	wake = !b.awake
	b.awake = true
	b.mu.Unlock()
	return wake, true
}

// PushAll appends all of vs, nothing in between, and copies them out of the slice; otherwise it is Push. Pushing nothing wakes nobody.
// Safe for concurrent use.
func (b *Inbox[T]) PushAll(vs ...T) (wake, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(vs) == 0 {
		return false, !b.closed
	}
	b.queue = append(b.queue, vs...)
	wake = !b.awake
	b.awake = true
	return wake, true
}

// Awake marks the consumer as running, so that producers need not wake it. Whoever calls it must Take until more is false before it
// rests, or a push could lie unseen. Consumer only.
func (b *Inbox[T]) Awake() {
	b.mu.Lock()
	b.awake = true
	b.mu.Unlock()
}

// Take hands out everything queued, oldest first, and puts the emptied spare (the previous batch, or nil) in its place. When more is
// false the inbox was empty, batch is the emptied spare (or nil, when it was too big to keep), and the consumer is now asleep: the next
// Push wakes. The length of spare says what has to be cleared and how much of it was used: hand back the whole batch, not batch[:0].
// Consumer only; the usual loop keeps one variable:
//
//	for {
//		batch, more := b.Take(l.batch)
//		l.batch = batch
//		if !more {
//			return
//		}
//		... work on batch ...
//	}
func (b *Inbox[T]) Take(spare []T) (batch []T, more bool) {
	used := len(spare)
	clear(spare)
	spare = spare[:0]
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.awake = false
		b.queue = fit(b.queue, 0)
		return fit(spare, 0), false
	}
	batch, b.queue = b.queue, fit(spare, used)
	return batch, true
}

// fit returns s, or nil when s is big and less than a quarter of it was used last time.
func fit[T any](s []T, used int) []T {
	if cap(s) > keep && used < cap(s)/4 {
		return nil
	}
	return s
}

// Len is the number of values queued at this moment. Safe for concurrent use.
func (b *Inbox[T]) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// Close refuses all further pushes and returns what was left, oldest first, for the caller to release. Later Takes find nothing; a
// second Close returns nil. Safe for concurrent use.
func (b *Inbox[T]) Close() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.queue
	b.queue, b.closed = nil, true
	return left
}
