package socketio

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
// Implementations are safe for concurrent use, and none of their methods but
// Close blocks. The three about rooms are called with the socket's lock held: they
// may ask the socket for nothing but its ID. Slices of rooms are valid until the
// call returns.
type Adapter interface {
	// Join is told the rooms that a connected socket has joined anew.
	Join(s *Socket, rooms []string)
	// Leave is told the rooms that a connected socket has left.
	Leave(s *Socket, rooms []string)
	// LeaveAll is told the rooms of a socket that disconnects. closed says that its
	// connection has ended, and its local memberships with it.
	LeaveAll(s *Socket, rooms []string, closed bool)
	// Broadcast delivers p. Its slices are valid until the call returns, but for
	// Rooms and Except, which never change.
	Broadcast(p *Broadcast) error
	// Close is called once, by Server.Shutdown: also on a server that never listened,
	// and where handlers that were cut off may still call the others.
	Close() error
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
}
