package socketio

import (
	"slices"
	"time"
)

// recoverableReason reports whether a socket that ended so may return. Node:
// RECOVERABLE_DISCONNECT_REASONS.
func recoverableReason(r Reason) bool {
	switch r {
	case ReasonServerNamespaceDisconnect, ReasonClientNamespaceDisconnect, ReasonParseError, ReasonExpired:
		return false
	}
	return true
}

// waitingOverhead is what one who is waited for occupies, in bytes: recoverable, its
// socket, client and session, and entries in tables.
const waitingOverhead = 1024

// depart notes that a socket has ended. It is waited for, if its client may return: then
// it keeps its rooms, as far as the adapter knows, and tells of them when the wait is
// over. left are those of a socket that was not let in again. Called with the socket's
// lock held.
func (l *eventLog) depart(s *Socket, reason Reason) (waits bool, left []string) {
	r := s.returnable()
	if r == nil {
		return false, nil
	}
	l.mu.Lock()
	drop := false
	switch {
	case r.socket != s || r.state == over:
	case r.leaving == moved:
		l.finish(r)
		left = r.left
	case l.closed || !recoverableReason(reason) || l.server.isLeaving() && s.nsp.sessions() == nil:
		l.finish(r)
		left = r.left
		r.drop = !l.closed && s.nsp.keeper != nil
		drop = r.drop && !r.told
	default:
		l.await(r)
		waits = true
	}
	if r.state == over {
		s.rare.recoverable = nil
	}
	l.mu.Unlock()
	if drop {
		s.nsp.keeper.DropSession(string(r.pid[:]))
	}
	return waits, left
}

// await enters r among those who are waited for. Called with mu held.
func (l *eventLog) await(r *recoverable) {
	r.state, r.idle, r.persisted = waiting, 0, false
	r.until = l.now() + l.recovery.MaxDisconnectionDuration.Milliseconds()
	r.cost = waitingOverhead
	for _, m := range r.rooms {
		r.cost += int64(len(m.room.name)) + 48
	}
	l.waiting.push(r)
	l.server.stay(r.nsp)
	for l.waiting.count > l.recovery.MaxWaiting || l.waiting.bytes > l.recovery.MaxWaitingBytes {
		l.stats.crowded++
		l.giveUp(l.waiting.first)
	}
	l.setSweeper()
}

// leaveWaiting ends the wait for r. Called with mu held.
func (l *eventLog) leaveWaiting(r *recoverable) {
	l.waiting.remove(r)
	l.server.part(r.nsp)
}

// stay counts one who is waited for as a guest of a namespace that goes with its last.
func (v *Server) stay(n *Namespace) {
	if n.child == nil {
		return
	}
	v.creating.Lock()
	defer v.creating.Unlock()
	n.child.arrive(true)
}

// giveUp ends the wait for r and has that told. Until then it stays a guest. Called with
// mu held.
func (l *eventLog) giveUp(r *recoverable) {
	l.server.stay(r.nsp)
	l.finish(r)
	l.expired = append(l.expired, r)
	l.setSweeper()
}

// Pong notes what the client has received for certain. A client that answered a ping
// has what was sent before it; nothing waited at the answer before, so what was
// emitted earlier than that was sent by then. Implements engine.PongReceiver.
func (c *client) Pong(idle bool) {
	l := c.server.log
	if l.recovery == nil {
		return
	}
	for _, s := range c.sockets() {
		s.mu.Lock()
		r := s.returnable()
		s.mu.Unlock()
		if r != nil {
			l.pong(r, s, idle, s.nsp.position())
		}
	}
}

// underWay is how long what was emitted may be on its way through an event loop, in
// ms, generously.
const underWay = 2000

func (l *eventLog) pong(r *recoverable, s *Socket, idle bool, position string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.socket != s || r.state != live {
		return
	}
	r.confirmed = max(r.confirmed, r.idle-underWay)
	r.idle = 0
	now := l.now()
	if idle {
		r.idle = now
	}
	if position != "" {
		l.received(r, idle, position, now)
	}
	l.again(r, now)
}

// sweepEvery is how often what is too old is looked for: time enough to make it cheap.
func (l *eventLog) sweepEvery() time.Duration {
	if l.recovery == nil {
		return time.Second
	}
	return min(max(l.recovery.MaxDisconnectionDuration/16, 10*time.Millisecond), time.Second)
}

// setSweeper has the log swept in a while. There is one timer, and none where nothing
// is kept. Called with mu held.
func (l *eventLog) setSweeper() {
	if l.closed || l.sweeping && len(l.expired) == 0 {
		return
	}
	l.sweeping = true
	d := l.sweepEvery()
	if len(l.expired) > 0 {
		d = 0
	}
	if l.sweeper == nil {
		l.sweeper = time.AfterFunc(d, l.sweep)
	} else {
		l.sweeper.Reset(d)
	}
}

// sweep forgets what is too old, on a goroutine of its timer.
func (l *eventLog) sweep() {
	l.mu.Lock()
	now := l.now()
	for r := l.waiting.first; r != nil && r.until < now; r = l.waiting.first {
		l.stats.expired++
		l.giveUp(r)
	}
	l.trim(now)
	l.trimHistories(now)
	expired := l.expired
	l.expired = nil
	l.sweeping = false
	if l.waiting.count+l.fresh.count+l.aged.count+l.marks.order.len() > 0 {
		l.setSweeper()
	}
	l.mu.Unlock()
	for _, r := range expired {
		r.socket.tellExpired(r.left)
	}
}

// tellExpired has the functions of OnRecoveryExpired called, behind the disconnect
// functions, and leaves the rooms it was in all the while.
func (s *Socket) tellExpired(rooms []string) {
	s.mu.Lock()
	if s.rare != nil {
		s.rare.recoverable = nil
	}
	s.quit(rooms)
	told, schedule := s.pushExpired()
	s.trim()
	s.mu.Unlock()
	switch {
	case !told:
		s.nsp.server.part(s.nsp)
	case schedule:
		s.nsp.server.schedule(s)
	}
}

// pushExpired queues the functions of OnRecoveryExpired, if there are any. Whoever is a
// guest of the namespace for the socket leaves that to them. Called with mu held.
func (s *Socket) pushExpired() (told, schedule bool) {
	if len(s.nsp.table.Load().expired) == 0 {
		return false, false
	}
	return true, s.push(entry{kind: entryExpired})
}

// paceEvery is the time between two looks at those who are catching up. They are sent
// the next part, if they have taken the last.
const paceEvery = 10 * time.Millisecond

// setPacer has those who are catching up looked after in a while. Called with mu held.
func (l *eventLog) setPacer() {
	switch {
	case l.closed || len(l.catching) == 0:
	case l.pacer == nil:
		l.pacer = time.AfterFunc(paceEvery, l.pace)
	default:
		l.pacer.Reset(paceEvery)
	}
}

// pace sends those who are catching up some more, on a goroutine of its timer.
func (l *eventLog) pace() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.catching = slices.DeleteFunc(l.catching, func(r *recoverable) bool { return r.state != catching })
	for _, r := range l.catching {
		if s := r.socket; r.paced != s { // its loop may stand still: what it was asked already it will do once
			r.paced = s
			s.client.session.Run(func() { l.catchUp(r, s) })
		}
	}
	l.setPacer()
}

// catchUp sends a client the next part of what it missed, if it has taken the last.
// Where that was given up meanwhile, the client has to come again, to be told. On the
// session's loop.
func (l *eventLog) catchUp(r *recoverable, s *Socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.paced == s {
		r.paced = nil
	}
	switch {
	case r.socket != s || r.state != catching || s.client.session.Waiting() > 0:
	case r.lost(r.reached):
		s.client.session.Abandon()
	default:
		frames, more := l.nextPart(r, partBytes)
		s.client.session.SendAll(frames)
		if !more {
			l.goLive(r)
		}
	}
}

// close drops everything.
func (l *eventLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, t := range []*time.Timer{l.sweeper, l.pacer} {
		if t != nil {
			t.Stop()
		}
	}
	for _, r := range l.byID {
		l.finish(r)
	}
	for _, r := range l.rooms {
		for r.front() != nil {
			l.dropFront(r)
		}
	}
	l.expired, l.catching, l.keeping.changed = nil, nil, nil
	l.marks = markIndex{}
}
