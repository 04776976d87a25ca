package socketio

import (
	"context"
	"runtime/debug"
	"slices"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/valyala/bytebufferpool"
)

// receive takes an event of the client: to its inline handlers at once, to the
// mailbox otherwise, nowhere if nobody listens. Loop-only.
func (s *Socket) receive(p *parser.Packet, attachments [][]byte) error {
	name, list, err := parser.EventName(p.Data)
	if err != nil {
		return err
	}
	timed := s.nsp.server.stats.events.Add(1)%timedEvent == 1
	s.mu.Lock()
	if s.state != connected {
		defer s.mu.Unlock()
		return late(s.state)
	}
	own := s.own()
	listens, inline := wants(s.nsp.table.Load(), own, name)
	if s.box == nil && !listens { // nor can anybody who is still to be called register in time
		s.mu.Unlock()
		return nil
	}
	if s.box == nil && inline {
		s.set(onLoop)
		s.mu.Unlock()
		s.inline(name, own, &call{newArgs(list, attachments, s.nsp.server.options.JSON), p.ID, p.HasID, timed})
		return nil
	}
	return s.enqueue(p, name, list, attachments, timed)
}

// ignore is an event without payload. Loop-only.
func (s *Socket) ignore() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connected {
		return late(s.state)
	}
	return nil
}

// enqueue copies an event into the mailbox. Called with mu held, which it lets go.
func (s *Socket) enqueue(p *parser.Packet, name, list []byte, attachments [][]byte, timed bool) error {
	e := entry{timed: timed, kind: entryEvent, id: p.ID, hasID: p.HasID, attachments: attachments, name: uint32(len(name))}
	e.buf = bytebufferpool.Get()
	e.buf.B = slices.Grow(e.buf.B[:0], len(name)+len(list))
	e.buf.B = append(append(e.buf.B, name...), list...)
	if s.full(e.size()) {
		s.mu.Unlock()
		e.free()
		s.nsp.server.stats.overflows.Add(1)
		return ErrMailboxFull
	}
	schedule := s.push(e)
	s.mu.Unlock()
	if schedule {
		s.nsp.server.schedule(s)
	}
	return nil
}

// inline runs handlers on the loop. What other goroutines put into the mailbox
// meanwhile, such as the end of the socket, is scheduled afterwards.
func (s *Socket) inline(name []byte, own *ownTable, c *call) {
	defer func() {
		s.mu.Lock()
		s.unset(onLoop)
		schedule := s.box != nil
		s.mu.Unlock()
		if schedule {
			s.nsp.server.schedule(s)
		}
	}()
	s.protect(func() { s.dispatch(name, own, c) })
}

// handle is one entry's turn on a worker.
func (s *Socket) handle(e *entry) {
	switch e.kind {
	case entryJoin:
		s.protect(s.admit)
		s.settle()
	case entryWelcome:
		s.protect(s.welcome)
		s.settle()
	case entryKnock:
		s.protect(s.inquire)
	case entryGoodbye:
		defer s.nsp.server.part(s.nsp)
		s.goodbye(e.reason)
	case entryExpired:
		defer s.nsp.server.part(s.nsp)
		s.expire()
	case entryPersist:
		s.protect(s.persist)
	case entryExpiring:
		s.protect(s.expiring)
	case entryEvent:
		s.event(e)
	}
}

// event calls the handlers of one event, unless the socket was disconnected by the server
// after it came. While the loops have too much to do, handlers wait.
func (s *Socket) event(e *entry) {
	s.nsp.server.engine.AwaitLoops()
	s.mu.Lock()
	dropped, own := s.is(muted), s.own()
	s.mu.Unlock()
	if dropped {
		return
	}
	defer s.recover()
	name, list := e.buf.B[:e.name], e.buf.B[e.name:]
	s.dispatch(name, own, &call{newArgs(list, e.attachments, s.nsp.server.options.JSON), e.id, e.hasID, e.timed})
}

// call is an event's arguments and what its acknowledgement goes by.
type call struct {
	args  Args
	id    uint64
	hasID bool // and not yet acknowledged
	timed bool // by the histogram of handlers
}

// dispatch calls all who listen: catch-alls first, then the packet middlewares, then
// the handlers; the namespace's before the socket's own, each in the order of
// registration.
func (s *Socket) dispatch(name []byte, own *ownTable, c *call) {
	if c.timed {
		defer s.nsp.handled(time.Now())
	}
	ctx := s.Context()
	t := s.nsp.table.Load()
	if !s.pass(ctx, t, own, name, c) {
		return
	}
	for _, h := range t.events[string(name)] {
		s.call(ctx, h, name, c)
	}
	if own == nil {
		return
	}
	for _, o := range own.events {
		if o.event == string(name) {
			s.call(ctx, o.h, name, c)
		}
	}
}

func (s *Socket) dispatchAny(ctx context.Context, list []*catchAll, name []byte, c *call) {
	for _, each := range list {
		if err := each.run(ctx, s, string(name), c.args); err != nil {
			s.failed(ctx, name, err)
		}
	}
}

// call runs one handler and sends its acknowledgement, if it gives one, the
// client asked for one, and no handler before it was faster.
func (s *Socket) call(ctx context.Context, h *handler, name []byte, c *call) {
	if !h.take() {
		return
	}
	if h.callback != nil {
		s.callBack(ctx, h, name, c)
		return
	}
	value, err := h.run(ctx, s, c.args)
	if err != nil && h.ack {
		value, err = s.nsp.server.ackError(err)
	}
	if err == nil && h.ack && c.hasID {
		c.hasID = false
		err = s.reply(c.id, value)
	}
	if err != nil {
		s.failed(ctx, name, err)
	}
}

// ackError maps a handler's error to an acknowledgement, where the options say how.
func (v *Server) ackError(err error) (any, error) {
	if v.options.AckError != nil {
		if value, ok := v.options.AckError(err); ok {
			return value, nil
		}
	}
	return nil, err
}

// protect runs fn, whose panic costs this socket only.
func (s *Socket) protect(fn func()) {
	defer s.recover()
	fn()
}

// recover is deferred around whatever the user wrote.
func (s *Socket) recover() {
	if r := recover(); r != nil {
		s.nsp.server.stats.panics.Add(1)
		s.report(context.WithoutCancel(s.Context()), &PanicError{r, debug.Stack()})
		s.Disconnect(true)
	}
}
