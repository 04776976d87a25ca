package engine

import (
	"context"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/internal/inbox"
	"github.com/fanfare-go/fanfare/engine/internal/rooms"
	"github.com/fanfare-go/fanfare/engine/internal/wheel"
	"github.com/panjf2000/gnet/v2"
)

const (
	// turnWrites is how many writes a loop does for its queue before it looks at
	// its connections and timers again: about 1 ms (reference: 128 keeps the p99 of
	// a bystander's echo at 22 ms through broadcasts to 10,000, none at 327 ms).
	turnWrites = 128
	// wheelSlots x tickLength is one round of the timing wheel: 41 s, so that a
	// heartbeat is looked at once.
	wheelSlots = 4096
)

// loop is the state of one event loop. Everything in it is loop-only unless
// marked otherwise.
type loop struct {
	srv *Server        // immutable
	el  gnet.EventLoop // immutable

	box     inbox.Inbox[task] // safe for concurrent use
	pending []task            // taken from box, not yet carried out
	next    int               // first of pending that is not done
	pumping bool              // another turn is to come from the pump; box stays awake
	asking  bool              // and the pump has not been asked for it yet
	depth   int               // callbacks within callbacks: closing a connection calls OnClose at once
	pump    chan struct{}     // safe for concurrent use; capacity 1

	conns    []*conn    // all open ones, in no order
	sessions []*Session // by slot; nil where free
	free     []uint32   // slots to use again
	rooms    *rooms.Index
	walk     rooms.Walk
	walking  bool // walk belongs to pending[next]
	walkDst  [turnWrites]uint32
	named    int      // first of the target's Sessions that the walk has not served
	writes   int      // done by the task at hand
	members  []uint32 // scratch for except members

	sessionTimers *wheel.Wheel[Session, *Session]
	connTimers    *wheel.Wheel[conn, *conn]
	fireConnFn    func(*conn)
	fireSessionFn func(*Session)
	dirty         []*Session // polling sessions to flush at the end of the turn
	answered      []*conn    // whose answer was given: more may have arrived behind the request
	doomed        []*conn    // to close at the end of the turn
	farewells     int        // sessions that closeSessions is done with
	blocked       []*conn    // that cannot take more at the moment

	request http1.Request // scratch of the head being routed
	scratch []byte        // scratch of the response being built
	header  []byte        // scratch of its header lines
	payload []byte        // scratch of the polling payload being built
	pong    []byte        // payload of the latest WebSocket ping of this read
	ponging bool          // there was one

	now      uint64        // tick of the present turn
	nextDue  atomic.Uint64 // tick at which the ticker must call; written by the loop
	asked    atomic.Uint64 // tick at which the ticker asked for a turn; 0 = it got it
	lastTick atomic.Uint64 // tick of the last timer turn
	stats    loopStats     // atomic
}

func newLoop(srv *Server, el gnet.EventLoop) *loop {
	now := srv.clock.now()
	l := &loop{srv: srv, el: el, pump: make(chan struct{}, 1), now: now}
	l.rooms = rooms.New(func(m uint32) *rooms.List { return &l.sessions[m].rooms })
	l.sessionTimers = wheel.New[Session, *Session](wheelSlots, now)
	l.connTimers = wheel.New[conn, *conn](wheelSlots, now)
	l.fireConnFn, l.fireSessionFn = l.fireConn, l.fireSession
	l.nextDue.Store(never)
	l.lastTick.Store(now)
	return l
}

// wake asks gnet to call Run. Safe for concurrent use.
func (l *loop) wake() { _ = l.el.Execute(context.Background(), l) }

// Run is gnet's callback for a wake: it works the queue.
func (l *loop) Run(context.Context) error {
	l.enter()
	l.pumping = false
	l.leave()
	return nil
}

// runPump posts the next turn from outside: a task that re-posts itself from the
// loop would starve its input.
func (l *loop) runPump() {
	for {
		select {
		case <-l.pump:
			l.wake()
		case <-l.srv.quit:
			return
		}
	}
}

// askPump has another turn posted. It comes at the very end of this one: the pump
// may be quick, and gnet works off what was posted before it looks at its input.
func (l *loop) askPump() {
	l.asking = false
	select {
	case l.pump <- struct{}{}:
	default: // it was asked already and has not come yet
	}
}

// enter begins every callback of the loop: producers need not wake it until leave.
func (l *loop) enter() {
	if l.depth++; l.depth > 1 {
		return
	}
	l.box.Awake()
	l.now = l.srv.clock.now()
}

// leave ends every callback: it works what the callback queued, unless a long
// broadcast is in progress and has its turn coming, and settles what the turn left.
func (l *loop) leave() {
	if l.depth == 1 {
		if !l.pumping {
			l.turn()
		}
		l.settle()
		if l.asking {
			l.askPump()
		}
	}
	l.depth--
}

// turn works the queue, first in, first out, for at most turnWrites writes.
func (l *loop) turn() {
	for budget := turnWrites; ; {
		for l.next < len(l.pending) {
			if budget <= 0 {
				l.pumping, l.asking = true, true
				return
			}
			budget -= l.step()
		}
		batch, more := l.box.Take(l.pending)
		l.pending, l.next = batch, 0
		if !more {
			return
		}
	}
}

// step carries out the task at hand, or a part of it, and says how many writes it
// cost. A panic in it costs the session it was for.
func (l *loop) step() (cost int) {
	t := &l.pending[l.next]
	defer func() {
		if p := recover(); p != nil {
			l.next++
			l.walking = false
			l.srv.panicked(l, p)
			if t.session != nil {
				t.session.close(ReasonForcedClose, byServer)
			}
		}
	}()
	l.writes = 1
	done := l.do(t)
	cost = max(l.writes, 1)
	if done {
		*t = task{}
		l.next++
	}
	return cost
}

// settle flushes polling sessions, goes on with connections whose answer was given,
// and closes what failed, until none is left.
func (l *loop) settle() {
	for {
		switch {
		case len(l.dirty) > 0:
			s := pop(&l.dirty)
			s.clear(flagDirty)
			s.flush()
		case len(l.answered) > 0:
			l.resume(pop(&l.answered))
		case len(l.doomed) > 0:
			pop(&l.doomed).shut()
		default:
			return
		}
	}
}

// resume serves what arrived on a connection while its answer was owed.
func (l *loop) resume(c *conn) {
	defer l.recoverFor(c)
	c.flags &^= connAnswered
	c.resume()
}

// pop takes the last one off a list, and leaves no pointer to it behind.
func pop[T any](list *[]*T) *T {
	n := len(*list) - 1
	x := (*list)[n]
	(*list)[n] = nil
	*list = (*list)[:n]
	return x
}

// enlist gives a session its slot.
func (l *loop) enlist(s *Session) {
	if n := len(l.free) - 1; n >= 0 {
		s.slot, l.free = l.free[n], l.free[:n]
		l.sessions[s.slot] = s
		return
	}
	s.slot = uint32(len(l.sessions))
	l.sessions = append(l.sessions, s)
}

// delist takes the slot back and the session out of all groups.
func (l *loop) delist(s *Session) {
	l.rooms.LeaveAll(s.slot)
	l.sessions[s.slot] = nil
	l.free = append(l.free, s.slot)
}
