package tunnel

import (
	"sync"
	"time"
)

// deadline is one of a stream's two: a channel that is closed when the time has come.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer   // guarded by mu
	over  chan struct{} // guarded by mu; replaced only once it is closed, since somebody may wait for it
}

// set sets the time; the zero value for never.
func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.over // it fires just now
	}
	d.timer = nil
	wait := time.Until(at)
	if past := !at.IsZero() && wait <= 0; d.over == nil || isClosed(d.over) && !past {
		d.over = make(chan struct{})
	}
	switch over := d.over; {
	case at.IsZero():
	case wait > 0:
		d.timer = time.AfterFunc(wait, func() { close(over) })
	case !isClosed(over):
		close(over)
	}
}

// wait returns what is closed when the time has come.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
