package socketio

import (
	"context"
	"iter"
)

// This file goes on with what a Server does for its default namespace, "/": each method
// is the one of the same name of Namespace.

// AskAll asks everyone in the default namespace; see [BroadcastOperator.AskAll].
func (v *Server) AskAll(ctx context.Context, event string, args ...any) iter.Seq2[Answer[Args], error] {
	return v.main.AskAll(ctx, event, args...)
}

// EmitWithAck asks everyone in the default namespace; see [BroadcastOperator.EmitWithAck].
func (v *Server) EmitWithAck(ctx context.Context, event string, args ...any) ([]Answer[Args], error) {
	return v.main.EmitWithAck(ctx, event, args...)
}

// FetchSockets returns every socket of the default namespace; see
// [BroadcastOperator.FetchSockets]. Node: io.fetchSockets.
func (v *Server) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return v.main.FetchSockets(ctx)
}

// SocketsJoin puts every socket of the default namespace into rooms; see
// [BroadcastOperator.SocketsJoin]. Node: io.socketsJoin.
func (v *Server) SocketsJoin(rooms ...string) error { return v.main.SocketsJoin(rooms...) }

// SocketsLeave takes every socket of the default namespace out of rooms; see
// [BroadcastOperator.SocketsLeave]. Node: io.socketsLeave.
func (v *Server) SocketsLeave(rooms ...string) error { return v.main.SocketsLeave(rooms...) }

// DisconnectSockets disconnects every socket of the default namespace; see
// [BroadcastOperator.DisconnectSockets]. Node: io.disconnectSockets.
func (v *Server) DisconnectSockets(hangUp bool) error { return v.main.DisconnectSockets(hangUp) }

// Socket returns the connected socket of the default namespace that has the id; see
// [Namespace.Socket]. Node: io.sockets.sockets.get(id).
func (v *Server) Socket(id string) (s *Socket, ok bool) { return v.main.Socket(id) }

// Sockets returns the connected sockets of the default namespace; see
// [Namespace.Sockets]. Node: io.sockets.sockets.
func (v *Server) Sockets() []*Socket { return v.main.Sockets() }

// SocketCount returns how many sockets of the default namespace are connected; see
// [Namespace.SocketCount].
func (v *Server) SocketCount() int { return v.main.SocketCount() }

// RoomSize returns how many sockets are in a room of the default namespace; see
// [Namespace.RoomSize].
func (v *Server) RoomSize(ctx context.Context, room string) (int, error) {
	return v.main.RoomSize(ctx, room)
}

// Rooms returns the rooms of the default namespace and their sizes; see [Namespace.Rooms].
func (v *Server) Rooms(ctx context.Context) (map[string]int, error) { return v.main.Rooms(ctx) }

// ServerSideEmit sends an event to the other servers; see [Namespace.ServerSideEmit].
func (v *Server) ServerSideEmit(event string, args ...any) error {
	return v.main.ServerSideEmit(event, args...)
}

// ServerSideEmitWithAck asks the other servers; see [Namespace.ServerSideEmitWithAck].
func (v *Server) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]ServerSideAnswer, error) {
	return v.main.ServerSideEmitWithAck(ctx, event, args...)
}
