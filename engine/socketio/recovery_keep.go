package socketio

import (
	"slices"
	"time"
)

// keepEvery is how long changes of a socket are collected before KeepSession is told.
const keepEvery = 100 * time.Millisecond

// keeping is what is to be told to SessionKeepers. Guarded by eventLog.mu.
type keeping struct {
	changed []*recoverable // each once
	timer   *time.Timer
	running bool // the timer is set, or its function runs
	stopped bool // the adapters are being closed
}

// touch notes that r has changed, or that it is to be told of again. Called with mu held.
func (l *eventLog) touch(r *recoverable) {
	if r.nsp.keeper == nil || r.changed || l.keeping.stopped {
		return
	}
	r.changed = true
	k := &l.keeping
	k.changed = append(k.changed, r)
	if k.running {
		return
	}
	k.running = true
	if k.timer == nil {
		k.timer = time.AfterFunc(keepEvery, l.keepSessions)
	} else {
		k.timer.Reset(keepEvery)
	}
}

// keepSessions tells of those that have changed, on the goroutine of the timer.
func (l *eventLog) keepSessions() {
	l.mu.Lock()
	all := l.keeping.changed
	l.keeping.changed = nil
	l.mu.Unlock()
	for _, r := range all {
		l.keepSession(r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keeping.stopped || len(l.keeping.changed) == 0 {
		l.keeping.running = false
		return
	}
	l.keeping.timer.Reset(keepEvery)
}

// stopKeeping has nobody told of any more: the adapters are about to be closed.
func (l *eventLog) stopKeeping() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keeping.stopped = true
	if l.keeping.timer != nil {
		l.keeping.timer.Stop()
	}
}

// keepSession tells of one, if it is still connected. Whoever persists it meanwhile waits,
// so that the later state is told later.
func (l *eventLog) keepSession(r *recoverable) {
	l.mu.Lock()
	r.changed = false
	if l.keeping.stopped || r.state != live && r.state != catching {
		l.mu.Unlock()
		return
	}
	s, state := r.socket, l.session(r, 2*l.span)
	r.told, r.kept = true, l.now()
	l.mu.Unlock()
	s.protect(func() {
		state.Data = s.shared()
		if err := r.nsp.keeper.KeepSession(l.server.base, state); err != nil {
			s.report(l.server.base, err)
		}
	})
	l.mu.Lock()
	r.told = false
	drop := r.drop
	l.told.Broadcast()
	l.mu.Unlock()
	if drop {
		r.nsp.keeper.DropSession(state.PID)
	}
}

// again has a socket told of that is still there, at a heartbeat. Called with mu held.
func (l *eventLog) again(r *recoverable, now int64) {
	if r.nsp.keeper != nil && now-r.kept >= l.recovery.MaxDisconnectionDuration.Milliseconds() {
		l.touch(r)
	}
}

// changed notes that a value of a shared key has changed. Called with mu held.
func (s *Socket) changed(k *keyID) {
	r := s.returnable()
	if r == nil || r.nsp.keeper == nil || k.name == "" {
		return
	}
	l := s.nsp.server.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.socket == s {
		l.touch(r)
	}
}

// session describes r, for so many milliseconds. Called with mu held.
func (l *eventLog) session(r *recoverable, ttl int64) *SessionState {
	state := &SessionState{
		ID: string(r.sid[:]), PID: string(r.pid[:]), Rooms: r.names(),
		Offset: offsetOf(l.epoch, l.last), TTL: time.Duration(ttl) * time.Millisecond,
	}
	if r.nsp.logged.Load() {
		state.Offset = r.since
	}
	return state
}

// received notes how far, in the adapter's offsets, the client has everything: up to
// where the log stood when its heartbeat found nothing waiting, once a later one has
// confirmed that. Called with mu held, at a heartbeat.
func (l *eventLog) received(r *recoverable, idle bool, position string, now int64) {
	if r.seen != "" && r.seenAt <= r.confirmed {
		r.since, r.seen = r.seen, ""
	}
	if idle && r.seen == "" {
		r.seen, r.seenAt = position, now
	}
}

// persist gives a lost socket to the adapter. A client that is back here meanwhile is
// not to be there as well. On a worker, while the rooms are still set.
func (s *Socket) persist() {
	a, l := s.nsp.sessions(), s.nsp.server.log
	if a == nil {
		return
	}
	s.mu.Lock()
	r := s.returnable()
	s.mu.Unlock()
	if r == nil {
		return
	}
	state := l.lostState(r, s)
	if state == nil {
		return
	}
	state.Data = s.shared()
	err := a.PersistSession(s.nsp.server.base, state)
	if err != nil {
		s.report(s.nsp.server.base, err)
	}
	rooms, outcome := l.persisted(r, s, err == nil)
	switch outcome {
	case surrendered:
		s.forsake(rooms)
	case moved:
		a.ForgetSession(state.PID)
	}
}

// lostState describes r; nil where s is not what waits to be it any more, or was
// persisted already.
func (l *eventLog) lostState(r *recoverable, s *Socket) *SessionState {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r.told {
		l.told.Wait()
	}
	if r.socket != s || r.state != waiting || r.persisted {
		return nil
	}
	return l.session(r, l.recovery.MaxDisconnectionDuration.Milliseconds())
}

// persisted notes that r was. It says whether that was its end here, with its rooms; and
// whether it should not have been, since it waits no longer.
func (l *eventLog) persisted(r *recoverable, s *Socket, done bool) (rooms []string, outcome leaving) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.leaving == moved:
		return nil, staying // the session is another server's
	case r.socket != s || r.state != waiting:
		return nil, moved
	case r.leaving == surrendered:
		l.yield(r)
		return slices.Clone(r.left), surrendered
	}
	r.persisted = done
	return nil, staying
}
