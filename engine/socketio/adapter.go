package socketio

import (
	"context"
	"time"
)

// Adapter carries rooms and broadcasts of one namespace. The default,
// [MemoryAdapter], knows the sockets of this server; one for a broker embeds it,
// lets it deliver here, and tells other servers:
//
//	func (a *brokerAdapter) Broadcast(p *socketio.Broadcast) error {
//		err := a.MemoryAdapter.Broadcast(p) // local delivery never waits
//		if !p.Flags.Local {
//			a.publish(p)
//		}
//		return err
//	}
//
// Implementations are safe for concurrent use, and none of their methods but Close
// and those that take a context blocks. The three about rooms are called with the
// socket's lock held: they may ask the socket for nothing but its ID. Slices of rooms
// are valid until the call returns; those of a Selection or Broadcast never change.
//
// What another server asks for, an adapter has its MemoryAdapter do: that knows the
// sockets of this server only, whatever Selection.Local or Flags.Local say. Node:
// Adapter.
type Adapter interface {
	// Join is told the rooms that a connected socket has joined anew, or one that a
	// SessionAdapter has restored and that will be connected.
	Join(s *Socket, rooms []string)
	// Leave is told the rooms that a connected socket has left.
	Leave(s *Socket, rooms []string)
	// LeaveAll is told the rooms of a socket that disconnects. closed says that its
	// connection has ended, and its local memberships with it. A socket that may return
	// (Options.ConnectionStateRecovery) keeps its rooms: what is for them is kept for it.
	// LeaveAll is told when it is not waited for any more; where it returns, as another
	// Socket with the same ID, Join is told what is new only.
	LeaveAll(s *Socket, rooms []string, closed bool)
	// Broadcast delivers p. Its slices are valid until the call returns, but for
	// Rooms and Except, which never change.
	Broadcast(p *Broadcast) error
	// BroadcastWithAck delivers p, asks everybody who gets it for an acknowledgement,
	// and tells sink what comes. stop is called once, when nobody waits any more: it
	// reports those who have not answered to sink, with reason as their error, before
	// it returns, and sink is not called afterwards. p.Timeout is when that will be at
	// the latest, for the other servers to know. Node: broadcastWithAck.
	BroadcastWithAck(p *Broadcast, sink AckSink) (stop func(reason error), err error)
	// FetchSockets returns the sockets selected. Where some server does not answer
	// until ctx is done it returns those it knows of, and an error. Node: fetchSockets.
	FetchSockets(ctx context.Context, sel *Selection) ([]*RemoteSocket, error)
	// CountSockets returns how many sockets are selected; otherwise as FetchSockets.
	CountSockets(ctx context.Context, sel *Selection) (int, error)
	// RoomSizes returns the rooms and how many sockets are in each, without the rooms
	// that sockets' ids are; otherwise as FetchSockets. local is for this server's.
	RoomSizes(ctx context.Context, local bool) (map[string]int, error)
	// AddSockets puts the selected sockets into rooms. Node: addSockets.
	AddSockets(sel *Selection, rooms []string) error
	// DelSockets takes the selected sockets out of rooms. Node: delSockets.
	DelSockets(sel *Selection, rooms []string) error
	// DisconnectSockets disconnects the selected sockets, and closes their connections
	// if hangUp is true. Node: disconnectSockets.
	DisconnectSockets(sel *Selection, hangUp bool) error
	// ServerSideEmit sends e to the other servers. Node: serverSideEmit.
	ServerSideEmit(e *ServerSideEvent) error
	// ServerSideEmitWithAck sends e to the other servers and returns their answers:
	// those there are, and an error, where some server does not answer until ctx is done.
	ServerSideEmitWithAck(ctx context.Context, e *ServerSideEvent) ([]ServerSideAnswer, error)
	// ServerCount returns how many servers there are, this one included. Node: serverCount.
	ServerCount(ctx context.Context) (int, error)
	// Close is called once, by Server.Shutdown: also on a server that never listened,
	// and where handlers that were cut off may still call the others.
	Close() error
}

// IDAdapter is an Adapter that is told of the rooms that sockets' own ids are, too, such
// as one that subscribes to each room. Its methods are called with the socket's lock held.
type IDAdapter interface {
	Adapter
	// EnterID is told of a socket that is connected. One that was recovered may have
	// been told of before.
	EnterID(id string)
	// LeaveID is told of one that has disconnected and is not waited for. It may be told
	// more than once.
	LeaveID(id string)
}

// Broadcast is one event on its way to many, encoded.
type Broadcast struct {
	// Array is the raw JSON array of the event's name and arguments, with a
	// placeholder for each of the Attachments.
	Array       []byte
	Attachments [][]byte
	// Rooms selects the sockets in any of them, and everyone if it is empty. A
	// socket's id is a room of its own.
	Rooms []string
	// Except leaves out the sockets in any of these rooms.
	Except []string
	Flags  Flags
	// Timeout is how long acknowledgements are waited for; 0 for ever, or where none are.
	Timeout time.Duration
}

// Selection says which sockets of a namespace are meant, as in Broadcast.
type Selection struct {
	Rooms  []string
	Except []string
	Local  bool // of this server only
}

// AckSink takes what comes of one broadcast with acknowledgements. Its methods never
// block, are safe for concurrent use, and may be called with the locks of sockets
// held: they must not ask a socket for anything.
type AckSink interface {
	// Answer is the one result of one socket. It may come before Settled.
	Answer(a AckAnswer)
	// Settled says how many sockets were sent the event, on all servers together: so
	// many results there will be. It is called once, unless stop comes first.
	Settled(sockets int)
}

// AckAnswer is what one socket made of a broadcast with acknowledgements.
type AckAnswer struct {
	SocketID string // empty where another server does not say
	Args     Args   // the caller's to keep; see ParseArgs for those that come from elsewhere
	Err      error  // why there is no answer: ErrDisconnected, or the reason of the stop
}

// ServerSideEvent is an event from one server to the others.
type ServerSideEvent struct {
	// Array is the raw JSON array of the event's name and arguments, with a
	// placeholder for each of the Attachments. Valid until the call returns.
	Array       []byte
	Attachments [][]byte
}

// ServerSideAnswer is another server's acknowledgement of a ServerSideEvent.
type ServerSideAnswer struct {
	Server string // its name, where the adapter knows it
	Args   Args
}
