// Package tunneltest has a Carrier for tests of package tunnel and of what is on it: a bus
// within the process, which does not keep what it promises when it is asked not to.
package tunneltest

import (
	"errors"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// ErrAway is what Send says while the Bus is cut.
var ErrAway = errors.New("tunneltest: the broker is away")

// Bus is a tunnel.Carrier for any number of servers. Its zero value is ready for use, and
// safe for concurrent use.
type Bus struct {
	// Fault, if it is set before the first message, says how often a message is delivered
	// to each who is to have it: 1 as it should, 0 to lose it, 2 to deliver it twice. A
	// negative number delivers it after the next one. It is called with the Bus locked.
	Fault func(to string, b []byte) int

	mu    sync.Mutex
	ports map[string]*port  // guarded by mu, by tag
	cut   bool              // guarded by mu
	deaf  map[string]bool   // guarded by mu: tags that hear nothing
	names map[string]string // guarded by mu: by tag, what the latest message of a server began with
	dead  map[string]bool   // guarded by mu: servers that were killed, by that
}

// port is one server's queue.
type port struct {
	endpoint tunnel.Endpoint
	wake     *sync.Cond // on Bus.mu
	queue    [][]byte   // guarded by Bus.mu
	late     []byte     // guarded by Bus.mu: to go behind the next one
	closed   bool       // guarded by Bus.mu
	done     chan struct{}
}

// Join implements tunnel.Carrier. A second one with the same tag takes the place of the first.
func (b *Bus) Join(tag string, e tunnel.Endpoint) (leave func(), err error) {
	p := &port{endpoint: e, wake: sync.NewCond(&b.mu), done: make(chan struct{})}
	b.mu.Lock()
	if b.ports == nil {
		b.ports, b.names, b.dead = make(map[string]*port), make(map[string]string), make(map[string]bool)
	}
	b.ports[tag] = p
	b.mu.Unlock()
	go b.deliver(p)
	return func() { b.leave(tag, p) }, nil
}

func (b *Bus) deliver(p *port) {
	defer close(p.done)
	for {
		b.mu.Lock()
		for len(p.queue) == 0 && !p.closed {
			p.wake.Wait()
		}
		if p.closed {
			b.mu.Unlock()
			return
		}
		m := p.queue[0]
		p.queue = p.queue[1:]
		b.mu.Unlock()
		p.endpoint.Receive(m)
	}
}

func (b *Bus) leave(tag string, p *port) {
	b.mu.Lock()
	p.closed = true
	p.wake.Broadcast()
	if b.ports[tag] == p {
		delete(b.ports, tag)
	}
	b.mu.Unlock()
	<-p.done
}

// Send implements tunnel.Carrier.
func (b *Bus) Send(to string, m []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return ErrAway
	}
	if tag, name := sender(m); b.dead[name] {
		return nil
	} else if b.names[tag] = name; tag == "" {
		panic("tunneltest: not a message of a Tunnel")
	}
	for tag, p := range b.ports {
		if (to == tag || to == tunnel.Everybody) && !b.deaf[tag] {
			b.queue(to, p, m)
		}
	}
	return nil
}

// sender returns who has sent a message: its tag, and what tells it from its predecessors.
func sender(m []byte) (tag, name string) {
	const birth = 8
	n := 2 + int(m[1])
	return string(m[2:n]), string(m[:n+birth])
}

// queue delivers m as often as Fault says. Called with mu held.
func (b *Bus) queue(to string, p *port, m []byte) {
	n := 1
	if b.Fault != nil {
		n = b.Fault(to, m)
	}
	if n < 0 && p.late == nil {
		p.late = m
		return
	}
	for range n {
		p.queue = append(p.queue, append([]byte(nil), m...))
	}
	if p.late != nil {
		p.queue = append(p.queue, p.late)
		p.late = nil
	}
	p.wake.Signal()
}

// Cut has Send fail from now on, or no longer.
func (b *Bus) Cut(cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = cut
}

// Deafen has nothing reach that server from now on, or no longer; it notices nothing of that.
func (b *Bus) Deafen(tag string, deaf bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.deaf == nil {
		b.deaf = make(map[string]bool)
	}
	b.deaf[tag] = deaf
}

// Kill ends a server as a crash does: nothing reaches it any more, nothing it sends does, and
// the others are told only where tell says that the broker can.
func (b *Bus) Kill(tag string, tell bool) {
	b.mu.Lock()
	p := b.ports[tag]
	delete(b.ports, tag)
	b.dead[b.names[tag]] = true
	var others []tunnel.Endpoint
	for _, o := range b.ports {
		others = append(others, o.endpoint)
	}
	if p != nil {
		p.closed = true
		p.wake.Broadcast()
	}
	b.mu.Unlock()
	if p != nil {
		<-p.done
	}
	for _, e := range others {
		if tell {
			e.Gone(tag)
		}
	}
}
