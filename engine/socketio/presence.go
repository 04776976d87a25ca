package socketio

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Presence knows who is in which room of a namespace on this server, where several
// sockets of one member (a user with two windows) count once. Its methods are safe for
// concurrent use and never block. Node has nothing like it.
type Presence struct {
	nsp    *Namespace  // immutable
	member Key[string] // immutable
	prefix string      // immutable
	limit  int         // immutable
	relay  relay[PresenceEvent]

	listeners atomic.Pointer[[]*presenceListener] // replaced with mu held
	refused   atomic.Uint64

	mu      sync.Mutex
	rooms   map[string]map[string]int // sockets by member by room; guarded by mu
	entries int                       // members in all rooms together; guarded by mu
	sockets map[*Socket]*present      // guarded by mu
}

// present is a socket that counts.
type present struct {
	member string
	rooms  []string // where it counts
}

// PresenceOptions configure a Presence. The zero value of each field means its default.
type PresenceOptions struct {
	// Prefix restricts it to rooms whose name begins so; default: all rooms but those
	// that sockets' ids are.
	Prefix string
	// MaxEntries is how many members may be present, those of all rooms together: beyond
	// it they are not counted, but in Refused; default 1,000,000.
	MaxEntries int
}

// PresenceEvent is a change of who is in a room.
type PresenceEvent struct {
	Room   string
	Member string
	Joined bool // the member's first socket has joined; otherwise its last one has left
	Lost   int  // so many events were lost here instead of one; see Options.MaxNotices
}

// NewPresence begins to keep the presence of a namespace. A socket's member is the
// value that it has under the key when it joins the first of the rooms, so give it one
// in a middleware, or before the join; without one, or with an empty one, it does not
// count. It stays that member until it has left the last of them.
func NewPresence(n *Namespace, member Key[string], o PresenceOptions) *Presence {
	p := &Presence{
		nsp: n, member: member, prefix: o.Prefix, limit: orElse(o.MaxEntries, 1_000_000),
		rooms: make(map[string]map[string]int), sockets: make(map[*Socket]*present),
	}
	p.listeners.Store(new([]*presenceListener))
	p.relay = relay[PresenceEvent]{
		server: n.server,
		lost:   func(n int) PresenceEvent { return PresenceEvent{Lost: n} },
		run: func(e PresenceEvent) {
			for _, l := range *p.listeners.Load() {
				l.run(n.server.base, e)
			}
		},
	}
	n.watch(p)
	return p
}

// Close ends it: what it knows stays as it is.
func (p *Presence) Close() { p.nsp.unwatch(p) }

// Members returns who is in the room, sorted. It sees what its caller's joins and
// leaves have changed.
func (p *Presence) Members(room string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.rooms[room]))
}

// Count returns how many members are in the room.
func (p *Presence) Count(room string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rooms[room])
}

// Sockets returns with how many sockets of this server the member is in the room: 0 says
// that it is not.
func (p *Presence) Sockets(room, member string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rooms[room][member]
}

// Refused returns how often a socket was not counted because of MaxEntries.
func (p *Presence) Refused() uint64 { return p.refused.Load() }

type presenceListener struct {
	run func(ctx context.Context, e PresenceEvent)
}

// OnChange registers fn for members that join and leave: each change once, those of one
// room in their order, by one call of fn after the other on the worker pool, where it
// may block. ctx is as for OnDisconnect. The returned function removes fn.
func (p *Presence) OnChange(fn func(ctx context.Context, e PresenceEvent)) (remove func()) {
	l := &presenceListener{fn}
	p.listen(func(all []*presenceListener) []*presenceListener { return with(all, l) })
	return func() {
		p.listen(func(all []*presenceListener) []*presenceListener { return without(all, l) })
	}
}

func (p *Presence) listen(change func([]*presenceListener) []*presenceListener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners.Store(new(change(*p.listeners.Load())))
}

var _ watcher = (*Presence)(nil)

// joined implements watcher.
func (p *Presence) joined(s *Socket, rooms []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.sockets[s]
	if who == nil {
		who = &present{member: p.memberOf(s)}
		rooms = s.joinedRooms()
	}
	if who.member == "" {
		return
	}
	for _, r := range rooms {
		if strings.HasPrefix(r, p.prefix) {
			p.enter(who, r)
		}
	}
	if len(who.rooms) > 0 {
		p.sockets[s] = who
	}
}

// memberOf returns who the socket is. Called with the socket's mu held.
func (p *Presence) memberOf(s *Socket) string {
	member, _ := p.member.lookup(s)
	return member
}

// left implements watcher.
func (p *Presence) left(s *Socket, rooms []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.sockets[s]
	if who == nil {
		return
	}
	for _, r := range rooms {
		if i := slices.Index(who.rooms, r); i >= 0 {
			who.rooms = slices.Delete(who.rooms, i, i+1)
			p.leave(who.member, r)
		}
	}
	if len(who.rooms) == 0 {
		delete(p.sockets, s)
	}
}

// gone implements watcher.
func (p *Presence) gone(s *Socket, _ Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.sockets[s]; who != nil {
		delete(p.sockets, s)
		for _, r := range who.rooms {
			p.leave(who.member, r)
		}
	}
}

func (p *Presence) flush() { p.relay.flush() }

// enter counts a socket in a room. Called with mu held, as leave is.
func (p *Presence) enter(who *present, room string) {
	members := p.rooms[room]
	if members[who.member] == 0 {
		if p.entries == p.limit {
			p.refused.Add(1)
			p.nsp.server.stats.presenceRefused.Add(1)
			return
		}
		p.entries++
		if members == nil {
			members = make(map[string]int)
			p.rooms[room] = members
		}
		p.tell(PresenceEvent{Room: room, Member: who.member, Joined: true})
	}
	members[who.member]++
	who.rooms = append(who.rooms, room)
}

func (p *Presence) leave(member, room string) {
	members := p.rooms[room]
	if members[member]--; members[member] > 0 {
		return
	}
	p.entries--
	if delete(members, member); len(members) == 0 {
		delete(p.rooms, room)
	}
	p.tell(PresenceEvent{Room: room, Member: member})
}

// tell queues an event, if there is anybody to be told.
func (p *Presence) tell(e PresenceEvent) {
	if len(*p.listeners.Load()) > 0 {
		p.relay.push(e)
	}
}
