package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// How a name is subscribed to.
type subscriptionKind uint8

const (
	channelKind subscriptionKind = iota // SUBSCRIBE
	patternKind                         // PSUBSCRIBE
	shardKind                           // SSUBSCRIBE
	kinds
)

// subscription is one name on a subscriber's connection.
type subscription struct {
	kind subscriptionKind
	name string
	// counted is one by which other servers count this one: it is subscribed to after
	// all others, when what is asked there can be answered, and given up first.
	counted bool
}

// handler is given what comes, one message after the other: on the goroutine that
// reads, so that it must not block. The message is the handler's to keep.
type handler func(channel, message string)

// subscriber has one connection that receives, for all namespaces, and one goroutine
// that keeps it: it subscribes to what is wanted, again on a new connection where the
// old one is lost, and keeps account of when there was none. Safe for concurrent use.
type subscriber struct {
	connector *connector
	logger    *slog.Logger
	deadAfter time.Duration
	pause     time.Duration
	back      func() // is called when a gap is over; immutable
	ctx       context.Context
	cancel    context.CancelFunc
	done      chan struct{} // closed when the goroutine has ended
	changed   chan struct{} // holds one

	mu       sync.RWMutex
	wanted   map[subscription]handler  // guarded by mu
	handlers [kinds]map[string]handler // the same, to be found by a message; guarded by mu
	dirty    map[subscription]struct{} // wanted or not, other than it was; guarded by mu
	state    subscriberState           // guarded by mu
	settled  chan struct{}             // closed while all that is wanted is there; guarded by mu

	attempts  int      // loop-only: of the goroutine
	clustered bool     // loop-only: it is a Redis Cluster
	identity  identity // loop-only: of the latest connection
}

// subscriberState is what others may know.
type subscriberState struct {
	connected bool // and everything subscribed to again
	ever      bool // it has been connected before
	since     time.Time
	failure   error // of the latest attempt
	gaps      uint64
	down      time.Duration // of the gaps that are over
	last      Gap
}

func newSubscriber(c *connector, o *Options, back func()) *subscriber {
	s := &subscriber{
		back:      back,
		connector: c,
		logger:    o.Cluster.Logger,
		deadAfter: o.DeadAfter,
		pause:     o.Pause,
		done:      make(chan struct{}),
		changed:   make(chan struct{}, 1),
		wanted:    make(map[subscription]handler),
		dirty:     make(map[subscription]struct{}),
		settled:   make(chan struct{}),
		attempts:  rand.IntN(1 << 16), // servers go to different nodes
	}
	for i := range s.handlers {
		s.handlers[i] = make(map[string]handler)
	}
	s.state.since = time.Now()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

// add subscribes, soon.
func (s *subscriber) add(h handler, names ...subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		s.wanted[n] = h
		s.handlers[n.kind][n.name] = h
	}
	s.touch(names)
}

// remove unsubscribes, soon; what comes until then goes nowhere.
func (s *subscriber) remove(names ...subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		delete(s.wanted, n)
		delete(s.handlers[n.kind], n.name)
	}
	s.touch(names)
}

// touch wakes the goroutine. Called with mu held.
func (s *subscriber) touch(names []subscription) {
	for _, n := range names {
		s.dirty[n] = struct{}{}
	}
	if isClosed(s.settled) {
		s.settled = make(chan struct{})
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// message is called by the connection.
func (s *subscriber) message(m rueidis.PubSubMessage) {
	s.mu.RLock()
	var h handler
	if m.Pattern != "" {
		h = s.handlers[patternKind][m.Pattern]
	} else if h = s.handlers[channelKind][m.Channel]; h == nil {
		h = s.handlers[shardKind][m.Channel]
	}
	s.mu.RUnlock()
	if h != nil {
		h(m.Channel, m.Message)
	}
}

func (s *subscriber) run() {
	defer close(s.done)
	pause := s.pause
	for s.ctx.Err() == nil {
		began := time.Now()
		err := s.session()
		s.failed(err)
		s.attempts++
		if time.Since(began) > 10*s.pause { // it has worked, so there may be another one at once
			pause = s.pause
			continue
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, 10*s.pause)
		}
	}
}

// session is one connection, from beginning to end.
func (s *subscriber) session() error {
	client, err := s.connector.connect()
	if err != nil {
		return err
	}
	n, err := node(client, s.attempts)
	if err != nil {
		return err
	}
	s.clustered = client.Mode() == rueidis.ClientModeCluster
	d, release := n.Dedicate()
	defer release()
	defer d.Close()
	lost := d.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: s.message})
	if err := s.alive(d); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.deadAfter)
	s.identity = introduce(ctx, d, s.identity)
	cancel()
	present := make(map[subscription]bool)
	s.everythingAnew()
	ask := time.NewTicker(s.deadAfter / 4)
	defer ask.Stop()
	seen := time.Now()
	for {
		if err := s.align(d, present); err != nil {
			return s.since(seen, err)
		}
		select {
		case <-s.ctx.Done():
			return ErrClosed
		case err := <-lost:
			return s.since(seen, fmt.Errorf("redisadapter: connection lost: %w", errors.Join(err)))
		case <-s.changed:
		case <-ask.C:
			if err := s.alive(d); err != nil {
				return s.since(seen, err)
			}
			seen = time.Now()
		}
	}
}

// everythingAnew is for a connection on which nothing is subscribed to yet.
func (s *subscriber) everythingAnew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.dirty)
	for n := range s.wanted {
		s.dirty[n] = struct{}{}
	}
}

// alive asks for a sign of life.
func (s *subscriber) alive(d rueidis.DedicatedClient) error {
	if err := s.do(d, d.B().Ping().Build()); err != nil {
		return fmt.Errorf("redisadapter: no sign of life: %w", err)
	}
	return nil
}

func (s *subscriber) do(d rueidis.DedicatedClient, cmds ...rueidis.Completed) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.deadAfter)
	defer cancel()
	for _, r := range d.DoMulti(ctx, cmds...) {
		if err := r.Error(); err != nil {
			return err
		}
	}
	return nil
}

// settle notes that everything that is wanted is there.
func (s *subscriber) settle() {
	now := time.Now()
	s.mu.Lock()
	missed := !s.state.connected && s.state.ever
	from := s.state.since
	if !s.state.connected {
		s.state.recover(now)
	}
	if len(s.dirty) == 0 && !isClosed(s.settled) {
		close(s.settled)
	}
	s.mu.Unlock()
	if missed {
		s.logger.Warn("redisadapter: receiving again", "lost", from, "back", now)
		s.back()
	}
}

// recover ends what has been a gap if there was a connection before.
func (t *subscriberState) recover(now time.Time) {
	if t.ever {
		t.down += now.Sub(t.since)
		t.last.To = now
	}
	t.connected, t.ever, t.since, t.failure = true, true, now, nil
}

// since notes that nothing can be relied upon that came, or did not, after the latest
// sign of life.
func (s *subscriber) since(seen time.Time, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := &s.state; t.connected {
		t.connected, t.since = false, seen
		t.gaps++
		t.last = Gap{From: seen}
		if isClosed(s.settled) { // at once: to close a connection may take a while
			s.settled = make(chan struct{})
		}
		if s.ctx.Err() == nil {
			s.logger.Warn("redisadapter: not receiving", "error", err)
		}
	}
	return err
}

func (s *subscriber) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.failure = err
	if isClosed(s.settled) {
		s.settled = make(chan struct{})
	}
}

// wait returns when everything that is wanted is subscribed to.
func (s *subscriber) wait(ctx context.Context) error {
	for {
		s.mu.RLock()
		settled, failure := s.settled, s.state.failure
		s.mu.RUnlock()
		if isClosed(settled) {
			return nil
		}
		select {
		case <-settled:
		case <-s.ctx.Done():
			return ErrClosed
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), failure)
		}
	}
}

// ready says why nothing is received.
func (s *subscriber) ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch t := &s.state; {
	case s.ctx.Err() != nil:
		return ErrClosed
	case !t.connected:
		return fmt.Errorf("redisadapter: nothing received for %v: %w", time.Since(t.since).Round(time.Millisecond), orNotConnected(t.failure))
	}
	return nil
}

func orNotConnected(err error) error {
	if err == nil {
		return ErrNotConnected
	}
	return err
}

// has reports whether Redis knows of this one, as far as we know.
func (s *subscriber) has(n subscription) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, dirty := s.dirty[n]
	return s.state.connected && !dirty && s.wanted[n] != nil
}

// report adds to the numbers.
func (s *subscriber) report(to *Stats) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := &s.state
	to.Gaps, to.Down, to.LastGap, to.Subscriptions = t.gaps, t.down, t.last, len(s.wanted)
	if t.ever && !t.connected {
		to.Down += time.Since(t.since)
	}
}

// close ends it. What is removed before is given up in order.
func (s *subscriber) close() {
	s.cancel()
	<-s.done
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
