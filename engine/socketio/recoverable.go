package socketio

import (
	"math"
	"slices"
	"strings"
	"time"
)

// recoverable is a socket across its connections: who it is, where it has been, and
// how to know it again. Guarded by eventLog.mu, unless marked otherwise.
type recoverable struct {
	nsp    *Namespace // immutable
	sid    socketID   // immutable
	pid    socketID   // the client's secret: who has it is the client
	state  standing
	socket *Socket // the present one, or the last

	start     uint64       // the event before its first
	own       logRoom      // what was sent to it alone
	rooms     []membership // the first is everyone
	floor     uint64       // up to here nothing is known of rooms it has left
	floorAt   int64        // when that was
	paced     *Socket      // catching: whose loop was asked to send the next part, and has not yet
	reached   uint64       // claimed, catching: the last event it has been sent
	idle      int64        // when, at a heartbeat, nothing was waiting for it; 0 for never
	confirmed int64        // what was emitted earlier, it has received

	expires time.Time // of ExpireAt; zero for never

	since  string // with an OffsetAdapter: up to there the client has everything
	seen   string // the adapter's offset at a heartbeat that nothing waited at, at seenAt
	seenAt int64

	kept      int64    // when a SessionKeeper was told last
	told      bool     // it is being told: eventLog.told is signalled afterwards
	changed   bool     // it is to be told
	drop      bool     // it is over: the session is to be dropped after that
	persisted bool     // waiting: the SessionAdapter has it
	leaving   leaving  // another server has it, or wants it
	left      []string // over: rooms that the adapter still counts it in

	until      int64 // waiting: when its time is over
	cost       int64 // waiting: bytes it counts for
	prev, next *recoverable
}

// standing is how a recoverable's connection is.
type standing uint8

const (
	live     standing = iota // connected
	catching                 // connected, and being sent what it missed: nothing else until then
	claimed                  // its client is back, and not let in yet
	waiting                  // its connection is lost
	over                     // it will not return
)

// membership is a time in a room: what was sent to it after event from, up to event to.
type membership struct {
	room     *logRoom
	from, to uint64
}

// forever is the end of a membership that lasts.
const forever = math.MaxUint64

// maxPast is how many memberships that have ended are remembered of one socket.
const maxPast = 64

// begin makes s recoverable: it is in no room but everyone's. Called with mu held.
func (l *eventLog) begin(s *Socket) *recoverable {
	r := &recoverable{nsp: s.nsp, sid: s.id, socket: s}
	l.byID[r.sid] = r
	l.anew(r)
	return r
}

// anew has r begin here and now, as what was before is lost. Called with mu held.
func (l *eventLog) anew(r *recoverable) {
	l.clear(r)
	delete(l.byPID, r.pid)
	r.pid = l.server.ids.next()
	l.byPID[r.pid] = r
	r.start, r.reached, r.floor = l.last, l.last, 0
	r.own.evicted, r.own.members = l.last, 1
	r.confirmed, r.idle = 0, 0
	r.seen, r.kept, r.persisted, r.leaving = "", 0, false, staying
	l.enterRoom(r, r.nsp.everyone)
}

// clear leaves all rooms and drops the events of r alone. Called with mu held.
func (l *eventLog) clear(r *recoverable) {
	for _, m := range r.rooms {
		l.leaveRoom(m.room)
	}
	r.rooms = nil
	for r.own.front() != nil {
		l.dropFront(&r.own)
	}
}

// finish is the end of r: nothing can bring it back. Called with mu held.
func (l *eventLog) finish(r *recoverable) {
	if r.state == over {
		return
	}
	if r.state == waiting || r.state == claimed {
		r.left = l.counted(r)
	}
	if r.state == waiting {
		l.leaveWaiting(r)
	}
	r.state = over
	l.clear(r)
	delete(l.byID, r.sid)
	delete(l.byPID, r.pid)
}

// counted returns the rooms that r's adapter has been told of, and not that they are left:
// it counts those who are waited for, too. A MemoryAdapter has no need to. Called with mu
// held.
func (l *eventLog) counted(r *recoverable) []string {
	if _, alone := r.nsp.adapter.(*MemoryAdapter); alone {
		return nil
	}
	return r.names()
}

// enterRoom begins a membership. Called with mu held.
func (l *eventLog) enterRoom(r *recoverable, group string) {
	room := l.room(group)
	room.members++
	r.rooms = append(r.rooms, membership{room, l.last, forever})
	l.touch(r)
}

// leaveRoom takes one membership off a room, which is not kept for nobody's sake.
// Called with mu held.
func (l *eventLog) leaveRoom(room *logRoom) {
	room.members--
	for e := room.front(); room.members == 0 && e != nil && !room.remembers(e, l.now()); e = room.front() {
		l.dropFront(room)
	}
	l.retire(room)
}

// present returns the index of the lasting membership in a group, or -1.
func (r *recoverable) present(group string) int {
	return slices.IndexFunc(r.rooms, func(m membership) bool { return m.to == forever && m.room.name == group })
}

// unknown returns the rooms of s that the adapter has not been told of: all, but for a
// socket that was recovered. Called with the socket's lock held.
func (l *eventLog) unknown(s *Socket) []string {
	r := s.returnable()
	if r == nil || !s.is(recovered) {
		return s.joinedRooms()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var rooms []string
	for _, room := range s.rare.rooms {
		if r.present(s.nsp.group(room)) < 0 {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// join enters rooms, in one step with the membership that the event loops know.
// Called with the socket's lock held.
func (l *eventLog) join(s *Socket, rooms []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := s.returnable()
	for _, room := range rooms {
		group := s.nsp.group(room)
		if r != nil {
			if r.present(group) >= 0 {
				continue // it was recovered with the socket
			}
			l.enterRoom(r, group)
		}
		if r == nil || r.state == live {
			s.client.session.Join(group)
		}
	}
}

// leave ends memberships. Called with the socket's lock held.
func (l *eventLog) leave(s *Socket, rooms []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := s.returnable()
	for _, room := range rooms {
		group := s.nsp.group(room)
		s.client.session.Leave(group)
		if r == nil || r.socket != s {
			continue
		}
		if i := r.present(group); i >= 0 {
			r.rooms[i].to = l.last
			l.touch(r)
			l.forgetPast(r)
		}
	}
}

// forgetPast drops memberships that have ended and to which nothing can be missed any
// more, and the oldest of those that are too many. Called with mu held.
func (l *eventLog) forgetPast(r *recoverable) {
	past := 0
	for i := len(r.rooms) - 1; i >= 0; i-- {
		m := r.rooms[i]
		if m.to == forever {
			continue
		}
		past++
		quiet := m.room.last <= m.from
		if !quiet && m.to > l.swept && past <= maxPast {
			continue
		}
		if !quiet {
			r.floor, r.floorAt = max(r.floor, min(m.room.last, m.to)), l.now()
		}
		l.leaveRoom(m.room)
		r.rooms = slices.Delete(r.rooms, i, i+1)
	}
}

// lost reports whether events after n that were for r may have been given up already,
// and not received. It errs on the side of loss. Called with mu held.
func (r *recoverable) lost(n uint64) bool {
	if r.floor > n && r.floorAt >= r.confirmed || r.nsp.gap > n && r.nsp.gapAt >= r.confirmed || r.own.lost(n, r) {
		return true
	}
	for _, m := range r.rooms {
		if from := max(n, m.from); m.to > from && m.room.lost(from, r) {
			return true
		}
	}
	return false
}

// lostOfPast reports whether such events were for rooms that r has left. Called with mu
// held.
func (r *recoverable) lostOfPast(n uint64) bool {
	if r.floor > n && r.floorAt >= r.confirmed {
		return true
	}
	return slices.ContainsFunc(r.rooms, func(m membership) bool {
		from := max(n, m.from)
		return m.to != forever && m.to > from && m.room.lost(from, r)
	})
}

// lost reports whether the ring has given up events after n that r may not have.
func (room *logRoom) lost(n uint64, r *recoverable) bool {
	return room.evicted > n && room.evictedAt >= r.confirmed
}

// excluded reports whether an event left r out.
func (r *recoverable) excluded(e *stored) bool {
	for _, group := range e.except {
		if name, ok := strings.CutPrefix(group, r.nsp.prefix); ok && name == string(r.sid[:]) {
			return true
		}
		for _, m := range r.rooms {
			if m.room.name == group && m.from < e.n && e.n <= m.to {
				return true
			}
		}
	}
	return false
}

// recoverableList is those who are waited for, in the order in which their time ends.
type recoverableList struct {
	first, last *recoverable
	count       int
	bytes       int64
}

func (q *recoverableList) push(r *recoverable) {
	if r.prev = q.last; r.prev != nil {
		r.prev.next = r
	} else {
		q.first = r
	}
	q.last = r
	q.count++
	q.bytes += r.cost
}

func (q *recoverableList) remove(r *recoverable) {
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		q.first = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		q.last = r.prev
	}
	r.prev, r.next = nil, nil
	q.count--
	q.bytes -= r.cost
}
