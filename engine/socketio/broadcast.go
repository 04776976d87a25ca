package socketio

import (
	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// Flags say how an event is sent.
type Flags struct {
	Volatile   bool // drop it where it cannot be sent at once
	Local      bool // sockets of this server only, whatever the adapter
	NoCompress bool // do not compress it where the transport could
}

// mark tells the frame, before it is sent.
func (fl Flags) mark(f *engine.Frame) {
	if fl.Volatile {
		f.SetVolatile()
	}
	if fl.NoCompress {
		f.SetNoCompress()
	}
}

// BroadcastOperator selects sockets of one namespace and sends to them. It is an
// immutable value: each method returns a new one, and all are safe to keep, to
// share and to use concurrently. Without rooms it means everyone. Node:
// BroadcastOperator.
type BroadcastOperator struct {
	nsp    *Namespace
	rooms  []string
	except []string
	flags  Flags
}

// To adds the sockets in any of the rooms; a socket's id is the room of that
// socket, and of those that have joined a room of that name. Each socket receives
// once, however many of the rooms it is in. To() with no rooms adds none: where
// none are named at all, everyone is meant, as in Node.
func (b BroadcastOperator) To(rooms ...string) BroadcastOperator {
	b.rooms = concat(b.rooms, rooms)
	return b
}

// In is To.
func (b BroadcastOperator) In(rooms ...string) BroadcastOperator { return b.To(rooms...) }

// Except leaves out the sockets in any of the rooms.
func (b BroadcastOperator) Except(rooms ...string) BroadcastOperator {
	b.except = concat(b.except, rooms)
	return b
}

// Local keeps the event on this server where an adapter connects several.
func (b BroadcastOperator) Local() BroadcastOperator {
	b.flags.Local = true
	return b
}

// Volatile drops the event for sockets that cannot be sent to at once.
func (b BroadcastOperator) Volatile() BroadcastOperator {
	b.flags.Volatile = true
	return b
}

// Compress says whether the event is compressed where a transport can. Default true.
func (b BroadcastOperator) Compress(on bool) BroadcastOperator {
	b.flags.NoCompress = !on
	return b
}

// Emit sends the event to the selected sockets. That nobody is selected is no error.
func (b BroadcastOperator) Emit(event string, args ...any) error {
	e, err := b.outgoing(event, args)
	if err != nil {
		return err
	}
	defer e.free()
	return b.nsp.adapter.Broadcast(&Broadcast{
		Array: e.array.B, Attachments: e.attachments,
		Rooms: b.rooms, Except: b.except, Flags: b.flags,
	})
}

// outgoing encodes an event for the selected sockets after showing it to those who
// listen. The caller frees it.
func (b BroadcastOperator) outgoing(event string, args []any) (encoded, error) {
	n := b.nsp
	if n.server.closed.Load() {
		return encoded{}, ErrServerClosed
	}
	if parser.ReservedName([]byte(event)) {
		return encoded{}, &ReservedEventError{event}
	}
	n.tell(Outgoing{Event: event, Args: args, Rooms: b.rooms, Except: b.except})
	return n.encodeEvent(event, args)
}

// concat returns a and b in a slice of its own, so that operators share nothing
// that could be written to.
func concat(a, b []string) []string {
	return append(append(make([]string, 0, len(a)+len(b)), a...), b...)
}

// everyoneBut selects all sockets of the namespace but this one.
func (s *Socket) everyoneBut() BroadcastOperator {
	return BroadcastOperator{nsp: s.nsp, except: []string{s.ID()}}
}

// Broadcast selects everyone in the namespace but this socket. Node: socket.broadcast.
func (s *Socket) Broadcast() BroadcastOperator { return s.everyoneBut() }

// To selects the sockets in any of the rooms, without this one. Node: socket.to.
func (s *Socket) To(rooms ...string) BroadcastOperator { return s.everyoneBut().To(rooms...) }

// In is To.
func (s *Socket) In(rooms ...string) BroadcastOperator { return s.everyoneBut().To(rooms...) }

// Except selects everyone but this socket and those in any of the rooms. Node: socket.except.
func (s *Socket) Except(rooms ...string) BroadcastOperator { return s.everyoneBut().Except(rooms...) }

// Local selects everyone on this server but this socket. Node: socket.local.
func (s *Socket) Local() BroadcastOperator { return s.everyoneBut().Local() }
