package engine

import "time"

// taskKind says what a task asks of the loop.
type taskKind uint8

const (
	taskSend    taskKind = iota // frame to session
	taskPublish                 // frame to target
	taskJoin                    // session into group
	taskLeave                   // session out of group
	taskClose                   // session ends
	taskRun                     // fn
)

// task is one entry of a loop's queue: a plain value, so that posting allocates
// nothing. Frames in it are owned references.
type task struct {
	kind    taskKind
	reached bool          // of a publish that is timed: it has met somebody
	since   time.Duration // of a publish: when it was asked for, if it is timed; 0 = it is not
	session *Session
	frame   *Frame
	target  *Target
	group   string
	fn      func()
}

// post queues t on the loop and wakes it once per burst; false when the loop has
// stopped. Safe for concurrent use.
func (l *loop) post(t task) bool {
	wake, open := l.box.Push(t)
	if wake {
		l.self.ring()
	}
	return open
}

// do carries out one task, or one part of it: false asks to be called again with
// the same task, because it is a broadcast with members left. Loop-only.
func (l *loop) do(t *task) (done bool) {
	s := t.session
	switch t.kind {
	case taskSend:
		s.deliver(t.frame, &l.direct)
		t.frame.release(1)
	case taskPublish:
		return l.publish(t)
	case taskJoin:
		if !s.has(flagClosed) {
			l.rooms.Join(t.group, s.slot)
		}
	case taskLeave:
		if !s.has(flagClosed) {
			l.rooms.Leave(t.group, s.slot)
		}
	case taskClose:
		l.spent += heldPerWrite
		s.close(ReasonForcedClose, byServer)
	case taskRun:
		if s != nil {
			s.run(t.fn)
		} else {
			t.fn()
		}
	}
	return true
}

// drop gives back what a task owns that will never be carried out, or a publish that
// is.
func (t *task) drop() {
	if t.frame != nil {
		t.frame.release(1)
	}
	if t.target != nil && t.target.visit != nil {
		t.target.visit.leave()
	}
}
