package socketio

import (
	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// Emitter sends events: *Server and *Namespace to everyone, a *Socket to its
// client, a BroadcastOperator to whom it selects. Emit never blocks; its error
// means that the event could not be encoded, that its name is reserved, that the
// socket is gone or that the server is closed.
type Emitter interface {
	Emit(event string, args ...any) error
}

var (
	_ Emitter = (*Server)(nil)
	_ Emitter = (*Namespace)(nil)
	_ Emitter = (*Socket)(nil)
	_ Emitter = BroadcastOperator{}
	_ Emitter = SocketOperator{}
)

// Emit sends an event to this client. With an [OffsetAdapter] it goes by way of the
// adapter's log, in one order with broadcasts, and a Disconnect right behind it may be
// quicker: what has to arrive before that is emitted with Volatile, or with EmitWithAck.
// Node: socket.emit.
func (s *Socket) Emit(event string, args ...any) error {
	return s.emit(event, args, Flags{})
}

// Volatile returns an emitter to this client whose events are dropped where they
// cannot be sent at once. Node: socket.volatile.
func (s *Socket) Volatile() SocketOperator { return SocketOperator{s, Flags{Volatile: true}} }

// Compress returns an emitter to this client whose events are compressed or not
// where the transport can. Node: socket.compress.
func (s *Socket) Compress(on bool) SocketOperator {
	return SocketOperator{s, Flags{NoCompress: !on}}
}

// SocketOperator emits to one socket under some flags. Immutable and safe for
// concurrent use.
type SocketOperator struct {
	socket *Socket
	flags  Flags
}

// Volatile returns o with the flag set; see [Socket.Volatile].
func (o SocketOperator) Volatile() SocketOperator {
	o.flags.Volatile = true
	return o
}

// Compress returns o with the flag set or not; see [Socket.Compress].
func (o SocketOperator) Compress(on bool) SocketOperator {
	o.flags.NoCompress = !on
	return o
}

// Emit sends an event to the socket's client.
func (o SocketOperator) Emit(event string, args ...any) error {
	return o.socket.emit(event, args, o.flags)
}

func (s *Socket) emit(event string, args []any, flags Flags) error {
	e, err := s.outgoingEvent(event, args)
	if err != nil {
		return err
	}
	if done, err := s.emitLogged(&e, flags); done {
		e.free()
		return err
	}
	f, err := e.frame(parser.Event, s.nsp, 0, false)
	e.free()
	if err != nil {
		return err
	}
	flags.mark(f)
	err = s.deliver(f)
	f.Release()
	return err
}

// outgoingEvent encodes an event for this socket after showing it to those who listen.
func (s *Socket) outgoingEvent(event string, args []any) (encoded, error) {
	s.mu.Lock()
	err := s.sendable()
	if s.mayReturn() {
		err = nil
	}
	own := s.own()
	s.mu.Unlock()
	if err != nil {
		return encoded{}, err
	}
	if parser.ReservedName([]byte(event)) {
		return encoded{}, &ReservedEventError{event}
	}
	e := Outgoing{Event: event, Args: args, Socket: s}
	if own != nil {
		for _, o := range own.outgoing {
			o.run(e)
		}
	}
	for _, o := range s.nsp.table.Load().outgoing {
		o.run(e)
	}
	return s.nsp.encodeEvent(event, args)
}

// sendable tells why nothing can be sent to the socket. Called with mu held.
func (s *Socket) sendable() error {
	switch s.state {
	case connected:
		return nil
	case connecting:
		return ErrNotConnected
	}
	return ErrDisconnected
}

// deliver queues a packet for this client. It looks at the state under the lock
// that it sends under: behind the socket's DISCONNECT the packet would be taken for
// one of the client's next socket in the namespace.
func (s *Socket) deliver(f *engine.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.sendable()
	if err == nil {
		s.client.session.Send(f)
	}
	return err
}
