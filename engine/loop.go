package engine

import (
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/internal/inbox"
	"github.com/fanfare-go/fanfare/engine/internal/rooms"
	"github.com/fanfare-go/fanfare/engine/internal/wheel"
	"github.com/panjf2000/gnet/v2"
)

// wheelSlots x tickLength is one round of the timing wheel: 41 s, so that a
// heartbeat is looked at once.
const wheelSlots = 4096

// loop is the state of one event loop. Everything in it is loop-only unless
// marked otherwise.
type loop struct {
	srv *Server        // immutable
	el  gnet.EventLoop // immutable; nil for one without gnet (StartInner)

	box       inbox.Inbox[task] // safe for concurrent use
	pending   []task            // taken from box, not yet carried out
	next      int               // first of pending that is not done
	pumping   bool              // another turn is to come; box stays awake
	asking    bool              // and has not been asked for yet
	visited   bool              // there was other input since the last turn
	writes    int               // how many a turn may do, at present
	sent      uint              // sessions uncorked by turns
	late      int               // turns for which the crowd has been made to wait
	congested bool              // MaxTasks was exceeded, and more than half of that is left
	depth     int               // callbacks within callbacks: closing a connection calls OnClose at once
	self      *selfPipe         // brings turns

	conns    []*conn    // all open ones, in no order
	sessions []*Session // by slot; nil where free
	free     []uint32   // slots to use again
	rooms    *rooms.Index
	walk     rooms.Walk
	walking  bool // walk belongs to pending[next]
	walkDst  [walkPart]uint32
	named    int      // first of the target's Sessions that the walk has not served
	spent    int      // of the turn's budget, in frames held or sent
	members  []uint32 // scratch for except members

	roots      [forms]cork // of no frames: what all others continue
	spareCorks []*cork     // to use again
	direct     heldQueue   // sessions that were sent something of their own
	crowd      heldQueue   // sessions that were reached by a broadcast

	sessionTimers *wheel.Wheel[Session, *Session]
	connTimers    *wheel.Wheel[conn, *conn]
	fireConnFn    func(*conn)
	fireSessionFn func(*Session)
	dirty         []*Session            // polling sessions to flush at the end of the turn
	answered      []*conn               // whose answer was given: more may have arrived behind the request
	doomed        []*conn               // to close at the end of the turn
	farewells     int                   // sessions that closeSessions is done with
	parting       map[*Session]struct{} // that linger and have frames for their last poll
	blocked       []*conn               // that cannot take more at the moment
	drains        []drainWait           // who waits for clients to take everything

	request   http1.Request // scratch of the head being routed
	scratch   []byte        // scratch of the response being built
	header    []byte        // scratch of its header lines
	payload   []byte        // scratch of the polling payload being built
	encoded   []byte        // scratch of it compressed
	pong      []byte        // payload of the latest WebSocket ping of this read
	posting   *conn         // whose body is being worked through
	ponging   bool          // there was one
	completed bool          // a WebSocket message came to its end in this read
	pinged    bool          // Engine.IO's ping of revision 3 was in this read

	plain      []byte              // scratch of the record being read
	sealed     []byte              // scratch of the records being made
	starts     []*tlsHandshake     // that wait for a place
	shakes     []*tlsHandshake     // that have one, the oldest first
	metered    map[*Session]*meter // that have sent something lately; of Limits.Messages and Bytes
	incomplete map[*Session]uint64 // that wait for the rest of a packet, and until which tick
	swept      uint64              // tick at which these two were last looked through

	early int // bytes that arrived while their handshakes are in progress

	longest  atomic.Int64  // bytes of the longest queue and 1 while all hold too much; written by the loop
	now      uint64        // tick of the present turn
	nextDue  atomic.Uint64 // tick at which the ticker must call; written by the loop
	asked    atomic.Uint64 // tick at which the ticker asked for a turn; 0 = it got it
	lastTick atomic.Uint64 // tick of the last timer turn
	stats    loopStats     // atomic
	times    timings
}

func newLoop(srv *Server, el gnet.EventLoop) (l *loop, err error) {
	now := srv.clock.now()
	l = &loop{srv: srv, el: el, now: now, writes: srv.opts.TurnWrites}
	for k := range l.roots {
		l.roots[k].form, l.roots[k].users = form(k), 1
	}
	l.parting = make(map[*Session]struct{})
	l.metered, l.incomplete = make(map[*Session]*meter), make(map[*Session]uint64)
	l.direct.mark, l.crowd.mark = waitsDirect, waitsCrowd
	l.rooms = rooms.New(func(m uint32) *rooms.List { return &l.sessions[m].rooms })
	l.sessionTimers = wheel.New[Session, *Session](wheelSlots, now)
	l.connTimers = wheel.New[conn, *conn](wheelSlots, now)
	l.fireConnFn, l.fireSessionFn = l.fireConn, l.fireSession
	l.nextDue.Store(never)
	l.lastTick.Store(now)
	if el == nil {
		l.self = &selfPipe{loop: l, fd: -1, bell: make(chan struct{}, 1)}
		return l, nil
	}
	l.self, err = newSelfPipe(l)
	return l, err
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
