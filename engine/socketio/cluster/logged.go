package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Logged is the Adapter of a namespace whose events are numbered by a log, so that
// clients have their sockets again on any server: an event of this server is appended
// to the log first, and delivered here as everywhere when it comes back from there, in
// the log's order. That is the one exception from delivering here first, and it has a
// bound: see TailOptions.Patience.
//
// Whatever is delivered twice elsewhere or comes back late, no client is given it
// twice, nor what one server sends in another order: an adapter counts what it appends,
// and knows up to where it has delivered that.
type Logged struct {
	*Adapter
	tail *Tail   // immutable
	link LogLink // immutable

	offset atomic.Pointer[string] // of the last event that was delivered here
	ttl    atomic.Int64           // ns for which lost sockets are stored

	surrenders surrenders

	mu       sync.Mutex
	queue    []queued // guarded by mu, as all the following: what is not delivered yet
	bytes    int64    // of that
	base     string   // of the last entry that came
	sequence uint64   // of the last event that was appended
	// delivered is up to where events of this server were delivered here, and early the
	// last of those that was delivered before it came back.
	delivered, early uint64
	// settled is up to where it is known what became of events of this server, and
	// resolved up to where it is known for certain.
	settled, resolved frontier
	kept              uint64    // the last event of this server that is said to be in the log
	given             givenList // early ones that may still come
	lateSince         time.Time // since when events are delivered early; zero for not
	late              bool      // the log takes too long: it is not waited for at present
	watched           bool      // the tail's clock looks here
	closed            bool
}

var (
	_ socketio.OffsetOrder   = (*Logged)(nil)
	_ socketio.OffsetAdapter = (*Logged)(nil)
	_ socketio.SessionKeeper = (*Logged)(nil)
)

// NewLogged returns the Adapter of a namespace over a log. open makes its link, which
// may call Receive and Settled from then on; its entries come by way of the Tail.
func NewLogged(local *socketio.MemoryAdapter, uid string, options Options, tail *Tail, open func(*Logged) (LogLink, error)) (*Logged, error) {
	l := &Logged{tail: tail}
	a, err := New(local, uid, options, func(a *Adapter) (Link, error) {
		l.Adapter = a
		link, err := open(l)
		l.link = link
		return link, err
	})
	if err != nil {
		return nil, err
	}
	l.Adapter = a
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base = tail.join(l)
	offset := l.base
	l.offset.Store(&offset)
	return l, nil
}

// Close implements socketio.Adapter. Events that are on their way into the log may still
// get there.
func (l *Logged) Close() error {
	l.mu.Lock()
	l.hurry()
	l.closed = true
	l.mu.Unlock()
	l.tail.leave(l)
	return l.Adapter.Close()
}
