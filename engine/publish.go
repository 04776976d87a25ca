package engine

import "slices"

// Target says who receives a published frame: the members of Groups and the
// Sessions, less the members of ExceptGroups and the ExceptSessions, each at most
// once. Immutable once published.
type Target struct {
	Groups         []string
	Sessions       []*Session
	ExceptGroups   []string
	ExceptSessions []*Session
}

// Publish sends f to everybody the target names, in the order of the caller's
// other sends, publishes, joins and leaves. One reference per loop is all it
// costs here; the loops do the rest. Safe for concurrent use.
func (s *Server) Publish(f *Frame, t *Target) {
	loops := s.allLoops()
	f.retain(len(loops))
	for _, l := range loops {
		if !l.post(task{kind: taskPublish, frame: f, target: t}) {
			f.release(1)
		}
	}
}

// publish does one part of a broadcast: at most turnWrites members of this loop.
// It reports whether that was the last part. Loop-only.
func (l *loop) publish(t *task) (done bool) {
	if !l.walking {
		l.beginWalk(t)
	}
	part := l.walk.Next(l.walkDst[:0])
	for _, m := range part {
		if s := l.sessions[m]; s != nil { // one that fell may have taken others along
			s.deliver(t.frame)
		}
	}
	l.stats.deliveries.Add(uint64(len(part)))
	if len(part) == len(l.walkDst) {
		return false
	}
	l.walking = false
	t.frame.release(1)
	return true
}

// beginWalk opens the walk over the target's members on this loop. Sessions named
// one by one are served here and excepted from the groups.
func (l *loop) beginWalk(t *task) {
	l.members = l.members[:0]
	for _, s := range t.target.ExceptSessions {
		if s.loop == l && !s.has(flagClosed) {
			l.members = append(l.members, s.slot)
		}
	}
	for _, s := range t.target.Sessions {
		if s.loop == l && !s.has(flagClosed) && !l.excepted(s, t.target) {
			s.deliver(t.frame)
			l.members = append(l.members, s.slot)
		}
	}
	l.rooms.Begin(&l.walk, t.target.Groups, t.target.ExceptGroups, l.members)
	l.walking = true
}

// excepted reports whether a session named by the target has been served already
// or is to be left out.
func (l *loop) excepted(s *Session, t *Target) bool {
	if slices.Contains(l.members, s.slot) {
		return true
	}
	for _, group := range t.ExceptGroups {
		if l.rooms.Has(group, s.slot) {
			return true
		}
	}
	return false
}
