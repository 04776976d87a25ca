package emitter

import (
	"context"
	"slices"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Operator selects sockets of one namespace, on all servers, and sends to them. It is an
// immutable value: each method returns a new one, and all are safe to keep, to share and
// to use concurrently. Without rooms it means everyone. Node: BroadcastOperator.
type Operator struct{ operator }

// operator has the methods of Emitter and Operator.
type operator struct {
	*sender
	nsp           string
	rooms, except []string
	flags         cluster.Opts
}

// To selects the sockets in any of these rooms, too. A socket's id is a room. Node: to.
func (o operator) To(rooms ...string) Operator {
	o.rooms = union(o.rooms, rooms)
	return Operator{o}
}

// In is To. Node: in.
func (o operator) In(rooms ...string) Operator { return o.To(rooms...) }

// Except leaves out the sockets in any of these rooms. Node: except.
func (o operator) Except(rooms ...string) Operator {
	o.except = union(o.except, rooms)
	return Operator{o}
}

// union returns a new list, with each room once.
func union(rooms, more []string) []string {
	all := slices.Clone(rooms)
	for _, r := range more {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// Volatile has clients lose the event that cannot take it at once. Node: volatile.
func (o operator) Volatile() Operator {
	o.flags.Flags.Volatile = true
	return Operator{o}
}

// Compress says whether the event may be compressed; so it is by default. Node: compress.
func (o operator) Compress(on bool) Operator {
	o.flags.Flags.NoCompress = !on
	return Operator{o}
}

// array is what servers call the data of an event.
func array(event string, args []any) (text []byte, attachments [][]byte, err error) {
	values, err := socketio.EncodeArgs(args...)
	if err != nil {
		return nil, nil, err
	}
	text = parser.AppendString([]byte{'['}, event)
	if list := values.String(); len(list) > len("[]") {
		text = append(append(text, ','), list[1:len(list)-1]...)
	}
	return append(text, ']'), values.Attachments(), nil
}

// Emit sends an event to the sockets selected. Arguments are those of socketio's Emit.
// Node: emit.
func (o operator) Emit(ctx context.Context, event string, args ...any) error {
	if parser.ReservedName([]byte(event)) {
		return &socketio.ReservedEventError{Event: event}
	}
	text, attachments, err := array(event, args)
	if err != nil {
		return err
	}
	if o.options.Streams {
		return o.addEvent(ctx, text, attachments)
	}
	return o.publishEvent(ctx, text, attachments)
}

// SocketsJoin has the sockets selected join rooms. Node: socketsJoin.
func (o operator) SocketsJoin(ctx context.Context, rooms ...string) error {
	return o.request(ctx, join, cluster.AppendStrings([]byte(`,"rooms":`), rooms))
}

// SocketsLeave has the sockets selected leave rooms. Node: socketsLeave.
func (o operator) SocketsLeave(ctx context.Context, rooms ...string) error {
	return o.request(ctx, leave, cluster.AppendStrings([]byte(`,"rooms":`), rooms))
}

// DisconnectSockets disconnects the sockets selected, and closes their connections if
// hangUp is true. Node: disconnectSockets.
func (o operator) DisconnectSockets(ctx context.Context, hangUp bool) error {
	if hangUp {
		return o.request(ctx, disconnect, []byte(`,"close":true`))
	}
	return o.request(ctx, disconnect, []byte(`,"close":false`))
}

// ServerSideEmit sends an event to the servers, whatever is selected. Bytes in it arrive
// at servers of Mode Classic as what Node's JSON makes of a Buffer. Node: serverSideEmit.
func (o operator) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	text, attachments, err := array(event, args)
	if err != nil {
		return err
	}
	if o.options.Streams {
		return o.addServerSide(ctx, text, attachments)
	}
	return o.publishServerSide(ctx, text, attachments)
}
