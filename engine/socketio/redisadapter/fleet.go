package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Fleet is this server's place among those that talk through one Redis, for all of its
// namespaces. It is safe for concurrent use. One Fleet is for one socketio.Server.
type Fleet struct {
	options    Options // immutable
	connector  *connector
	subscriber *subscriber
	publisher  *publisher
	mode       mode
	counters   counters

	mu      sync.Mutex
	members map[*cluster.Adapter]bool // guarded by mu
	former  cluster.Stats             // of members that are closed; guarded by mu
	closed  bool                      // guarded by mu
}

// member is the adapter of one namespace.
type member struct {
	*cluster.Adapter
	fleet *Fleet
}

// loggedMember is that of one whose sockets are recovered on any server.
type loggedMember struct {
	*cluster.Logged
	fleet *Fleet
}

// mode is what a Mode makes of a Fleet.
type mode interface {
	// uid names an adapter among those of its namespace.
	uid() string
	// open makes the link of a namespace.
	open(a *cluster.Adapter) (cluster.Link, error)
	// report adds to the numbers.
	report(to *Stats)
	// wait returns when the mode receives what others say, beyond what holds for all of them.
	wait(ctx context.Context) error
	// ready says why the mode does not work, beyond what holds for all of them.
	ready() error
	// close ends what the mode has of its own, before publisher and subscriber are closed.
	close(ctx context.Context) error
}

// New returns a Fleet, which connects in the background and goes on trying: an error
// means that the Options are wrong. See [Fleet.Wait].
func New(options Options) (*Fleet, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &Fleet{options: options, members: make(map[*cluster.Adapter]bool)}
	if f.connector, err = newConnector(&f.options); err != nil {
		return nil, err
	}
	f.subscriber = newSubscriber(f.connector, &f.options, f.missed)
	f.publisher = newPublisher(f.connector, &f.options, f.missed)
	switch options.Mode {
	case Classic:
		f.mode, err = openClassic(f)
	case Sharded:
		f.mode, err = openSharded(f)
	case Streams:
		f.mode, err = openStreams(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.end(context.Background()))
	}
	return f, nil
}

// Adapter is what socketio.Options.Adapter wants.
func (f *Fleet) Adapter(local *socketio.MemoryAdapter) socketio.Adapter {
	var m socketio.Adapter
	var a *cluster.Adapter
	var err error
	if s, ok := f.mode.(*streams); ok && local.Recovery() != nil {
		var l *cluster.Logged
		if l, err = s.logged(local); err == nil {
			a, m = l.Adapter, &loggedMember{l, f}
		}
	} else if a, err = cluster.New(local, f.mode.uid(), f.options.Cluster, f.mode.open); err == nil {
		m = &member{a, f}
	}
	if err != nil {
		f.options.Cluster.Logger.Error("redisadapter: a namespace stays on this server", "namespace", local.Namespace().Name(), "error", err)
		return local
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[a] = true
	return m
}

// Close implements socketio.Adapter.
func (m *member) Close() error {
	err := m.Adapter.Close()
	m.fleet.leave(m.Adapter)
	return err
}

// Close implements socketio.Adapter.
func (m *loggedMember) Close() error {
	err := m.Logged.Close()
	m.fleet.leave(m.Adapter)
	return err
}

// leave keeps the numbers of a namespace that is closed.
func (f *Fleet) leave(a *cluster.Adapter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members[a] {
		delete(f.members, a)
		last := a.Stats()
		last.Requests, last.Serving, last.Tallied, last.LostBy = 0, 0, 0, nil
		f.former.Add(last)
	}
}

// missed has all namespaces find out what was lost, of ours and of the others'.
func (f *Fleet) missed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for m := range f.members {
		m.Missed()
	}
}

// report adds up the numbers of all namespaces.
func (f *Fleet) report(to *Stats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	to.Cluster = f.former
	for a := range f.members {
		to.Cluster.Add(a.Stats())
	}
}

// Wait returns when all namespaces that there are now receive what other servers say, or
// when ctx is done.
func (f *Fleet) Wait(ctx context.Context) error {
	if err := f.subscriber.wait(ctx); err != nil {
		return err
	}
	return f.mode.wait(ctx)
}

// Ready says what is wrong with the connection to Redis, and for how long; nil if nothing
// is. Meanwhile this server works for its own clients.
func (f *Fleet) Ready() error {
	return errors.Join(f.subscriber.ready(), f.publisher.ready(), f.mode.ready())
}

// closeWithin is how long Close takes at most for what waits to be sent.
const closeWithin = 2 * time.Second

// Close sends what waits to be sent, for up to 2 s, and ends the Fleet. It is called after
// Shutdown of the server.
func (f *Fleet) Close() error {
	f.mu.Lock()
	closed := f.closed
	f.closed = true
	f.mu.Unlock()
	if closed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	defer context.AfterFunc(ctx, f.connector.hangUp)()
	err := f.mode.close(ctx)
	if e := f.end(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("redisadapter: closing: %w", e))
	}
	return err
}

func (f *Fleet) end(ctx context.Context) error {
	f.subscriber.close()
	err := f.publisher.close(ctx)
	f.connector.close()
	return err
}
