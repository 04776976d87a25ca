package socketio

import (
	"context"
	"errors"
)

// ErrParentNamespace: a ParentNamespace was asked for its sockets.
var ErrParentNamespace = errors.New("socketio: a parent namespace has no sockets")

// fanOut is the adapter of a parent: what is done to sockets is done to those of each
// child, through the child's adapter. The first error does not keep the others from
// theirs.
type fanOut struct{ *MemoryAdapter }

func (a *fanOut) each(do func(Adapter) error) (err error) {
	for _, child := range a.nsp.brood() {
		if e := do(child.adapter); err == nil {
			err = e
		}
	}
	return err
}

// Broadcast implements Adapter.
func (a *fanOut) Broadcast(p *Broadcast) error {
	return a.each(func(child Adapter) error { return child.Broadcast(p) })
}

// AddSockets implements Adapter.
func (a *fanOut) AddSockets(sel *Selection, rooms []string) error {
	return a.each(func(child Adapter) error { return child.AddSockets(sel, rooms) })
}

// DelSockets implements Adapter.
func (a *fanOut) DelSockets(sel *Selection, rooms []string) error {
	return a.each(func(child Adapter) error { return child.DelSockets(sel, rooms) })
}

// DisconnectSockets implements Adapter.
func (a *fanOut) DisconnectSockets(sel *Selection, hangUp bool) error {
	return a.each(func(child Adapter) error { return child.DisconnectSockets(sel, hangUp) })
}

// ServerSideEmit implements Adapter.
func (a *fanOut) ServerSideEmit(*ServerSideEvent) error { return ErrParentNamespace }

// ServerSideEmitWithAck implements Adapter.
func (a *fanOut) ServerSideEmitWithAck(context.Context, *ServerSideEvent) ([]ServerSideAnswer, error) {
	return nil, ErrParentNamespace
}

// BroadcastWithAck implements Adapter.
func (a *fanOut) BroadcastWithAck(*Broadcast, AckSink) (func(error), error) {
	return nil, ErrParentNamespace
}

// FetchSockets implements Adapter.
func (a *fanOut) FetchSockets(context.Context, *Selection) ([]*RemoteSocket, error) {
	return nil, ErrParentNamespace
}

// CountSockets implements Adapter.
func (a *fanOut) CountSockets(context.Context, *Selection) (int, error) {
	return 0, ErrParentNamespace
}

// RoomSizes implements Adapter.
func (a *fanOut) RoomSizes(context.Context, bool) (map[string]int, error) {
	return nil, ErrParentNamespace
}
