package engine

// Target says who receives a published frame: the members of Groups and the
// Sessions, less the members of ExceptGroups and the ExceptSessions, each at most
// once. Immutable once published.
type Target struct {
	Groups         []string
	Sessions       []*Session
	ExceptGroups   []string
	ExceptSessions []*Session

	visit *Visit // that it is part of; nil for a plain publish
}

// Publish sends f to everybody the target names, in the order of the caller's
// other sends, publishes, joins and leaves. One reference per loop is all it
// costs here; the loops do the rest. Safe for concurrent use.
func (s *Server) Publish(f *Frame, t *Target) {
	s.ahead(f)
	loops := s.allLoops()
	f.retain(len(loops))
	since := s.sampled()
	for _, l := range loops {
		if !l.post(task{kind: taskPublish, frame: f, target: t, since: since}) {
			f.release(1)
		}
	}
}

// walkPart is how many members a walk hands over at a time.
const walkPart = 128

// publish hands the frame to the target's members on this loop, the sessions named
// one by one before those of the groups, until there are no more or the turn's budget
// is spent. It reports which. Loop-only.
func (l *loop) publish(t *task) (done bool) {
	if !l.walking {
		l.beginWalk(t.target)
	}
	for l.publishNamed(t) && !l.overspent() {
		part := l.walk.Next(l.walkDst[:0])
		for _, m := range part {
			if s := l.sessions[m]; s != nil { // one that fell may have taken others along
				t.reach(s, &l.crowd)
			}
		}
		if t.frame != nil {
			l.stats.deliveries.Add(uint64(len(part)))
		}
		t.reached = t.reached || len(part) > 0
		if len(part) < walkPart {
			l.walking = false
			l.watch(t)
			t.drop()
			return true
		}
	}
	return false
}

// reach does to one session what the task is for.
func (t *task) reach(s *Session, queue *heldQueue) {
	if v := t.target.visit; v != nil && (!v.meet(s) || t.frame == nil) {
		return
	}
	s.deliver(t.frame, queue)
}

// beginWalk opens the walk over the target's members on this loop.
func (l *loop) beginWalk(t *Target) {
	l.members = l.members[:0]
	for _, s := range t.ExceptSessions {
		if s.loop == l && !s.has(flagClosed) {
			l.members = append(l.members, s.slot)
		}
	}
	l.rooms.Begin(&l.walk, t.Groups, t.ExceptGroups, l.members)
	l.walking, l.named = true, 0
}

// publishNamed serves the sessions named one by one, and goes on from there the next
// time; false when the budget did not suffice. The walk does not meet them again.
func (l *loop) publishNamed(t *task) (done bool) {
	all := t.target.Sessions
	for ; l.named < len(all); l.named++ {
		if l.overspent() {
			return false
		}
		l.spent++
		if s := all[l.named]; s.loop == l && !s.has(flagClosed) && l.walk.Meet(s.slot) {
			t.reach(s, &l.direct)
			if t.frame != nil {
				l.stats.deliveries.Add(1)
			}
		}
	}
	return true
}
