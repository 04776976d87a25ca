package history

import "context"

// Receipt tells when a message is durable. Messages that are written together share
// one; it may be kept, and waited for from any goroutine.
type Receipt struct {
	done chan struct{}
	err  error // immutable once done is closed
}

func newReceipt() *Receipt { return &Receipt{done: make(chan struct{})} }

// failed returns a receipt that nobody has to wait for.
func failed(err error) *Receipt {
	r := newReceipt()
	r.settle(err)
	return r
}

// settle ends the wait; only the first one counts. Called with History.mu held, or
// before anybody else knows the receipt.
func (r *Receipt) settle(err error) {
	select {
	case <-r.done:
	default:
		r.err = err
		close(r.done)
	}
}

// Wait returns nil once the message is durable. An error says that it will not be, or
// is not yet: ErrDegraded, ErrQueueFull, ErrOff, ErrClosed, ErrRoom, or ctx's. While the
// history is healthy it takes as long as a write of the store, Options.Patience at most.
func (r *Receipt) Wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	default:
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
