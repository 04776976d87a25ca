package socketio

import (
	"context"
	"fmt"

	"github.com/fanfare-go/fanfare/engine"
)

// Queue is what waits for one client at a moment: what it was sent, in all of its
// namespaces, and its connection has not taken.
type Queue = engine.Queue

// Writable reports whether the client keeps up: nothing waits for it because its
// connection does not take it or, over polling, because it does not poll. It is what
// volatile events go by. Safe for concurrent use; it never blocks. Node:
// socket.conn.transport.writable.
func (s *Socket) Writable() bool { return s.client.session.Writable() }

// Queue returns what waits for the client once what its caller has emitted up to now is
// handed out. The error is ctx's, or [ErrDisconnected]. It waits for the event loop,
// which alone knows, so it is not for [Inline] handlers.
func (s *Socket) Queue(ctx context.Context) (Queue, error) {
	answer := make(chan Queue, 1)
	s.client.session.Queue(func(q Queue) { answer <- q })
	select {
	case q := <-answer:
		if !s.Connected() {
			return Queue{}, ErrDisconnected
		}
		return q, nil
	case <-ctx.Done():
		return Queue{}, fmt.Errorf("socketio: queue: %w", context.Cause(ctx))
	case <-s.Context().Done():
		return Queue{}, ErrDisconnected
	}
}

// Drained returns nil when what the client was sent up to now, and what others sent it
// meanwhile, is taken by its connection: whoever sends a lot to one client waits for it
// in between, and the client sets the pace. That its kernel has taken it does not mean
// that the client has seen it; see EmitWithAck. The error is ctx's, or
// [ErrDisconnected]. Not for [Inline] handlers: it waits. Node: the engine's "drain".
func (s *Socket) Drained(ctx context.Context) error {
	done := make(chan struct{})
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	s.client.session.Drained(watch, func() { close(done) })
	select {
	case <-done:
		if !s.Connected() {
			return ErrDisconnected
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("socketio: drain: %w", context.Cause(ctx))
	case <-s.Context().Done():
		return ErrDisconnected
	}
}
