package socketio

import (
	"context"
	"fmt"
	"sync"

	"github.com/fanfare-go/fanfare/engine"
)

// There are two ways to find out who is selected. collect asks the event loops, whose
// index of rooms knows it without looking at anybody else: it has to wait for them.
// selected looks at every socket, and knows at once: what is then done to the sockets
// takes effect in order with what the caller does next.

// SocketsJoin puts the selected sockets into rooms, for whatever its caller emits
// next; on other servers soon. It looks at every socket of the namespace on this
// server, unless all rooms selected are ids of sockets. The error is the first of
// Socket.Join's, and does not keep others from joining; or that of the adapter. Node:
// socketsJoin.
func (b BroadcastOperator) SocketsJoin(rooms ...string) error {
	return b.nsp.adapter.AddSockets(b.selection(), rooms)
}

// SocketsLeave takes the selected sockets out of rooms; otherwise as SocketsJoin.
// Node: socketsLeave.
func (b BroadcastOperator) SocketsLeave(rooms ...string) error {
	return b.nsp.adapter.DelSockets(b.selection(), rooms)
}

// DisconnectSockets disconnects the selected sockets as [Socket.Disconnect] does, after
// what the caller emitted before; otherwise as SocketsJoin. Node: disconnectSockets.
func (b BroadcastOperator) DisconnectSockets(hangUp bool) error {
	return b.nsp.adapter.DisconnectSockets(b.selection(), hangUp)
}

func (b BroadcastOperator) selection() *Selection {
	return &Selection{Rooms: b.rooms, Except: b.except, Local: b.flags.Local}
}

// SocketsJoin puts every socket of the namespace into rooms; see
// [BroadcastOperator.SocketsJoin].
func (n *Namespace) SocketsJoin(rooms ...string) error { return n.all().SocketsJoin(rooms...) }

// SocketsLeave takes every socket of the namespace out of rooms; see
// [BroadcastOperator.SocketsLeave].
func (n *Namespace) SocketsLeave(rooms ...string) error { return n.all().SocketsLeave(rooms...) }

// DisconnectSockets disconnects every socket of the namespace; see
// [BroadcastOperator.DisconnectSockets].
func (n *Namespace) DisconnectSockets(hangUp bool) error { return n.all().DisconnectSockets(hangUp) }

// AddSockets implements Adapter.
func (a *MemoryAdapter) AddSockets(sel *Selection, rooms []string) (err error) {
	for _, s := range a.nsp.selected(sel) {
		if e := s.Join(rooms...); err == nil {
			err = e
		}
	}
	return err
}

// DelSockets implements Adapter.
func (a *MemoryAdapter) DelSockets(sel *Selection, rooms []string) error {
	for _, s := range a.nsp.selected(sel) {
		s.Leave(rooms...)
	}
	return nil
}

// DisconnectSockets implements Adapter.
func (a *MemoryAdapter) DisconnectSockets(sel *Selection, hangUp bool) error {
	for _, s := range a.nsp.selected(sel) {
		s.Disconnect(hangUp)
	}
	return nil
}

// selected returns the sockets of this server that are selected at this moment.
func (n *Namespace) selected(sel *Selection) []*Socket {
	except := setOf(sel.Except)
	list, known := n.named(sel.Rooms)
	if !known {
		list = n.sockets.all()
	}
	rooms, chosen := setOf(sel.Rooms), list[:0]
	for _, s := range list {
		if (len(rooms) == 0 || s.inAny(rooms)) && !s.inAny(except) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// named returns the sockets with these ids, if rooms are ids of connected sockets and
// nothing else.
func (n *Namespace) named(rooms []string) (list []*Socket, ok bool) {
	if len(rooms) == 0 || n.idRooms.Load() || n.server.options.AllowEIO3 { // whose ids may look like anything
		return nil, false
	}
	seen := make(map[*Socket]struct{}, len(rooms))
	for _, r := range rooms {
		s := n.socket(r)
		if s == nil {
			return nil, false
		}
		if _, twice := seen[s]; !twice {
			seen[s] = struct{}{}
			list = append(list, s)
		}
	}
	return list, true
}

// inAny reports whether the socket is connected and in one of the rooms.
func (s *Socket) inAny(rooms map[string]struct{}) bool {
	if len(rooms) == 0 {
		return false
	}
	own := s.ID()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connected {
		return false
	}
	if _, ok := rooms[own]; ok {
		return true
	}
	if s.rare == nil {
		return false
	}
	for _, r := range s.rare.rooms {
		if _, ok := rooms[r]; ok {
			return true
		}
	}
	return false
}

func setOf(names []string) map[string]struct{} {
	set := make(map[string]struct{}, len(names))
	for _, s := range names {
		set[s] = struct{}{}
	}
	return set
}

// collect returns the sockets selected as the event loops know them, after what the
// caller joined and left. What has been found when ctx is done comes with an error.
func (a *MemoryAdapter) collect(ctx context.Context, sel *Selection) ([]*Socket, error) {
	if list, ok := a.nsp.named(sel.Rooms); ok && len(sel.Except) == 0 {
		return list, nil
	}
	var (
		mu    sync.Mutex
		found []*Socket
		late  bool
	)
	done := make(chan struct{})
	a.nsp.server.engine.Visit(nil, &engine.Visit{
		Target: *a.target(sel.Rooms, sel.Except),
		Each: func(r engine.Receiver) bool {
			if s := r.(*client).socketIn(a.nsp); s != nil && s.Connected() {
				mu.Lock()
				defer mu.Unlock()
				if !late {
					found = append(found, s)
				}
			}
			return false
		},
		Done: func() { close(done) },
	})
	err := a.nsp.server.await(ctx, done)
	mu.Lock()
	defer mu.Unlock()
	late = true
	return found, err
}

// await returns when what was asked of the event loops is done, or why it waits no
// longer.
func (v *Server) await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("socketio: waiting for the event loops: %w", context.Cause(ctx))
	case <-v.stopped:
		return ErrServerClosed
	}
}

// request returns ctx with a deadline.
func (v *Server) request(ctx context.Context) (context.Context, context.CancelFunc) {
	if hasDeadline(ctx) {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, v.options.RequestTimeout, timedOut{})
}
