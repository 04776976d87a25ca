package socketio

import (
	"fmt"
	"slices"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/valyala/bytebufferpool"
)

// encoded is one packet's payload, encoded once for everybody: the raw JSON array
// of the event's name and arguments, or of a reply, and its attachments.
type encoded struct {
	array       *bytebufferpool.ByteBuffer
	attachments [][]byte
}

func (e *encoded) free() { bytebufferpool.Put(e.array) }

// encodeEvent encodes an event's name and arguments.
func (n *Namespace) encodeEvent(event string, args []any) (encoded, error) {
	const small = 64 // bytes of arguments that are written without growing
	buf := bytebufferpool.Get()
	buf.B = slices.Grow(buf.B[:0], len(event)+small)
	buf.B = parser.AppendString(append(buf.B, '['), event)
	e, err := n.encodeArgs(buf, args)
	if err != nil {
		return e, fmt.Errorf("socketio: emit %q: %w", event, err)
	}
	return e, nil
}

// encodeReply encodes the arguments of an acknowledgement.
func (n *Namespace) encodeReply(value any) (encoded, error) {
	buf := bytebufferpool.Get()
	buf.B = append(buf.B[:0], '[')
	e, err := n.encodeArgs(buf, []any{value})
	if err != nil {
		return e, err
	}
	if b := e.array.B; b[1] == ',' { // no name stands before the first value
		e.array.B = append(b[:1], b[2:]...)
	}
	return e, nil
}

// encodeArgs completes the array in buf, which it owns.
func (n *Namespace) encodeArgs(buf *bytebufferpool.ByteBuffer, args []any) (encoded, error) {
	out, attachments, err := appendArgs(buf.B, n.server.options.JSON, args)
	if err == nil && len(attachments) > n.server.options.MaxAttachments {
		err = ErrTooManyAttachments
	}
	if err != nil {
		bytebufferpool.Put(buf)
		return encoded{}, err
	}
	buf.B = append(out, ']')
	return encoded{buf, attachments}, nil
}

// frame builds the packet. t is Event or Ack; attachments make it the binary kind. It
// fails where Options.Parser does.
func (e *encoded) frame(t parser.Type, n *Namespace, id uint64, hasID bool) (*engine.Frame, error) {
	return n.newFrame(t, id, hasID, e.array.B, e.attachments)
}

func (n *Namespace) newFrame(t parser.Type, id uint64, hasID bool, array []byte, attachments [][]byte) (*engine.Frame, error) {
	if n.server.options.Parser != nil {
		return n.parsedFrame(t, id, hasID, array, attachments)
	}
	const head = 32 // type, attachment count and id at their longest
	size := head + len(n.name) + len(array)
	for _, a := range attachments {
		size += head + len(a)
	}
	f := engine.NewFrame(size)
	if t == parser.Ack {
		f.SetKept()
		f.End(parser.AppendAck(f.Begin(), n.name, id, len(attachments), array))
	} else {
		f.End(parser.AppendEvent(f.Begin(), n.name, id, hasID, len(attachments), array))
	}
	for _, a := range attachments {
		f.AppendBinary(a)
	}
	return f, nil
}
