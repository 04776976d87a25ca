package engine

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

// publish does one part of a broadcast: at most turnWrites members of this loop,
// the sessions named one by one before those of the groups. It reports whether
// that was the last part. Loop-only.
func (l *loop) publish(t *task) (done bool) {
	if !l.walking {
		l.beginWalk(t.target)
	}
	l.writes = l.publishNamed(t)
	room := turnWrites - l.writes
	if room == 0 {
		return false
	}
	part := l.walk.Next(l.walkDst[:0:room])
	for _, m := range part {
		if s := l.sessions[m]; s != nil { // one that fell may have taken others along
			s.deliver(t.frame)
		}
	}
	l.writes += len(part)
	l.stats.deliveries.Add(uint64(len(part)))
	if len(part) == room {
		return false
	}
	l.walking = false
	t.frame.release(1)
	return true
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

// publishNamed serves at most turnWrites of the sessions named one by one, and
// goes on from there the next time. The walk does not meet them again.
func (l *loop) publishNamed(t *task) (writes int) {
	all := t.target.Sessions
	for ; l.named < len(all) && writes < turnWrites; l.named++ {
		if s := all[l.named]; s.loop == l && !s.has(flagClosed) && l.walk.Meet(s.slot) {
			s.deliver(t.frame)
			writes++
		}
	}
	l.stats.deliveries.Add(uint64(writes))
	return writes
}
