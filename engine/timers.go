package engine

// tick fires what is due on the loop and gives blocked clients another chance. The
// ticker has asked for it at the tick asked. Loop-only.
func (l *loop) tick(asked uint64) {
	if l.now > asked+stallTicks { // asked may be later than the turn: the ticker does not wait for it
		l.srv.lastStall.Store(l.now) // this loop stood still; its peers are not to blame
	}
	l.lastTick.Store(l.now)
	l.nextDue.Store(never)
	l.retryBlocked()
	l.tellDrained()
	l.shed()
	l.evictHandshakes()
	l.sweep()
	l.connTimers.Advance(l.now, l.fireConnFn)
	l.sessionTimers.Advance(l.now, l.fireSessionFn)
	l.dueNext()
}

// fireConn and fireSession keep a panic from the rest of the turn.
func (l *loop) fireConn(c *conn) {
	defer l.recoverFor(c)
	c.timeout()
}

func (l *loop) fireSession(s *Session) {
	defer l.recoverFor(s.conn)
	s.heartbeat()
}

// dueNext tells the ticker when the wheels need it again.
func (l *loop) dueNext() {
	if tick, ok := l.connTimers.Next(); ok {
		l.dueBy(tick)
	}
	if tick, ok := l.sessionTimers.Next(); ok {
		l.dueBy(tick)
	}
}

// dueBy makes the ticker call by that tick at the latest.
func (l *loop) dueBy(tick uint64) {
	if tick < l.nextDue.Load() {
		l.nextDue.Store(tick)
	}
}

func (l *loop) armConn(c *conn, tick uint64) {
	l.connTimers.Arm(c, tick)
	l.dueBy(tick)
}

func (l *loop) armSession(s *Session, tick uint64) {
	l.sessionTimers.Arm(s, tick)
	l.dueBy(tick)
}
