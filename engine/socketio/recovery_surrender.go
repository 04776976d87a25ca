package socketio

// Surrender is for adapters: another server asks for the socket with this key. It is
// ended here, as if its connection had been lost, and goes to PersistSession; from then
// on it is not waited for here any more. False where PersistSession is not going to be called:
// this server has no such socket in this namespace, or it has been persisted before. Safe
// for concurrent use; it does not block: the functions of OnDisconnecting run before
// PersistSession is called.
func (a *MemoryAdapter) Surrender(pid string) bool { return a.give(pid, surrendered) }

// Moved is for adapters: the socket with this key has been restored by another server. If
// it is still connected or waited for here, that is over; it is not persisted, and
// OnRecoveryExpired is not called. False where this server has no such socket in this
// namespace. Safe for concurrent use; it does not block.
func (a *MemoryAdapter) Moved(pid string) bool { return a.give(pid, moved) }

// leaving says that a socket is another server's, or about to be.
type leaving uint8

const (
	staying     leaving = iota
	surrendered         // once it is persisted
	moved
)

// give lets a socket go to another server.
func (a *MemoryAdapter) give(pid string, how leaving) bool {
	l := a.nsp.server.log
	key, ok := parseID(pid)
	if !ok || a.nsp.sessions() == nil {
		return false
	}
	l.mu.Lock()
	r := l.byPID[key]
	if r == nil || r.nsp != a.nsp {
		l.mu.Unlock()
		return false
	}
	s, open := r.socket, r.state != waiting
	r.leaving = how
	if open {
		l.stats.takenOver++
	} else if how == moved || r.persisted {
		l.yield(r)
	}
	over, left := r.state == over, r.left
	l.mu.Unlock()
	switch {
	case over:
		s.forsake(left)
		return how == moved
	case open:
		s.supersede()
		s.handOver()
	default:
		s.handOver()
	}
	return true
}

// yield is the end of r, which waits, for the sake of another server. It stays a guest
// until its rooms are left. Called with mu held.
func (l *eventLog) yield(r *recoverable) {
	l.server.stay(r.nsp)
	l.finish(r)
}

// forsake leaves the rooms that a socket had while it was waited for, and lets go of what
// it could have been recovered by.
func (s *Socket) forsake(rooms []string) {
	s.mu.Lock()
	if s.rare != nil {
		s.rare.recoverable = nil
	}
	s.quit(rooms)
	s.trim()
	s.mu.Unlock()
	s.nsp.server.part(s.nsp)
}

// quit tells the adapter that a socket without a connection is in these rooms no longer.
// Called with mu held.
func (s *Socket) quit(rooms []string) {
	if len(rooms) > 0 {
		s.nsp.adapter.LeaveAll(s, rooms, true)
	}
	s.leaveID()
}

// handOver has a socket persisted that waits and has not been, such as one that was lost
// in its middlewares.
func (s *Socket) handOver() {
	s.mu.Lock()
	schedule := s.state == gone && s.returnable() != nil && s.push(entry{kind: entryPersist})
	s.mu.Unlock()
	if schedule {
		s.nsp.server.schedule(s)
	}
}
