package engine

// heldPerWrite is what a write costs in frames held back for later: some 5 us
// against less than 0.1 us.
const heldPerWrite = 32

// run is the turn that the self-pipe brings.
func (l *loop) run() {
	l.enter()
	l.pumping = false
	if asked := l.asked.Swap(0); asked != 0 {
		l.tick(asked)
	}
	l.leave()
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
			l.asking = false
			l.self.ring()
		}
	}
	l.depth--
}

// turn hands out what was queued, first in, first out, and sends what that held
// back. Where the one or the other has more left than a turn may do, there will be
// another, and producers need not wake the loop until then.
func (l *loop) turn() {
	more := l.handOut()
	l.sendHeld()
	held := l.direct.len() + l.crowd.len()
	l.stats.held.Store(int64(held))
	if more || held > 0 {
		l.box.Awake()
		l.pumping, l.asking = true, true
	}
}

// handOut works the queue until it is empty or the turn's budget is spent: more says
// which.
func (l *loop) handOut() (more bool) {
	for l.spent = 0; ; {
		for ; l.next < len(l.pending); l.spent++ {
			if l.spent >= l.srv.opts.TurnWrites*heldPerWrite {
				return true
			}
			l.step()
		}
		batch, more := l.box.Take(l.pending)
		l.pending, l.next = batch, 0
		if !more {
			return false
		}
	}
}

// sendHeld uncorks sessions, TurnWrites at most. Those that were sent something of
// their own need not wait for a long broadcast to reach them; of every four writes
// the broadcast has one all the same.
func (l *loop) sendHeld() {
	for writes := 0; writes < l.srv.opts.TurnWrites; {
		first, second := &l.direct, &l.crowd
		if writes%4 == 3 {
			first, second = second, first
		}
		s := first.pop()
		if s == nil {
			s = second.pop()
		}
		if s == nil {
			return
		}
		if s.cork != nil {
			s.uncork()
			writes++
		}
	}
}

// step carries out the task at hand, or a part of it. A panic in it costs the
// session it was for.
func (l *loop) step() {
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
	if l.do(t) {
		*t = task{}
		l.next++
	}
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
