package engine

import "sync/atomic"

// GroupSize calls done with the number of members that the group has, as seen after
// the caller's joins and leaves. done is called once, on a loop, or by the caller
// where there are none; a server that stops may leave it out. Safe for concurrent use.
func (s *Server) GroupSize(group string, done func(members int)) {
	var sum atomic.Int64
	s.ask(func(l *loop) (more bool) {
		sum.Add(int64(l.rooms.Size(group)))
		return false
	}, func() { done(int(sum.Load())) })
}

// GroupSizes calls each for every group of every loop with the members it has there,
// on that loop, and then done, as GroupSize does. It takes its time where there are
// many: a loop looks at a turn's worth of them at once. Safe for concurrent use.
func (s *Server) GroupSizes(each func(group string, members int), done func()) {
	loops := s.allLoops()
	next := make([]uint32, len(loops)) // by loop; each loop's own
	s.askEach(loops, func(i int, l *loop) (more bool) {
		next[i] = l.rooms.Sizes(next[i], func(group string, members int) bool {
			each(group, members)
			l.spent++
			return !l.overspent()
		})
		return next[i] > 0
	}, done)
}

// ask has every loop run fn, again and again while it returns true, and then calls done.
func (s *Server) ask(fn func(l *loop) (more bool), done func()) {
	s.askEach(s.allLoops(), func(_ int, l *loop) bool { return fn(l) }, done)
}

func (s *Server) askEach(loops []*loop, fn func(i int, l *loop) (more bool), done func()) {
	var left atomic.Int32
	left.Store(int32(len(loops)) + 1)
	leave := func() {
		if left.Add(-1) == 0 {
			done()
		}
	}
	for i, l := range loops {
		var run func()
		post := func() {
			if !l.post(task{kind: taskRun, fn: run}) {
				leave()
			}
		}
		run = func() {
			if fn(i, l) {
				post()
			} else {
				leave()
			}
		}
		post()
	}
	leave()
}
