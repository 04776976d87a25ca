package socketio

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// Namespace is one of the channels that share a connection: it has sockets,
// handlers, middlewares and rooms of its own. Node: Namespace. Every method is
// safe for concurrent use.
type Namespace struct {
	server   *Server   // immutable
	name     string    // immutable
	prefix   string    // immutable: in front of the engine's groups, of this namespace only
	everyone string    // immutable: the group of all sockets
	adapter  Adapter   // immutable once clients can find the namespace
	ids      IDAdapter // likewise; nil for none

	sockets socketTable
	ackIDs  atomic.Uint64 // of events to clients; one counter for all sockets, as in Node
	surveys surveyTable
	idRooms atomic.Bool // somebody has joined a room that is called as an id could be

	serverSide relay[serverSideEvent] // events of other servers
	watchers   atomic.Pointer[[]watcher]
	book       *roomBook // of those who listen to OnRoom, if any; guarded by editing

	overhearing overhearers
	times       *durations // immutable once clients can find the namespace; nil where they never can

	table    atomic.Pointer[table]
	editing  sync.Mutex              // held while table is replaced; a parent's before its children's
	children map[*Namespace]struct{} // of a parent; guarded by editing
	child    *child                  // immutable: its place, if it was made for a parent
	removed  atomic.Bool             // it was a child, and empty: no history is kept of it any more

	histories map[*logRoom]struct{} // of a child; guarded by eventLog.mu

	offsets OffsetAdapter // immutable once logged is true: the adapter
	logged  atomic.Bool   // events are recovered by the offsets of the adapter
	keeper  SessionKeeper // immutable once clients can find the namespace; nil for none
	latest  *mark         // the latest event, where logged; guarded by eventLog.mu
	gap     uint64        // where events were gone before they came here, the latest time; guarded by eventLog.mu
	gapAt   int64         // when that was; likewise
}

// kinds of group: the byte behind the prefix.
const (
	groupRoom     = 'r'
	groupEveryone = 'e'
)

// newNamespace makes namespace number i of its server, without the adapter that
// its options ask for. The number, which is its own end marker, keeps the groups
// of different namespaces apart whatever rooms are called.
func newNamespace(v *Server, name string, i uint64) *Namespace {
	n := &Namespace{server: v, name: name, prefix: string(binary.AppendUvarint(nil, i))}
	n.everyone = n.prefix + string(rune(groupEveryone))
	n.prefix += string(rune(groupRoom))
	n.table.Store(new(table))
	n.serverSide = relay[serverSideEvent]{server: v, run: n.serve}
	n.adapter = newMemoryAdapter(n)
	return n
}

// isRoom reports that a group is a room's.
func isRoom(group string) bool {
	number := 0
	for number < len(group) && group[number]&0x80 != 0 { // of the namespace: see newNamespace
		number++
	}
	return number+1 < len(group) && group[number+1] == groupRoom
}

// group is the engine's name of a room.
func (n *Namespace) group(room string) string { return n.prefix + room }

// Name returns the name, which begins with a slash. Node: namespace.name.
func (n *Namespace) Name() string { return n.name }

// Server returns the server the namespace belongs to.
func (n *Namespace) Server() *Server { return n.server }

// edit replaces the table by a changed copy, and those of a parent's children.
func (n *Namespace) edit(change func(t *table)) {
	n.editing.Lock()
	defer n.editing.Unlock()
	old := n.table.Load()
	t := *old
	change(&t)
	n.table.Store(&t)
	for c := range n.children {
		c.inherit(old, &t, change)
	}
}

// register implements Registrar.
func (n *Namespace) register(event string, h *handler) (remove func()) {
	h.remove = func() { n.edit(func(t *table) { t.del(event, h) }) }
	n.edit(func(t *table) { t.add(event, h) })
	return h.remove
}

// Use adds a middleware; they run in the order of registration, on the worker
// pool, before the socket is connected. Node: namespace.use.
func (n *Namespace) Use(fn Middleware) {
	n.edit(func(t *table) { t.use = with(t.use, fn) })
}

// OnConnect registers fn for every socket that connects. It runs before any event
// of the socket; its error goes to Options.OnError, and the socket is
// disconnected. Node: the "connection" event.
func (n *Namespace) OnConnect(fn func(ctx context.Context, s *Socket) error) {
	n.edit(func(t *table) { t.connect = with(t.connect, fn) })
}

// OnDisconnecting registers fn for the end of every socket, while it still has
// its rooms. As the socket's own context is done by then, ctx is the server's: it
// is done when Shutdown waits no longer. Node: "disconnecting".
func (n *Namespace) OnDisconnecting(fn func(ctx context.Context, s *Socket, r Reason)) {
	n.edit(func(t *table) { t.disconnecting = with(t.disconnecting, fn) })
}

// OnDisconnect registers fn for the end of every socket, when its rooms are left;
// it costs nothing per socket. ctx is as for OnDisconnecting. A client that joins
// again on the same connection is a new socket, and sockets do not wait for each
// other: the functions of the old one may run after the new one's OnConnect. Node:
// "disconnect".
func (n *Namespace) OnDisconnect(fn func(ctx context.Context, s *Socket, r Reason)) {
	n.edit(func(t *table) { t.disconnect = with(t.disconnect, fn) })
}

// OnAny registers fn for every event of every socket, before the handlers of the
// event itself.
func (n *Namespace) OnAny(fn AnyHandler, opts ...HandlerOption) (remove func()) {
	c := newCatchAll(fn, opts)
	n.edit(func(t *table) { t.any = with(t.any, c) })
	return n.removeAny(c)
}

// PrependAny is OnAny in front of those registered before.
func (n *Namespace) PrependAny(fn AnyHandler, opts ...HandlerOption) (remove func()) {
	c := newCatchAll(fn, opts)
	n.edit(func(t *table) { t.any = slices.Concat([]*catchAll{c}, t.any) })
	return n.removeAny(c)
}

func (n *Namespace) removeAny(c *catchAll) func() {
	return func() { n.edit(func(t *table) { t.any = without(t.any, c) }) }
}

func (n *Namespace) all() BroadcastOperator { return BroadcastOperator{nsp: n} }

// Emit sends an event to every socket of the namespace. Node: namespace.emit.
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

// To selects the sockets in any of the rooms; a socket's id is a room of its own.
func (n *Namespace) To(rooms ...string) BroadcastOperator { return n.all().To(rooms...) }

// In is To.
func (n *Namespace) In(rooms ...string) BroadcastOperator { return n.all().To(rooms...) }

// Except selects everyone but the sockets in any of the rooms.
func (n *Namespace) Except(rooms ...string) BroadcastOperator { return n.all().Except(rooms...) }

// Local selects the sockets of this server, where an adapter connects several.
func (n *Namespace) Local() BroadcastOperator { return n.all().Local() }

// Volatile selects everyone, for events that are dropped where they cannot be sent at once.
func (n *Namespace) Volatile() BroadcastOperator { return n.all().Volatile() }

// Compress selects everyone, for events that are compressed or not.
func (n *Namespace) Compress(on bool) BroadcastOperator { return n.all().Compress(on) }
