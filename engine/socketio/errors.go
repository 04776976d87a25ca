package socketio

import (
	"errors"
	"fmt"
	"strconv"
)

// What the verbs of sockets, namespaces and servers return.
var (
	// ErrDisconnected: the socket is gone. It is also what a pending
	// acknowledgement ends with when its socket goes.
	ErrDisconnected = errors.New("socketio: socket disconnected")
	// ErrNotConnected: the socket is still in the middlewares of its namespace and
	// cannot be sent anything yet.
	ErrNotConnected = errors.New("socketio: socket not connected yet")
	// ErrServerClosed: Shutdown was called.
	ErrServerClosed = errors.New("socketio: server closed")
	// ErrTooManyAcks: Options.MaxPendingAcks events of the socket, or
	// Options.MaxBroadcastAcks broadcasts of the server, wait for acknowledgements already.
	ErrTooManyAcks = errors.New("socketio: too many pending acknowledgements")
	// ErrAnswersTooLarge is the result of a socket whose acknowledgement of a broadcast
	// came while Options.MaxAnswerBytes of others' waited to be looked at.
	ErrAnswersTooLarge = errors.New("socketio: acknowledgements of a broadcast too large together")
	// ErrTooManyRooms: Options.MaxRooms would be exceeded.
	ErrTooManyRooms = errors.New("socketio: too many rooms")
	// ErrOtherNamespace: a socket was to join the history of a namespace that it is not in.
	ErrOtherNamespace = errors.New("socketio: socket of another namespace")
	// ErrHandshakeReleased: what the client said when it connected has been let go;
	// see [Socket.Handshake]. DecodeAuth returns it. It is also the violation of a
	// client that joins a namespace where somebody may ask for the Handshake.
	ErrHandshakeReleased = errors.New("socketio: handshake released")
	// ErrOffset: an adapter has given an event an offset that is none.
	ErrOffset = errors.New("socketio: offset malformed")
	// ErrRoomName: the name of a room is longer than MaxRoomName bytes.
	ErrRoomName = errors.New("socketio: room name too long")
)

// What a client can do wrong, beside the errors of package parser: each closes
// its whole connection with ReasonForcedClose, as in Node.
var (
	// ErrNotJoined: a packet for a namespace that the client has not joined.
	ErrNotJoined = errors.New("socketio: packet for a namespace that is not joined")
	// ErrJoinedTwice: CONNECT for a namespace that the client has joined, or is joining.
	ErrJoinedTwice = errors.New("socketio: namespace joined twice")
	// ErrTooManyNamespaces: more than Options.MaxNamespaces at once, those counted
	// that the client has left but whose handlers still have work of it.
	ErrTooManyNamespaces = errors.New("socketio: too many namespaces")
	// ErrUnexpectedPacket: a CONNECT_ERROR, which only servers send.
	ErrUnexpectedPacket = errors.New("socketio: packet type not for clients to send")
	// ErrMailboxFull: the client sends faster than its handlers work off, by more
	// than Options.MaxMailbox or MaxMailboxBytes.
	ErrMailboxFull = errors.New("socketio: mailbox full")
)

// ReservedEventError is returned for an event whose name belongs to the protocol:
// connect, connect_error, disconnect, disconnecting, newListener, removeListener.
type ReservedEventError struct{ Event string }

// Error has Node's words.
func (e *ReservedEventError) Error() string {
	return "socketio: " + strconv.Quote(e.Event) + " is a reserved event name"
}

// ConnectError refuses a client with a message and, where Data is not nil, data
// of any shape: what a middleware returns, and what the client's connect_error
// listener gets. Any other error of a middleware is sent as its text alone.
type ConnectError struct {
	Message string
	Data    any
}

// Error returns the message.
func (e *ConnectError) Error() string { return e.Message }

// EventError is what Options.OnError is given for the error of an event's handler.
type EventError struct {
	Event string
	Err   error
}

// Error names the event.
func (e *EventError) Error() string {
	return fmt.Sprintf("socketio: handler of %q: %v", e.Event, e.Err)
}

// Unwrap returns the handler's error.
func (e *EventError) Unwrap() error { return e.Err }

// PanicError is what Options.OnError is given for the panic of a handler. The
// panic costs the socket, which is disconnected, and nothing else.
type PanicError struct {
	Value any    // what recover returned
	Stack []byte // of the goroutine that panicked
}

// Error returns the value; Stack is not in it.
func (e *PanicError) Error() string { return fmt.Sprintf("socketio: panic in a handler: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
