package natsadapter

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// interest is the subjects that this server hears besides those that every server does.
// Sockets come and go with locks held; a goroutine tells NATS, which may block. A subject
// that nobody needs any more is heard a while longer, so that rooms that are left and
// joined all the time do not become lines to every other server.
type interest struct {
	subscribe func(subject string) (*nats.Subscription, error)
	failed    func(error)
	linger    time.Duration
	wake      chan struct{}
	stop      chan struct{}
	done      chan struct{}

	mu      sync.Mutex
	wanted  map[string]int                // how many want a subject; guarded by mu
	changed map[string]struct{}           // those to look at; guarded by mu
	heard   map[string]*nats.Subscription // guarded by mu
	idle    map[string]time.Time          // heard, and wanted until then; guarded by mu
}

func newInterest(linger time.Duration, subscribe func(string) (*nats.Subscription, error), failed func(error)) *interest {
	i := &interest{
		subscribe: subscribe, failed: failed, linger: linger,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		wanted: make(map[string]int), changed: make(map[string]struct{}),
		heard: make(map[string]*nats.Subscription), idle: make(map[string]time.Time),
	}
	go i.run()
	return i
}

// want counts one more, or one less, who wants a subject. It does not block.
func (i *interest) want(subject string, more int) {
	i.mu.Lock()
	was := i.wanted[subject]
	now := max(was+more, 0)
	if now == 0 {
		delete(i.wanted, subject)
	} else {
		i.wanted[subject] = now
	}
	news := (was == 0) != (now == 0)
	if news {
		i.changed[subject] = struct{}{}
	}
	i.mu.Unlock()
	if news {
		select {
		case i.wake <- struct{}{}:
		default:
		}
	}
}

// by returns what a subject is heard by; nil if it is not.
func (i *interest) by(subject string) *nats.Subscription {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.heard[subject]
}

func (i *interest) size() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.heard)
}

func (i *interest) run() {
	defer close(i.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		begin, end, next := i.plan(time.Now())
		for _, subject := range begin {
			i.begin(subject)
		}
		for _, sub := range end {
			_ = sub.Unsubscribe() // fails where the connection is gone, and it with it
		}
		timer.Reset(next)
		select {
		case <-i.wake:
		case <-timer.C:
		case <-i.stop:
			return
		}
	}
}

// plan returns what to begin and to end to hear now, and when to look again.
func (i *interest) plan(now time.Time) (begin []string, end []*nats.Subscription, next time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for subject := range i.changed {
		switch wanted := i.wanted[subject] > 0; {
		case wanted && i.heard[subject] == nil:
			begin = append(begin, subject)
		case wanted:
			delete(i.idle, subject)
		default:
			i.idle[subject] = now.Add(i.linger)
		}
	}
	clear(i.changed)
	next = time.Hour
	for subject, until := range i.idle {
		if left := until.Sub(now); left > 0 {
			next = min(next, left)
			continue
		}
		if sub := i.heard[subject]; sub != nil {
			end = append(end, sub)
		}
		delete(i.idle, subject)
		delete(i.heard, subject)
	}
	return begin, end, next
}

// begin hears a subject; what fails is tried again in a moment.
func (i *interest) begin(subject string) {
	sub, err := i.subscribe(subject)
	i.mu.Lock()
	defer i.mu.Unlock()
	if err == nil {
		i.heard[subject] = sub
		return
	}
	i.failed(err)
	if i.wanted[subject] > 0 {
		i.changed[subject] = struct{}{}
		time.AfterFunc(100*time.Millisecond, func() {
			select {
			case i.wake <- struct{}{}:
			default:
			}
		})
	}
}

// close stops the goroutine, and returns what was heard.
func (i *interest) close() (subs []*nats.Subscription) {
	close(i.stop)
	<-i.done
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, s := range i.heard {
		subs = append(subs, s)
	}
	clear(i.heard)
	return subs
}
