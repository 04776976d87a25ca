package socketio

import (
	"bytes"
	"context"
	"fmt"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// pendingAck is an event that waits for its acknowledgement.
type pendingAck struct {
	answer chan answer // capacity 1; whoever takes the entry out of the table sends
}

type answer struct {
	args Args
	err  error
}

// EmitWithAck sends an event to this client and waits for its acknowledgement,
// whose arguments it returns. It ends early with [ErrDisconnected] when the socket
// goes, and with ctx's error when ctx is done; a context without deadline waits as
// long as the client lives. It must not be called from an [Inline] handler. Node:
// socket.timeout(ms).emitWithAck.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	e, err := s.outgoingEvent(event, args)
	if err != nil {
		return Args{}, err
	}
	defer e.free()
	id := s.nsp.ackIDs.Add(1) - 1
	p, err := s.await(id)
	if err != nil {
		return Args{}, err
	}
	s.send(&e, id, true, Flags{})
	select {
	case a := <-p.answer:
		return a.args, a.err
	case <-ctx.Done():
		return s.giveUp(ctx, event, id, p)
	}
}

// await enters an acknowledgement to come.
func (s *Socket) await(id uint64) (*pendingAck, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.sendable(); err != nil {
		return nil, err
	}
	r := s.need()
	if len(r.acks) >= s.nsp.server.options.MaxPendingAcks {
		return nil, ErrTooManyAcks
	}
	if r.acks == nil {
		r.acks = make(map[uint64]*pendingAck)
	}
	p := &pendingAck{make(chan answer, 1)}
	r.acks[id] = p
	return p, nil
}

// giveUp ends a wait whose context is done. What came at the same moment counts,
// so that a context of the socket itself yields ErrDisconnected.
func (s *Socket) giveUp(ctx context.Context, event string, id uint64, p *pendingAck) (Args, error) {
	if s.untrack(id) == nil {
		a := <-p.answer // it was taken out, and is answered
		return a.args, a.err
	}
	return Args{}, fmt.Errorf("socketio: acknowledgement of %q: %w", event, context.Cause(ctx))
}

// untrack takes a pending acknowledgement out of the table; nil if it is not there.
func (s *Socket) untrack(id uint64) *pendingAck {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare == nil {
		return nil
	}
	p := s.rare.acks[id]
	if delete(s.rare.acks, id); len(s.rare.acks) == 0 {
		s.rare.acks = nil
	}
	return p
}

// acknowledged is an ACK packet of the client. One that nobody waits for, or that
// comes twice, is ignored, as in Node. Loop-only.
func (s *Socket) acknowledged(p *parser.Packet, attachments [][]byte) error {
	s.mu.Lock()
	state := s.state
	s.mu.Unlock()
	if state != connected {
		return late(state)
	}
	pending := s.untrack(p.ID)
	if pending == nil {
		return nil
	}
	list := parser.NewArgs(p.Data)
	pending.answer <- answer{args: newArgs(bytes.Clone(list.Rest()), attachments, s.nsp.server.options.JSON)}
	return nil
}

// late judges a packet for a socket that is not connected: a client that was
// disconnected by the server cannot know it yet, any other should know better.
func late(st state) error {
	if st == kicked {
		return nil
	}
	return ErrNotJoined
}

// reply acknowledges an event of the client with a handler's value.
func (s *Socket) reply(id uint64, value any) error {
	e, err := s.nsp.encodeReply(value)
	if err != nil {
		return err
	}
	defer e.free()
	f := e.frame(parser.Ack, s.nsp.name, id, true)
	s.client.session.Send(f)
	f.Release()
	return nil
}
