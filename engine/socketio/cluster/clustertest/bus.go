package clustertest

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Bus carries messages between the adapters of one process, as bytes, with the faults of
// a network. What one of them sends comes in order; between senders there is none. The
// zero value of each field is a bus without that. They are set before adapters are made.
type Bus struct {
	// Counted has links that know how many other servers there are, but not who they are,
	// as with Redis.
	Counted bool
	// Foreign has links whose others may be Node's.
	Foreign bool
	// Fault says what happens to a message on its way from one adapter to another. It is
	// called with a lock held.
	Fault func(from, to string, m *cluster.Message) Fate

	mu     sync.Mutex
	links  map[string]map[string]*busLink // by namespace and UID; guarded by mu
	cut    map[string]*busLink            // by UID; guarded by mu
	random *rand.Rand                     // guarded by mu
}

// Fate is what a Bus does with a message.
type Fate struct {
	Drop  bool
	Twice bool
	Delay time.Duration // of this, and of what its sender sends behind it
}

// Adapter is for socketio.Options.Adapter of one server.
func (b *Bus) Adapter(o cluster.Options) func(*socketio.MemoryAdapter) socketio.Adapter {
	return func(local *socketio.MemoryAdapter) socketio.Adapter {
		a, err := cluster.New(local, cluster.NewUID(), o, b.open)
		if err != nil {
			panic(err) // a Bus refuses nobody
		}
		return a
	}
}

func (b *Bus) open(a *cluster.Adapter) (cluster.Link, error) {
	l := &busLink{bus: b, adapter: a, uid: a.UID(), nsp: a.Namespace().Name(), from: make(map[string][]busMessage), wake: make(chan struct{}, 1), closed: make(chan struct{}), done: make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.links == nil {
		b.links, b.random = make(map[string]map[string]*busLink), rand.New(rand.NewPCG(1, 2))
	}
	if b.links[l.nsp] == nil {
		b.links[l.nsp] = make(map[string]*busLink)
	}
	b.links[l.nsp][l.uid] = l
	go l.run()
	return l, nil
}

// Cut takes an adapter off the bus without a word, as if its machine had lost its power.
// The others learn of it if tell is true.
func (b *Bus) Cut(nsp, uid string, tell bool) {
	b.mu.Lock()
	l := b.links[nsp][uid]
	delete(b.links[nsp], uid)
	if b.cut == nil {
		b.cut = make(map[string]*busLink)
	}
	b.cut[uid] = l
	others := slices.Collect(maps.Values(b.links[nsp]))
	b.mu.Unlock()
	if tell {
		for _, l := range others {
			l.adapter.Gone(uid)
		}
	}
}

// Heal undoes Cut.
func (b *Bus) Heal(uid string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.cut[uid]; l != nil {
		b.links[l.nsp][uid] = l
		delete(b.cut, uid)
	}
}

// busMessage is one message on its way.
type busMessage struct {
	text        []byte
	attachments [][]byte
	due         time.Time
}

// busLink is the end of a Bus at one adapter.
type busLink struct {
	bus      *Bus
	adapter  *cluster.Adapter
	uid, nsp string
	wake     chan struct{} // capacity 1
	closed   chan struct{}
	done     chan struct{}

	from map[string][]busMessage // what comes, by sender; guarded by bus.mu
}

var errCut = errors.New("clustertest: the bus is cut")

// Publish implements cluster.Link.
func (l *busLink) Publish(m *cluster.Message) error {
	l.bus.mu.Lock()
	defer l.bus.mu.Unlock()
	if l.bus.links[l.nsp][l.uid] != l {
		return errCut
	}
	for _, to := range l.bus.links[l.nsp] {
		if to != l {
			l.send(to, m)
		}
	}
	return nil
}

// Answer implements cluster.Link.
func (l *busLink) Answer(uid string, m *cluster.Message) error {
	l.bus.mu.Lock()
	defer l.bus.mu.Unlock()
	if to := l.bus.links[l.nsp][uid]; to != nil && l.bus.links[l.nsp][l.uid] == l {
		l.send(to, m)
	}
	return nil
}

// send puts m into a queue. Called with bus.mu held.
func (l *busLink) send(to *busLink, m *cluster.Message) {
	var f Fate
	if l.bus.Fault != nil {
		f = l.bus.Fault(l.uid, to.uid, m)
	}
	if f.Drop {
		return
	}
	text := cluster.AppendJSON(nil, m, l.nsp)
	var attachments [][]byte
	if len(m.Packet.Attachments) > 0 {
		wire, err := parser.AppendMsgpack(nil, text, m.Packet.Attachments)
		if err == nil {
			text, attachments, err = parser.DecodeMsgpack(wire, cluster.Limits())
		}
		if err != nil {
			panic(err)
		}
	}
	e := busMessage{text, attachments, time.Now().Add(f.Delay)}
	to.from[l.uid] = append(to.from[l.uid], e)
	if f.Twice {
		to.from[l.uid] = append(to.from[l.uid], e)
	}
	select {
	case to.wake <- struct{}{}:
	default:
	}
}

// run hands over what comes.
func (l *busLink) run() {
	defer close(l.done)
	for {
		e, wait, ok := l.next()
		if ok {
			m, _, err := cluster.ParseJSON(e.text, e.attachments)
			if err != nil {
				l.adapter.Malformed(err)
				continue
			}
			l.adapter.Receive(m)
			continue
		}
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-l.wake:
		case <-due:
		case <-l.closed:
			return
		}
	}
}

// next takes the first message of one of the senders; otherwise it says when there will
// be one, if that is known.
func (l *busLink) next() (e busMessage, wait time.Duration, ok bool) {
	l.bus.mu.Lock()
	defer l.bus.mu.Unlock()
	senders := slices.Sorted(maps.Keys(l.from))
	l.bus.random.Shuffle(len(senders), func(i, j int) { senders[i], senders[j] = senders[j], senders[i] })
	for _, uid := range senders {
		e := l.from[uid][0]
		if w := time.Until(e.due); w > 0 {
			if wait == 0 || w < wait {
				wait = w
			}
			continue
		}
		if l.from[uid] = l.from[uid][1:]; len(l.from[uid]) == 0 {
			delete(l.from, uid)
		}
		return e, 0, true
	}
	return e, wait, false
}

// Others implements cluster.Link.
func (l *busLink) Others(context.Context) (n int, uids []string, err error) {
	l.bus.mu.Lock()
	defer l.bus.mu.Unlock()
	if l.bus.links[l.nsp][l.uid] != l {
		return 0, nil, errCut
	}
	uids = []string{}
	for uid := range l.bus.links[l.nsp] {
		if uid != l.uid {
			uids = append(uids, uid)
		}
	}
	if l.bus.Counted {
		return len(uids), nil, nil
	}
	return len(uids), uids, nil
}

// OwnKind implements cluster.Own.
func (l *busLink) OwnKind() bool { return !l.bus.Foreign }

// Close implements cluster.Link.
func (l *busLink) Close() error {
	_ = l.Publish(&cluster.Message{Type: cluster.AdapterClose, UID: l.uid})
	l.bus.mu.Lock()
	if l.bus.links[l.nsp][l.uid] == l {
		delete(l.bus.links[l.nsp], l.uid)
	}
	l.bus.mu.Unlock()
	close(l.closed)
	<-l.done
	return nil
}
