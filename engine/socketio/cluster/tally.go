package cluster

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A pub/sub broker drops messages without a word. So each server says now and then how
// many it has sent, and the others compare that with what has come: the difference is
// lost. A Tally stands in the order of what it counts, so the numbers are exact; where
// they are known is since the first Tally of a server. One with a RequestID asks the
// others for theirs: a server that is new, or was away, cannot know otherwise what it has
// missed of those who have nothing more to say.

const (
	tallyInterval = time.Second
	warnInterval  = 10 * time.Second
	maxPeers      = 1024 // servers whose tallies are kept, per namespace
)

// Pulse sends the tallies of adapters: it has one timer, which runs only where something
// was sent. The zero value is ready.
type Pulse struct {
	mu    sync.Mutex
	dirty []*Adapter // guarded by mu
}

// mark has a tally of a sent soon.
func (p *Pulse) mark(a *Adapter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dirty = append(p.dirty, a); len(p.dirty) == 1 {
		time.AfterFunc(tallyInterval, p.beat)
	}
}

func (p *Pulse) beat() {
	p.mu.Lock()
	list := p.dirty
	p.dirty = nil
	p.mu.Unlock()
	for _, a := range list {
		a.sent.tally(a)
	}
}

// sent counts what was published.
type sent struct {
	order  sync.RWMutex // held for writing by a tally, so that it stands where it belongs
	lanes  atomic.Pointer[[]*lane]
	dirty  atomic.Bool
	asks   atomic.Bool // the next tally is to ask for the others'
	closed bool        // guarded by order
}

// lane counts what one lane was given.
type lane struct {
	name string // immutable
	n    atomic.Uint64
}

// counted reports whether m is of a kind that tallies count, and on which lane.
func (a *Adapter) counted(m *Message) (lane string, ok bool) {
	switch m.Type {
	case Broadcast, SocketsJoin, SocketsLeave, DisconnectSockets, FetchSockets, ServerSideEmit, CountSockets, RoomSizes:
	default:
		return "", false
	}
	if a.lanes == nil {
		return "", true
	}
	return a.lanes.Lane(m)
}

// publish sends m, and counts it where that matters: also where the Link refuses it, as
// the others do not get it.
func (s *sent) publish(a *Adapter, m *Message) error {
	s.order.RLock()
	defer s.order.RUnlock()
	if s.closed {
		return ErrClosed
	}
	if name, ok := a.counted(m); ok {
		if l := s.lane(name); l != nil {
			l.n.Add(1)
			s.soon(a)
		}
	}
	return a.link.Publish(m)
}

// soon has a tally sent.
func (s *sent) soon(a *Adapter) {
	if !s.dirty.Load() && s.dirty.CompareAndSwap(false, true) {
		a.options.Pulse.mark(a)
	}
}

// Missed is for a Link that was cut off from the others: what was lost meanwhile is to be
// found out. Safe for concurrent use.
func (a *Adapter) Missed() {
	a.sent.asks.Store(true)
	a.sent.soon(a)
}

// lane returns the one of this name; nil beyond the bound.
func (s *sent) lane(name string) *lane {
	for {
		old := s.lanes.Load()
		var list []*lane
		if old != nil {
			list = *old
		}
		for _, l := range list {
			if l.name == name {
				return l
			}
		}
		if len(list) == maxLanes {
			return nil
		}
		more := append(slices.Clone(list), &lane{name: name})
		s.lanes.CompareAndSwap(old, &more)
	}
}

// tally publishes the numbers, if there are new ones.
func (s *sent) tally(a *Adapter) {
	s.order.Lock()
	defer s.order.Unlock()
	if s.closed || !s.dirty.Swap(false) {
		return
	}
	m := &Message{Type: Tally, UID: a.uid, Sent: make(map[string]uint64)}
	if lanes := s.lanes.Load(); lanes != nil {
		for _, l := range *lanes {
			m.Sent[l.name] = l.n.Load()
		}
	}
	if s.asks.Swap(false) {
		m.RequestID = "tally"
	}
	if a.link.Publish(m) == nil {
		return
	}
	a.stats.dropped.Add(1)
	s.asks.CompareAndSwap(false, m.RequestID != "")
	s.soon(a)
}

// close sends the last tally, and lets nothing be published behind it.
func (s *sent) close(a *Adapter) {
	s.asks.Store(false)
	s.tally(a)
	s.order.Lock()
	defer s.order.Unlock()
	s.closed = true
}

// peers are the servers whose tallies have come, by UID.
type peers struct {
	mu     sync.Mutex
	byUID  map[string]*peer // guarded by mu
	warned time.Time        // when a loss was last logged; guarded by mu
}

// peer is what is known of one server.
type peer struct {
	heard time.Time // the latest tally
	lanes map[string]*heardLane
	lost  uint64
}

type heardLane struct {
	sent uint64 // by the latest tally
	got  uint64 // since then
}

// count counts a message that has come.
func (t *peers) count(a *Adapter, m *Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.byUID[m.UID]
	if p == nil {
		return
	}
	name, ok := a.counted(m)
	if !ok {
		return
	}
	l := p.lanes[name]
	if l == nil && len(p.lanes) < maxLanes {
		l = new(heardLane) // it was not in any tally, so this is the first that was sent
		p.lanes[name] = l
	}
	if l != nil {
		l.got++
	}
}

// tally compares what was sent with what has come. The first one of a server says where
// its lanes begin.
func (t *peers) tally(a *Adapter, m *Message) {
	if m.RequestID != "" {
		a.sent.soon(a)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.byUID[m.UID]
	first := p == nil
	if first {
		p = t.enter(m.UID)
	}
	p.heard = time.Now()
	for name, n := range m.Sent {
		l := p.lanes[name]
		if l == nil && len(p.lanes) < maxLanes {
			l = new(heardLane)
			p.lanes[name] = l
		}
		switch {
		case l == nil:
			continue
		case first: // as it was before
		case n >= l.sent && n-l.sent > l.got:
			lost := n - l.sent - l.got
			p.lost += lost
			a.stats.lost.Add(lost)
			t.warn(a, m.UID)
		}
		l.sent, l.got = n, 0
	}
}

// warn tells an operator, now and then. Called with mu held.
func (t *peers) warn(a *Adapter, uid string) {
	if now := time.Now(); now.Sub(t.warned) >= warnInterval {
		t.warned = now
		a.options.Logger.Warn("cluster: messages of another server were lost", "namespace", a.Namespace().Name(),
			"server", uid, "lost", t.byUID[uid].lost, "lost of all", a.stats.lost.Load())
	}
}

// enter makes room for a new server: the one that was not heard of for longest goes.
// Called with mu held.
func (t *peers) enter(uid string) *peer {
	if t.byUID == nil {
		t.byUID = make(map[string]*peer)
	}
	if len(t.byUID) >= maxPeers {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(t.byUID)), func(x, y string) int {
			return cmp.Compare(t.byUID[x].heard.UnixNano(), t.byUID[y].heard.UnixNano())
		})
		delete(t.byUID, oldest)
	}
	p := &peer{lanes: make(map[string]*heardLane)}
	t.byUID[uid] = p
	return p
}

func (t *peers) forget(uid string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byUID, uid)
}

func (t *peers) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byUID)
}

// lost returns what was lost of whom.
func (t *peers) lost() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	lost := make(map[string]uint64)
	for uid, p := range t.byUID {
		if p.lost > 0 {
			lost[uid] = p.lost
		}
	}
	return lost
}

// ownPeer reports whether a server is of this package, and not Node's: only such send
// tallies.
func (a *Adapter) ownPeer(uid string) bool {
	if a.own {
		return true
	}
	a.peers.mu.Lock()
	defer a.peers.mu.Unlock()
	return a.peers.byUID[uid] != nil
}
