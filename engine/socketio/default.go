package socketio

import "context"

// This file is what a Server does for its default namespace, "/": each method is
// the one of the same name of Namespace.

func (v *Server) register(event string, h *handler) (remove func()) {
	return v.main.register(event, h)
}

// Use adds a middleware to the default namespace; see [Namespace.Use].
func (v *Server) Use(fn Middleware) { v.main.Use(fn) }

// OnConnect registers fn for every socket of the default namespace that connects;
// see [Namespace.OnConnect]. Node: io.on("connection").
func (v *Server) OnConnect(fn func(ctx context.Context, s *Socket) error) { v.main.OnConnect(fn) }

// OnDisconnecting registers fn for the end of every socket of the default
// namespace; see [Namespace.OnDisconnecting].
func (v *Server) OnDisconnecting(fn func(ctx context.Context, s *Socket, r Reason)) {
	v.main.OnDisconnecting(fn)
}

// OnDisconnect registers fn for the end of every socket of the default namespace;
// see [Namespace.OnDisconnect].
func (v *Server) OnDisconnect(fn func(ctx context.Context, s *Socket, r Reason)) {
	v.main.OnDisconnect(fn)
}

// OnAny registers fn for every event of the default namespace; see [Namespace.OnAny].
func (v *Server) OnAny(fn AnyHandler, opts ...HandlerOption) (remove func()) {
	return v.main.OnAny(fn, opts...)
}

// PrependAny is OnAny in front of those registered before.
func (v *Server) PrependAny(fn AnyHandler, opts ...HandlerOption) (remove func()) {
	return v.main.PrependAny(fn, opts...)
}

// OnAnyOutgoing registers fn for every emit in the default namespace; see
// [Namespace.OnAnyOutgoing].
func (v *Server) OnAnyOutgoing(fn OutgoingHandler) (remove func()) {
	return v.main.OnAnyOutgoing(fn)
}

// Emit sends an event to every socket of the default namespace. Node: io.emit.
func (v *Server) Emit(event string, args ...any) error { return v.main.Emit(event, args...) }

// To selects the sockets in any of the rooms; see [Namespace.To]. Node: io.to.
func (v *Server) To(rooms ...string) BroadcastOperator { return v.main.To(rooms...) }

// In is To.
func (v *Server) In(rooms ...string) BroadcastOperator { return v.main.To(rooms...) }

// Except selects everyone but the sockets in any of the rooms. Node: io.except.
func (v *Server) Except(rooms ...string) BroadcastOperator { return v.main.Except(rooms...) }

// Local selects the sockets of this server; see [Namespace.Local]. Node: io.local.
func (v *Server) Local() BroadcastOperator { return v.main.Local() }

// Volatile selects everyone; see [Namespace.Volatile]. Node: io.volatile.
func (v *Server) Volatile() BroadcastOperator { return v.main.Volatile() }

// Compress selects everyone; see [Namespace.Compress]. Node: io.compress.
func (v *Server) Compress(on bool) BroadcastOperator { return v.main.Compress(on) }

// OnRecoveryExpired registers fn for every socket of the default namespace that will
// not be recovered; see [Namespace.OnRecoveryExpired].
func (v *Server) OnRecoveryExpired(fn func(ctx context.Context, s *Socket)) {
	v.main.OnRecoveryExpired(fn)
}

// KeepHistory has what is broadcast to a room of the default namespace kept; see
// [Namespace.KeepHistory].
func (v *Server) KeepHistory(room string, limits HistoryLimits) *History {
	return v.main.KeepHistory(room, limits)
}

// History returns what is kept of a room of the default namespace; see [Namespace.History].
func (v *Server) History(room string) *History { return v.main.History(room) }
