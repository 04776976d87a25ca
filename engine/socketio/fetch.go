package socketio

import (
	"context"
	"encoding/json"
	"slices"
)

// RemoteSocket is a socket found by FetchSockets: of this server or, with an adapter,
// of another. What is read from one of another server was so when it was fetched; what
// it is told goes there. Safe for concurrent use. Node: RemoteSocket.
type RemoteSocket struct {
	nsp   *Namespace
	local *Socket     // nil for one of another server
	state SocketState // of one of another server
}

// SocketState is what a RemoteSocket of another server carries, for adapters to send, and
// Socket.State returns.
type SocketState struct {
	ID        string
	Handshake *Handshake
	Rooms     []string                   // its own id included
	Data      map[string]json.RawMessage // of keys with names; see NewSharedKey
}

// NewRemoteSocket is for adapters: a socket of another server, in the namespace n.
func NewRemoteSocket(n *Namespace, state SocketState) *RemoteSocket {
	if state.Handshake == nil {
		state.Handshake = new(Handshake)
	}
	return &RemoteSocket{nsp: n, state: state}
}

// ID returns the socket's id.
func (r *RemoteSocket) ID() string {
	if r.local != nil {
		return r.local.ID()
	}
	return r.state.ID
}

// Local returns the socket itself if it is one of this server.
func (r *RemoteSocket) Local() (s *Socket, ok bool) { return r.local, r.local != nil }

// Handshake returns what the client said when it connected. It may be empty; see
// [Socket.Handshake].
func (r *RemoteSocket) Handshake() *Handshake {
	if r.local != nil {
		return r.local.peekHandshake()
	}
	return r.state.Handshake
}

// Rooms returns the rooms the socket is in, its own id included.
func (r *RemoteSocket) Rooms() []string {
	if r.local != nil {
		return r.local.Rooms()
	}
	return slices.Clone(r.state.Rooms)
}

// State returns what another server is to know of the socket.
func (r *RemoteSocket) State() SocketState {
	if r.local == nil {
		return r.state
	}
	return r.local.State()
}

// State returns what can be told of the socket elsewhere: its values are those of shared
// keys ([NewSharedKey]), its Handshake may be empty. Nothing of it is kept, unlike with
// Handshake.
func (s *Socket) State() SocketState {
	h := *s.peekHandshake()
	h.values = nil // which are of this server
	return SocketState{ID: s.ID(), Handshake: &h, Rooms: s.Rooms(), Data: s.shared()}
}

// Emit sends an event to the socket's client. Of a socket of another server it is not
// known whether it is there still.
func (r *RemoteSocket) Emit(event string, args ...any) error {
	if r.local != nil {
		return r.local.Emit(event, args...)
	}
	return r.operator().Emit(event, args...)
}

// EmitWithAck sends an event to the socket's client and waits for its acknowledgement,
// as [Socket.EmitWithAck] does.
func (r *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	if r.local != nil {
		return r.local.EmitWithAck(ctx, event, args...)
	}
	for a, err := range r.operator().AskAll(ctx, event, args...) {
		if err != nil || a.SocketID == r.state.ID || a.SocketID == "" {
			return a.Value, err
		}
	}
	return Args{}, ErrDisconnected
}

// Join puts the socket into rooms; see [Socket.Join] and [BroadcastOperator.SocketsJoin].
func (r *RemoteSocket) Join(rooms ...string) error {
	if r.local != nil {
		return r.local.Join(rooms...)
	}
	return r.operator().SocketsJoin(rooms...)
}

// Leave takes the socket out of rooms.
func (r *RemoteSocket) Leave(rooms ...string) error {
	if r.local != nil {
		r.local.Leave(rooms...)
		return nil
	}
	return r.operator().SocketsLeave(rooms...)
}

// Disconnect is [Socket.Disconnect].
func (r *RemoteSocket) Disconnect(hangUp bool) error {
	if r.local != nil {
		r.local.Disconnect(hangUp)
		return nil
	}
	return r.operator().DisconnectSockets(hangUp)
}

func (r *RemoteSocket) operator() BroadcastOperator { return r.nsp.To(r.state.ID) }

var _ Emitter = (*RemoteSocket)(nil)

// FetchSockets returns the selected sockets, as they are after what the caller joined
// and left before. With an error it returns those that were found: some event loop or
// server has not answered until ctx was done, or within Options.RequestTimeout where
// it has no deadline. It waits, so it is not for [Inline] handlers. Whoever only wants
// to know how many: see Count. Node: fetchSockets.
func (b BroadcastOperator) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	ctx, cancel := b.nsp.server.request(ctx)
	defer cancel()
	return b.nsp.adapter.FetchSockets(ctx, b.selection())
}

// FetchSockets returns every socket of the namespace; see [BroadcastOperator.FetchSockets].
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return n.all().FetchSockets(ctx)
}

// FetchSockets implements Adapter.
func (a *MemoryAdapter) FetchSockets(ctx context.Context, sel *Selection) ([]*RemoteSocket, error) {
	sockets, err := a.collect(ctx, sel)
	list := make([]*RemoteSocket, len(sockets))
	for i, s := range sockets {
		list[i] = &RemoteSocket{nsp: a.nsp, local: s}
	}
	return list, err
}

// peekHandshake is Handshake for those who do not want it to be kept from then on.
func (s *Socket) peekHandshake() *Handshake {
	s.mu.Lock()
	var auth Raw
	if s.rare != nil {
		if s.rare.handshake != nil {
			defer s.mu.Unlock()
			return s.rare.handshake
		}
		if s.rare.auth != "" {
			auth = Raw(s.rare.auth)
		}
	}
	s.mu.Unlock()
	h := s.client.handshake()
	h.Auth = auth
	return h
}
