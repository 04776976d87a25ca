package conversation

import (
	"context"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// waiting is the acknowledgements that are owed, oldest first. Messages become durable in their order, many at a time, so
// one goroutine that looks at the oldest is enough; it is there while somebody waits.
type waiting struct {
	limit int // immutable

	mu      sync.Mutex
	queue   []owed // guarded by mu
	working bool   // guarded by mu
}

// owed is a message whose sender wants to know that it is durable.
type owed struct {
	cb      socketio.Callback[Sent]
	receipt *history.Receipt
	sent    Sent
	until   time.Time
}

// add takes one more; false says that there are too many.
func (w *waiting) add(c *Conversation, o owed) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) >= w.limit {
		return false
	}
	w.queue = append(w.queue, o)
	if !w.working {
		w.working = true
		go w.work(c)
	}
	return true
}

func (w *waiting) work(c *Conversation) {
	var batch []owed
	for {
		if batch = w.take(batch); len(batch) == 0 {
			return
		}
		for i := range batch {
			_ = c.acknowledge(context.Background(), &batch[i]) // what it sends can be encoded
		}
	}
}

// take exchanges the queue for an empty one, and ends the work where there is nothing.
func (w *waiting) take(done []owed) []owed {
	clear(done)
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := w.queue
	w.queue = done[:0]
	if len(batch) == 0 {
		w.working = false
		w.queue = nil
	}
	return batch
}

func (w *waiting) length() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// acknowledge waits until a message is durable, or is known not to be, and says so.
func (c *Conversation) acknowledge(ctx context.Context, o *owed) error {
	ctx, cancel := context.WithDeadline(ctx, o.until)
	defer cancel()
	o.sent.Stored = o.receipt.Wait(ctx) == nil
	if !o.sent.Stored {
		c.stats.unstored.Add(1)
	}
	return o.cb.Reply(o.sent)
}
