package cluster

import (
	"sync"
	"time"
)

// clock looks after the adapters that wait for events to come back: one timer for all,
// and none where nobody waits.
type clock struct {
	patience time.Duration // immutable

	mu      sync.Mutex
	waiting map[*Logged]struct{}
	timer   *time.Timer
	due     time.Time // when it fires; zero for never
	closed  bool
}

// watch has an adapter looked at until it says that it waits for nothing. Its lock may
// be held.
func (c *clock) watch(l *Logged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = make(map[*Logged]struct{})
	}
	c.waiting[l] = struct{}{}
	c.wind(c.patience)
}

// wind has the timer fire after d at the latest. Called with mu held.
func (c *clock) wind(d time.Duration) {
	due := time.Now().Add(d)
	switch {
	case c.closed || !c.due.IsZero() && !due.Before(c.due):
		return
	case c.timer == nil:
		c.timer = time.AfterFunc(d, c.strike)
	default:
		c.timer.Reset(d)
	}
	c.due = due
}

// strike looks at all who wait, on a goroutine of the timer.
func (c *clock) strike() {
	c.mu.Lock()
	waiting := make([]*Logged, 0, len(c.waiting))
	for l := range c.waiting {
		waiting = append(waiting, l)
	}
	clear(c.waiting) // who goes on waiting comes again
	c.due = time.Time{}
	c.mu.Unlock()
	next, now := time.Duration(0), time.Now()
	for _, l := range waiting {
		if d := l.overdue(now); d > 0 {
			c.again(l)
			if next == 0 || d < next {
				next = d
			}
		}
	}
	if next > 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wind(max(next, time.Millisecond))
	}
}

// again keeps an adapter watched.
func (c *clock) again(l *Logged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting[l] = struct{}{}
}

func (c *clock) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
}
