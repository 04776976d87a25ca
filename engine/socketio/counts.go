package socketio

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine"
)

// Namespaces returns the namespaces there are at this moment, those made for parents
// included and the parents themselves not, in no order.
func (v *Server) Namespaces() []*Namespace {
	all := slices.Collect(maps.Values(*v.namespaces.Load()))
	for _, p := range v.allParents() {
		all = append(all, p.brood()...)
	}
	return all
}

// Socket returns the connected socket of this server that has the id. Node:
// namespace.sockets.get(id).
func (n *Namespace) Socket(id string) (s *Socket, ok bool) {
	s = n.socket(id)
	return s, s != nil
}

// Sockets returns the connected sockets of this server, in no order. Node:
// namespace.sockets.
func (n *Namespace) Sockets() []*Socket { return n.sockets.all() }

// SocketCount returns how many sockets of this server are connected. Node:
// namespace.sockets.size.
func (n *Namespace) SocketCount() int { return n.sockets.len() }

// Count returns how many sockets are selected, without asking for anything else of
// them: a room's size is io.In(room).Count(ctx). It sees what the caller joined and left
// before. With an error it returns how many are known of; otherwise it is as
// FetchSockets.
func (b BroadcastOperator) Count(ctx context.Context) (int, error) {
	ctx, cancel := b.nsp.server.request(ctx)
	defer cancel()
	return b.nsp.adapter.CountSockets(ctx, b.selection())
}

// RoomSize returns how many sockets are in the room, on all servers. It is
// To(room).Count(ctx), and does not look at the sockets.
func (n *Namespace) RoomSize(ctx context.Context, room string) (int, error) {
	return n.To(room).Count(ctx)
}

// Rooms returns the rooms there are, on all servers, with how many sockets are in each;
// without the rooms that sockets' ids are. Otherwise it is as Count. Node:
// namespace.adapter.rooms.
func (n *Namespace) Rooms(ctx context.Context) (map[string]int, error) {
	return n.roomSizes(ctx, false)
}

// LocalRooms is Rooms for those of this server.
func (n *Namespace) LocalRooms(ctx context.Context) (map[string]int, error) {
	return n.roomSizes(ctx, true)
}

func (n *Namespace) roomSizes(ctx context.Context, local bool) (map[string]int, error) {
	ctx, cancel := n.server.request(ctx)
	defer cancel()
	return n.adapter.RoomSizes(ctx, local)
}

// CountRooms returns how many rooms of this server have members, in all namespaces: the
// exact number up to 4,096, and beyond that an estimate, 2 % off as a rule. It looks at every
// room, a turn's worth at once, and not at their members. The rooms that sockets' ids are
// do not count.
func (v *Server) CountRooms(ctx context.Context) (int, error) {
	ctx, cancel := v.request(ctx)
	defer cancel()
	rooms, done := newDistinct(), make(chan struct{})
	v.engine.GroupSizes(func(group string, _ int) {
		if isRoom(group) {
			rooms.add(group)
		}
	}, func() { close(done) })
	err := v.await(ctx, done)
	return rooms.count(), err
}

// CountSockets implements Adapter.
func (a *MemoryAdapter) CountSockets(ctx context.Context, sel *Selection) (int, error) {
	if len(sel.Except) > 0 || len(sel.Rooms) > 1 {
		return a.countVisited(ctx, sel)
	}
	if len(sel.Rooms) == 0 {
		return a.nsp.sockets.len(), nil
	}
	room := sel.Rooms[0]
	size, done := 0, make(chan struct{})
	a.nsp.server.engine.GroupSize(a.nsp.group(room), func(n int) { size = n; close(done) })
	if err := a.nsp.server.await(ctx, done); err != nil {
		return 0, err
	}
	if a.nsp.socket(room) != nil {
		size++
	}
	return size, nil
}

func (a *MemoryAdapter) countVisited(ctx context.Context, sel *Selection) (int, error) {
	var n atomic.Int64
	done := make(chan struct{})
	a.nsp.server.engine.Visit(nil, &engine.Visit{
		Target: *a.target(sel.Rooms, sel.Except),
		Each:   func(engine.Receiver) bool { n.Add(1); return false },
		Done:   func() { close(done) },
	})
	err := a.nsp.server.await(ctx, done)
	return int(n.Load()), err
}

// RoomSizes implements Adapter.
func (a *MemoryAdapter) RoomSizes(ctx context.Context, _ bool) (map[string]int, error) {
	var (
		mu   sync.Mutex
		late bool
	)
	sizes, done := make(map[string]int), make(chan struct{})
	a.nsp.server.engine.GroupSizes(func(group string, n int) {
		room, ok := strings.CutPrefix(group, a.nsp.prefix)
		if !ok {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !late {
			sizes[room] += n
		}
	}, func() { close(done) })
	err := a.nsp.server.await(ctx, done)
	mu.Lock()
	defer mu.Unlock()
	late = true
	return sizes, err
}
