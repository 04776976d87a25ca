package socketio

import (
	"context"
	"sync/atomic"
)

// OnCallback registers a handler that is given the client's callback, to call it when it likes: at once, later, from
// another goroutine, or never. [OnAck] is for those who know the answer when they return. An error is treated as
// OnAck's, unless the handler has replied. Otherwise like [On]. Node: socket.on("ev", (x, cb) => …).
//
// An event has one acknowledgement: where several handlers could give it, the first of OnCallback or OnAck has it, and
// for the others it is as if the client had not asked.
func OnCallback[T, R any](r Registrar, call Call[T, R], fn func(ctx context.Context, s *Socket, v T, cb Callback[R]) error, opts ...HandlerOption) (remove func()) {
	decode := decoderOf[T]()
	h := &handler{ack: true, callback: func(ctx context.Context, s *Socket, a Args, o *owedAck) error {
		v, err := decode(a)
		if err != nil {
			return &ArgError{Event: string(call), Err: err}
		}
		return fn(ctx, s, v, Callback[R]{o})
	}}
	h.apply(opts)
	return r.register(string(call), h)
}

// Callback is what a client waits to be called: the acknowledgement of one event. Its methods are safe for concurrent
// use, also after the handler has returned.
type Callback[R any] struct{ owed *owedAck }

// owedAck is an acknowledgement that nobody has sent yet.
type owedAck struct {
	socket *Socket
	id     uint64
	sent   atomic.Bool
}

// Wanted reports whether the client waits: it has asked, and not been answered.
func (c Callback[R]) Wanted() bool { return c.owed != nil && !c.owed.sent.Load() }

// Reply sends the acknowledgement, as OnAck does with a handler's result. It does nothing where the client does not
// wait, or is gone. The error is that v cannot be encoded; then the client still waits.
func (c Callback[R]) Reply(v R) error {
	if c.owed == nil {
		return nil
	}
	return c.owed.reply(v)
}

func (o *owedAck) reply(v any) error {
	if !o.sent.CompareAndSwap(false, true) {
		return nil
	}
	err := o.socket.reply(o.id, v)
	if err != nil {
		o.sent.Store(false)
	}
	return err
}

// callBack runs a handler of OnCallback.
func (s *Socket) callBack(ctx context.Context, h *handler, name []byte, c *call) {
	var owed *owedAck
	if c.hasID {
		c.hasID = false
		owed = &owedAck{socket: s, id: c.id}
	}
	err := h.callback(ctx, s, c.args, owed)
	if err == nil {
		return
	}
	value, err := s.nsp.server.ackError(err)
	if err == nil && owed != nil {
		err = owed.reply(value)
	}
	if err != nil {
		s.failed(ctx, name, err)
	}
}
