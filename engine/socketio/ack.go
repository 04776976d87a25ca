package socketio

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/fanfare-go/fanfare/engine"
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
// goes, and with ctx's error when ctx is done. Where ctx has no deadline,
// Options.AckTimeout is one: a handler that waits has a worker's place, and Node,
// which waits for ever, has no places to run out of. A deadline that has passed is
// context.DeadlineExceeded to errors.Is, in Node's words. EmitWithAck must not be
// called from an [Inline] handler. Node: socket.timeout(ms).emitWithAck.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	e, err := s.outgoingEvent(event, args)
	if err != nil {
		return Args{}, err
	}
	id := s.nsp.ackIDs.Add(1) - 1
	f, err := e.frame(parser.Event, s.nsp, id, true)
	e.free() // the wait may be long
	if err != nil {
		return Args{}, err
	}
	asked := time.Now()
	p, err := s.ask(id, f)
	f.Release()
	if err != nil {
		return Args{}, err
	}
	var expired <-chan time.Time
	if d := s.nsp.server.options.AckTimeout; d > 0 && !hasDeadline(ctx) {
		t := time.NewTimer(d)
		defer t.Stop()
		expired = t.C
	}
	select {
	case a := <-p.answer:
		if a.err == nil {
			s.nsp.answered(asked)
		}
		return a.args, a.err
	case <-ctx.Done():
		return s.giveUp(event, id, p, context.Cause(ctx))
	case <-expired:
		return s.giveUp(event, id, p, context.DeadlineExceeded)
	}
}

func hasDeadline(ctx context.Context) bool {
	_, ok := ctx.Deadline()
	return ok
}

// timedOut is context.DeadlineExceeded in the words of Node's timeout(ms).
type timedOut struct{}

func (timedOut) Error() string        { return "operation has timed out" }
func (timedOut) Timeout() bool        { return true }
func (timedOut) Is(target error) bool { return target == context.DeadlineExceeded }

// ask sends an event after entering its acknowledgement to come.
func (s *Socket) ask(id uint64, f *engine.Frame) (*pendingAck, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.sendable(); err != nil {
		return nil, err
	}
	r := s.need()
	if len(r.acks) >= s.nsp.server.options.MaxPendingAcks {
		s.nsp.server.stats.exceeded(limitPendingAcks)
		return nil, ErrTooManyAcks
	}
	if r.acks == nil {
		r.acks = make(map[uint64]*pendingAck)
	}
	p := &pendingAck{make(chan answer, 1)}
	r.acks[id] = p
	s.client.session.Send(f)
	return p, nil
}

// giveUp ends a wait, for a reason. What came at the same moment counts, so that a
// context of the socket itself yields ErrDisconnected.
func (s *Socket) giveUp(event string, id uint64, p *pendingAck, reason error) (Args, error) {
	if s.untrack(id) == nil {
		a := <-p.answer // it was taken out, and is answered
		return a.args, a.err
	}
	if reason == context.DeadlineExceeded {
		reason = timedOut{}
	}
	return Args{}, fmt.Errorf("socketio: acknowledgement of %q: %w", event, reason)
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
	pending, survey := s.untrack(p.ID), (*survey)(nil)
	if pending == nil {
		if survey = s.nsp.surveys.find(p.ID); survey == nil {
			return nil
		}
	}
	list := parser.NewArgs(p.Data)
	args := newArgs(bytes.Clone(list.Rest()), attachments, s.nsp.server.options.JSON)
	if pending == nil {
		survey.answer(s, args, nil)
		return nil
	}
	pending.answer <- answer{args: args}
	return nil
}

// reply acknowledges an event of the client with a handler's value. Once the
// socket is gone nobody waits for it: the client has given its callbacks up, and
// its next socket on the connection counts from 0 again.
func (s *Socket) reply(id uint64, value any) error {
	e, err := s.nsp.encodeReply(value)
	if err != nil {
		return err
	}
	f, err := e.frame(parser.Ack, s.nsp, id, true)
	e.free()
	if err != nil {
		return err
	}
	_ = s.deliver(f)
	f.Release()
	return nil
}
