package cluster

import (
	"context"
	"sync"
	"time"
)

// Outgoing is one message on its way to a broker, as bytes.
type Outgoing struct {
	To       string // a channel, subject or stream, as the Link has it
	Kind     uint8  // the Link's own
	Body     []byte // the Outbox's from then on
	Volatile bool   // dropped first
	// Settled is the Link's own: an Outbox never calls it.
	Settled func(offset string, err error)
}

// OutboxOptions bound an Outbox. The zero value of each field means its default.
type OutboxOptions struct {
	MaxMessages int           // that wait; default 65,536
	MaxBytes    int           // of those; default 64 MiB
	Batch       int           // at most so many are sent at once; default 256
	Pause       time.Duration // before what failed is tried again; default 100 ms, up to ten times as long
}

// OutboxStats are the numbers of an Outbox.
type OutboxStats struct {
	Waiting      int
	WaitingBytes int
	Sent         uint64
	SentBytes    uint64
	Dropped      uint64 // for want of room
	DroppedFirst uint64 // of these, volatile ones
	Failures     uint64 // of attempts to send
	Down         bool   // the latest attempt has failed
}

// Outbox is the queue between those who publish, who never wait, and the one goroutine
// that speaks to the broker. It keeps the order of Push.
type Outbox struct {
	options OutboxOptions
	send    func(ctx context.Context, batch []Outgoing) (done int, err error)
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended

	mu       sync.Mutex
	wake     sync.Cond
	queue    []Outgoing  // guarded by mu
	head     int         // of queue: where what waits begins; guarded by mu
	volatile int         // of these, how many may be dropped; guarded by mu
	closing  bool        // guarded by mu
	stats    OutboxStats // guarded by mu
}

// NewOutbox starts the goroutine. send is given what waits, in order, and returns how
// many of it are settled: sent, or given up. The rest is tried again after a pause.
func NewOutbox(options OutboxOptions, send func(ctx context.Context, batch []Outgoing) (done int, err error)) *Outbox {
	options.MaxMessages = orElse(options.MaxMessages, 65_536)
	options.MaxBytes = orElse(options.MaxBytes, 64<<20)
	options.Batch = orElse(options.Batch, 256)
	options.Pause = orElse(options.Pause, 100*time.Millisecond)
	o := &Outbox{options: options, send: send, done: make(chan struct{})}
	o.wake.L = &o.mu
	o.ctx, o.cancel = context.WithCancel(context.Background())
	go o.run()
	return o
}

// Push queues m; false where there is no room for it. To make room, volatile messages
// that wait are dropped for one that is not.
func (o *Outbox) Push(m Outgoing) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || !o.hasRoom(m) && (m.Volatile || !o.dropVolatile(m)) {
		o.stats.Dropped++
		if m.Volatile {
			o.stats.DroppedFirst++
		}
		return false
	}
	o.queue = append(o.queue, m)
	o.count(&m, 1)
	o.wake.Signal()
	return true
}

// count has the numbers follow what comes and goes. Called with mu held.
func (o *Outbox) count(m *Outgoing, by int) {
	o.stats.WaitingBytes += by * len(m.Body)
	if m.Volatile {
		o.volatile += by
	}
}

// hasRoom reports whether m fits. Called with mu held.
func (o *Outbox) hasRoom(m Outgoing) bool {
	return len(o.queue)-o.head < o.options.MaxMessages && o.stats.WaitingBytes+len(m.Body) <= o.options.MaxBytes
}

// dropVolatile gives up what may be lost, and reports whether that was enough. Called
// with mu held.
func (o *Outbox) dropVolatile(m Outgoing) bool {
	if o.volatile == 0 { // then there is no use in looking at all that waits, each time
		return false
	}
	kept := o.queue[:0]
	for i := range o.queue[o.head:] {
		if q := &o.queue[o.head+i]; q.Volatile {
			o.count(q, -1)
			o.stats.Dropped++
			o.stats.DroppedFirst++
		} else {
			kept = append(kept, *q)
		}
	}
	clear(o.queue[len(kept):])
	o.queue, o.head = kept, 0
	return o.hasRoom(m)
}

func (o *Outbox) run() {
	defer close(o.done)
	pause := o.options.Pause
	for {
		batch := o.take()
		if len(batch) == 0 {
			return
		}
		for len(batch) > 0 {
			n, err := o.send(o.ctx, batch)
			o.settled(batch[:n], err)
			batch = batch[n:]
			if err == nil {
				pause = o.options.Pause
				continue
			}
			select {
			case <-o.ctx.Done():
				return
			case <-time.After(pause):
				pause = min(2*pause, 10*o.options.Pause)
			}
		}
	}
}

// take waits for messages, and returns none at the end.
func (o *Outbox) take() []Outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == o.head && !o.closing {
		o.wake.Wait()
	}
	n := min(len(o.queue)-o.head, o.options.Batch)
	batch := append([]Outgoing(nil), o.queue[o.head:o.head+n]...)
	clear(o.queue[o.head : o.head+n])
	for i := range batch {
		o.count(&batch[i], -1)
	}
	if o.head += n; o.head >= len(o.queue)/2 { // so that each message is moved once at most, as a rule
		rest := copy(o.queue, o.queue[o.head:])
		clear(o.queue[rest:])
		o.queue, o.head = o.queue[:rest], 0
	}
	return batch
}

func (o *Outbox) settled(batch []Outgoing, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stats.Sent += uint64(len(batch))
	for i := range batch {
		o.stats.SentBytes += uint64(len(batch[i].Body))
	}
	o.stats.Down = err != nil
	if err != nil {
		o.stats.Failures++
	}
}

// Stats returns the numbers of this moment.
func (o *Outbox) Stats() OutboxStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stats
	s.Waiting = len(o.queue) - o.head
	return s
}

// Close takes nothing more, sends what waits until ctx is done, and ends the goroutine.
func (o *Outbox) Close(ctx context.Context) error {
	o.mu.Lock()
	o.closing = true
	o.wake.Broadcast()
	o.mu.Unlock()
	defer o.cancel()
	select {
	case <-o.done:
		return nil
	case <-ctx.Done():
		o.cancel()
		<-o.done
		return context.Cause(ctx)
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
