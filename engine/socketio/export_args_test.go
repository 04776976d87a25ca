package socketio

import "context"

// What the tests of the arguments need from inside.
var (
	AppendArgs = appendArgs
	ArgsOf     = newArgs
)

// DecoderOf is what a handler for T decodes with.
func DecoderOf[T any]() func(Args) (T, error) { return decoderOf[T]() }

// StandardCodec is the default codec.
func StandardCodec() Codec { return standardCodec{} }

// Desk is a Registrar that keeps the handlers for the test to run.
type Desk struct{ handlers map[string]*handler }

func (d *Desk) register(event string, h *handler) (remove func()) {
	if d.handlers == nil {
		d.handlers = map[string]*handler{}
	}
	d.handlers[event] = h
	return func() { delete(d.handlers, event) }
}

// Run runs the handler of an event.
func (d *Desk) Run(event string, a Args) (reply any, err error) {
	return d.handlers[event].run(context.Background(), nil, a)
}

// Has reports whether an event has a handler.
func (d *Desk) Has(event string) bool { return d.handlers[event] != nil }

// Flags returns how the handler of an event wants to be treated.
func (d *Desk) Flags(event string) (ack, once, inline bool) {
	h := d.handlers[event]
	return h.ack, h.once, h.inline
}

// TokenLike returns text with the look of a token, drawn as tokens are but for no packet.
func TokenLike() string {
	t := newTokens()
	return string(t.text(0))
}
