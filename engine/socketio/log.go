package socketio

import (
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// eventLog keeps what was sent, for clients that come back and for those that come
// late. It numbers events: the number of an event and its place in the queues of all
// event loops are given in one step, under mu, so that what a client receives is
// numbered in ascending order whatever rooms it came by, and the last number it has
// says all about what it lacks.
//
// An event is kept once, as the frame that was sent, and referred to by the ring of
// each room it went to. Only rooms with somebody in them who may return, and those
// with a history, have a ring.
//
// A server has one log. The order of locks is in doc.go.
type eventLog struct {
	server   *Server         // immutable
	epoch    epoch           // immutable
	standIn  [offsetLen]byte // immutable: a secret, in the place of offsets that are not known yet
	began    time.Time
	recovery *Recovery // immutable, complete; nil where recovery is off
	span     int64     // immutable: ms for which recovery may need an event
	history  func(namespace, room string) HistoryLimits
	kept     atomic.Int32 // rooms that were given a history by name

	mu       sync.Mutex
	last     uint64     // number of the latest event
	swept    uint64     // events up to this one are of no use to recovery
	marks    markIndex  // those whose offsets are an adapter's
	fresh    storedList // those that are
	aged     storedList // those that a history holds all the same
	rooms    map[string]*logRoom
	byID     map[socketID]*recoverable
	byPID    map[socketID]*recoverable
	waiting  recoverableList // by the end of their time
	catching []*recoverable  // that are not sent everything yet
	expired  []*recoverable  // whose functions are to be called
	sweeper  *time.Timer     // fires while there is something to sweep
	sweeping bool            // it is set
	pacer    *time.Timer     // fires while somebody is catching up
	keeping  keeping
	told     sync.Cond // of mu: a SessionKeeper has been told
	closed   bool

	stats recoveryCounters // guarded by mu
}

func newEventLog(v *Server) *eventLog {
	l := &eventLog{server: v, began: time.Now(), history: v.options.History, recovery: v.options.ConnectionStateRecovery}
	var random [8 + offsetLen]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	l.epoch = newEpoch([8]byte(random[:8]))
	for i, r := range random[8:] {
		l.standIn[i] = digits[r&63]
	}
	if o := &v.options; l.recovery != nil {
		beat := orElse(o.PingInterval, 25*time.Second) + orElse(o.PingTimeout, 20*time.Second)
		// A connection that is lost is noticed within one heartbeat, and what was received
		// is known up to the one before.
		l.span = (l.recovery.MaxDisconnectionDuration + 2*beat).Milliseconds()
	}
	l.told.L = &l.mu
	l.rooms = make(map[string]*logRoom)
	l.byID, l.byPID = make(map[socketID]*recoverable), make(map[socketID]*recoverable)
	return l
}

// now is the log's time, in milliseconds.
func (l *eventLog) now() int64 { return time.Since(l.began).Milliseconds() }

// on reports whether there is anything to keep: without, emitting costs this look.
func (l *eventLog) on() bool {
	return l.recovery != nil || l.histories()
}

// histories reports whether there may be any.
func (l *eventLog) histories() bool { return l.history != nil || l.kept.Load() > 0 }

// numbered is an event with an offset, or room for one, behind its last argument.
type numbered struct {
	frame *engine.Frame
	at    int   // where its count goes; negative where it has none
	mark  *mark // of an event whose offset is an adapter's
}

// offsetTail is what an event's array ends with: the offset as its last element.
const offsetTail = len(`,"`) + offsetLen + len(`"]`)

// newNumbered builds the packet of an event. It fails where Options.Parser does.
func (n *Namespace) newNumbered(array []byte, attachments [][]byte, flags Flags, t tail) (numbered, error) {
	if n.server.options.Parser != nil {
		return n.parsedNumbered(array, attachments, flags, t)
	}
	const head = 32 // type and attachment count at their longest
	size := head + len(n.name) + len(array) + len(t.text) + offsetTail
	for _, a := range attachments {
		size += head + len(a)
	}
	e := numbered{frame: frameToKeep(!flags.Volatile)(size), at: -1}
	b := parser.AppendEvent(e.frame.Begin(), n.name, 0, false, len(attachments), array)
	b = append(append(b[:len(b)-1], `,"`...), t.text...)
	if t.counted {
		e.at = len(b)
		b = append(b, make([]byte, offsetLen)...)
	}
	e.frame.End(append(b, `"]`...))
	for _, a := range attachments {
		e.frame.AppendBinary(a)
	}
	flags.mark(e.frame)
	return e, nil
}

// frameToKeep returns what makes a frame that is kept, or not.
func frameToKeep(kept bool) func(hint int) *engine.Frame {
	if kept {
		return engine.NewLastingFrame
	}
	return engine.NewFrame
}

// stamp numbers the event. A volatile one has the number of the event before it: who
// receives it has what came before, and who does not is not to have it later. Called
// with mu held.
func (l *eventLog) stamp(e numbered, volatile bool) (n uint64) {
	if !volatile {
		l.last++
	}
	if e.at >= 0 {
		var b [offsetLen]byte
		putOffset(b[:], l.epoch, l.last)
		e.frame.Patch(e.at, b[:])
	}
	return l.last
}

// markOf returns the mark of an event that was stamped last; nil where offsets are counts
// alone. Called with mu held.
func (l *eventLog) markOf(n *Namespace, t tail) *mark {
	if t.text == "" {
		return nil
	}
	m := &mark{nsp: n, n: l.last, at: l.now(), text: t.text}
	if t.counted {
		m.text += offsetOf(l.epoch, l.last)
	}
	return m
}

// broadcast numbers p, keeps it and publishes it. offset is the event's, where it comes
// from an adapter's log; otherwise the one where that stands, if there is one.
func (l *eventLog) broadcast(a *MemoryAdapter, p *Broadcast, fromLog bool, offset string) error {
	historic, limits := l.historic(a.nsp, p.Rooms)
	if l.recovery == nil && !historic {
		return a.publish(p)
	}
	tl := l.tail(a.nsp, fromLog, p.Flags.Volatile, offset)
	e, err := a.nsp.newNumbered(p.Array, p.Attachments, p.Flags, tl)
	if err != nil {
		return err
	}
	defer func() { e.frame.Release() }()
	var t *engine.Target
	named := namesSocket(p.Rooms) || namesSocket(p.Except)
	if !named {
		t = a.target(p.Rooms, p.Except)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if named { // whose connection may be another the next moment
		t = l.target(a, p.Rooms, p.Except)
	}
	if now := l.tailOf(a.nsp, fromLog, p.Flags.Volatile, offset); now != tl {
		again, err := a.nsp.newNumbered(p.Array, p.Attachments, p.Flags, now)
		if err != nil {
			return err
		}
		e.frame.Release()
		e, tl = again, now
	}
	n := l.stamp(e, p.Flags.Volatile)
	if !p.Flags.Volatile {
		e.mark = l.markOf(a.nsp, tl)
		l.limit(a.nsp, p.Rooms, limits)
		if l.keep(a.nsp, n, e, t, p.Rooms) && e.mark != nil {
			l.note(e.mark, tl.counted)
		}
	}
	a.nsp.server.engine.Publish(e.frame, t)
	return nil
}

// namesSocket reports whether one of the rooms may be a socket's id.
func namesSocket(rooms []string) bool {
	for _, r := range rooms {
		if len(r) == idLen {
			return true
		}
	}
	return false
}

// target is MemoryAdapter.target, but for sockets that are not sent anything at
// present. Called with mu held.
func (l *eventLog) target(a *MemoryAdapter, rooms, except []string) *engine.Target {
	t := new(engine.Target)
	t.Groups, t.Sessions = l.resolve(a.nsp, rooms)
	t.ExceptGroups, t.ExceptSessions = l.resolve(a.nsp, except)
	if len(rooms) == 0 {
		t.Groups = a.everyone.Groups
	}
	return t
}

func (l *eventLog) resolve(n *Namespace, rooms []string) (groups []string, sessions []*engine.Session) {
	groups = make([]string, 0, len(rooms))
	for _, r := range rooms {
		groups = append(groups, n.group(r))
		if back := l.find(n, r); back != nil {
			if back.state == live {
				sessions = append(sessions, back.socket.client.session)
			}
		} else if s := n.socket(r); s != nil {
			sessions = append(sessions, s.client.session)
		}
	}
	return groups, sessions
}

// find returns who may return under that socket id, or nil. Called with mu held.
func (l *eventLog) find(n *Namespace, id string) *recoverable {
	key, ok := parseID(id)
	if !ok {
		return nil
	}
	if r := l.byID[key]; r != nil && r.nsp == n {
		return r
	}
	return nil
}

// keep enters an event into the rings of those it is for, and reports whether there are
// any. Called with mu held.
func (l *eventLog) keep(nsp *Namespace, n uint64, f numbered, t *engine.Target, rooms []string) bool {
	e := &stored{n: n, at: l.now(), frame: f.frame, pos: f.at, except: t.ExceptGroups, mark: f.mark}
	for i, g := range t.Groups {
		if r := l.rooms[g]; r != nil && !slices.Contains(e.in, r) {
			e.in = append(e.in, r)
		}
		if len(rooms) == 0 {
			continue
		}
		if back := l.find(nsp, rooms[i]); back != nil && !slices.Contains(e.in, &back.own) {
			e.in = append(e.in, &back.own)
		}
	}
	for _, g := range t.ExceptGroups {
		if r := l.rooms[g]; r != nil {
			r.last = n
		}
	}
	l.enter(e)
	return len(e.in) > 0
}

// enter puts an event into the rings that e.in names. Called with mu held.
func (l *eventLog) enter(e *stored) {
	if len(e.in) == 0 {
		return
	}
	e.frame.Retain()
	e.size = e.frame.Cost() + storedOverhead
	l.fresh.push(e)
	for _, r := range e.in {
		r.push(e)
	}
	for _, r := range e.in {
		l.shrink(r, e.at)
	}
	l.trim(e.at)
	l.setSweeper()
}

// trim forgets what is too old or too much. Called with mu held.
func (l *eventLog) trim(now int64) {
	for e := l.fresh.first; e != nil && (e.at < now-l.span || l.fresh.bytes > l.maxBytes()); e = l.fresh.first {
		if l.recovery != nil && e.at >= now-l.span {
			l.stats.evicted++
		}
		l.swept = e.n
		l.settle(e, now)
	}
	l.trimMarks(now)
	for e := l.aged.first; e != nil && l.aged.bytes > l.server.options.MaxHistoryBytes; e = l.aged.first {
		for _, r := range e.in {
			for r.front() != nil && r.front().n <= e.n {
				l.dropFront(r)
			}
		}
	}
}

// maxBytes is how many bytes of events are kept for recovery.
func (l *eventLog) maxBytes() int64 {
	if l.recovery == nil {
		return 0
	}
	return l.recovery.MaxBytes
}

// settle takes the oldest event from recovery. It stays where a history wants it.
// Called with mu held.
func (l *eventLog) settle(e *stored, now int64) {
	for _, r := range e.in {
		l.shrink(r, now)
	}
	if e.rings > 0 {
		l.fresh.remove(e)
		l.aged.push(e)
		e.aged = true
	}
}

// shrink drops what a room's ring need not keep. Called with mu held.
func (l *eventLog) shrink(r *logRoom, now int64) {
	for e := r.front(); e != nil; e = r.front() {
		wanted := e.n > l.swept && r.members > 0 || r.remembers(e, now)
		if wanted && r.bytes <= l.roomBytes(r) {
			return
		}
		if wanted {
			l.stats.evicted++
		}
		l.dropFront(r)
	}
}

// roomBytes is how many bytes the ring of a room may have.
func (l *eventLog) roomBytes(r *logRoom) int64 {
	n := r.limits.Bytes
	if n == 0 && r.limits != (HistoryLimits{}) {
		n = l.server.options.MaxHistoryBytes
	}
	if l.recovery != nil {
		n = max(n, l.recovery.MaxRoomBytes)
	}
	return n
}

// dropFront takes the oldest event off a ring; the last ring to lose it gives its
// memory back. Called with mu held.
func (l *eventLog) dropFront(r *logRoom) {
	e := r.pop()
	l.retire(r)
	if e.rings > 0 {
		return
	}
	if e.aged {
		l.aged.remove(e)
	} else {
		l.fresh.remove(e)
	}
	e.frame.Release()
	e.frame = nil
}

// retire forgets a room that nobody is in and that has no events left, unless it was
// given a history by name. Called with mu held.
func (l *eventLog) retire(r *logRoom) {
	if r.members == 0 && r.ring.len() == 0 && !r.named && l.rooms[r.name] == r {
		delete(l.rooms, r.name)
		if r.child != nil {
			delete(r.child.histories, r)
		}
	}
}

// room returns the ring of a group, made if it is not there. Called with mu held.
func (l *eventLog) room(group string) *logRoom {
	r := l.rooms[group]
	if r == nil {
		r = &logRoom{name: group, evicted: l.last}
		l.rooms[group] = r
	}
	return r
}
