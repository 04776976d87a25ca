package engine

const (
	// heldPerWrite is what a write costs in frames held back for later: some 5 us
	// against less than 0.2 us.
	heldPerWrite = 32
	// maxStretch is how many times as long as usual a turn gets while nobody else
	// has anything to say: a turn costs some 10 us by itself.
	maxStretch = 4
	// maxLate is for how many turns the members of a broadcast wait for more of the
	// queue to be handed out, to get it in one write: about 20 ms.
	maxLate = 32
)

// run is the turn that the self-pipe brings.
func (l *loop) run() {
	l.enter()
	l.stretch()
	l.pumping = false
	if asked := l.asked.Swap(0); asked != 0 {
		l.tick(asked)
	}
	l.leave()
}

// stretch makes the turns of a broadcast longer while no other input comes in between.
func (l *loop) stretch() {
	if l.pumping && !l.visited {
		l.writes = min(2*l.writes, maxStretch*l.srv.opts.TurnWrites)
	} else {
		l.writes = l.srv.opts.TurnWrites
	}
	l.visited = false
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
	l.weigh(more)
	l.sendHeld(more)
	l.watched()
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
			if l.overspent() {
				return true
			}
			l.step()
		}
		l.pending, more = l.box.Take(l.pending)
		l.next = 0
		if !more {
			return false
		}
	}
}

// overspent reports that the turn has handed out as much as it may: what TurnWrites
// writes cost.
func (l *loop) overspent() bool { return l.spent >= l.srv.opts.TurnWrites*heldPerWrite }

// sendHeld uncorks sessions. Those that were sent something of their own need not
// wait for a long broadcast to reach them; of every four writes the broadcast has
// one all the same. While more of the queue is to be handed out, it waits, for a
// time: every write that comes too early is one more.
func (l *loop) sendHeld(more bool) {
	if more {
		l.late++
	}
	for writes := 0; writes < l.writes; {
		s := l.nextHeld(more && l.late <= maxLate)
		if s == nil {
			break
		}
		if s.cork != nil {
			s.uncork()
			writes++
			l.sent++
		}
	}
	if l.crowd.len() == 0 {
		l.late = 0
	}
}

// nextHeld takes a session from the queues; nil where there is none to be sent to.
func (l *loop) nextHeld(crowdWaits bool) *Session {
	if crowdWaits {
		return l.direct.pop()
	}
	first, second := &l.direct, &l.crowd
	if l.sent%4 == 3 {
		first, second = second, first
	}
	if s := first.pop(); s != nil {
		return s
	}
	return second.pop()
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
