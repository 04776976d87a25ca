package engine

import "sync/atomic"

// Visit is a question to everybody a Target names, asked where each of them lives:
// on their loops, in the order of the caller's other sends, publishes, joins and
// leaves. Used once.
type Visit struct {
	Target
	// Each is called for each session of the target, on its loop; where a frame goes
	// along, just before that is sent to the session, and not sent if it returns
	// false. It must not block.
	Each func(Receiver) (send bool)
	// Done is called once, when all are visited: on a loop, or by the caller of
	// Server.Visit where there is nobody. A server that stops may leave it out.
	Done func()

	left atomic.Int32 // loops that are not done, and the caller until all are asked
}

// Visit calls v for everybody it names, and sends them f, unless that is nil. Safe
// for concurrent use.
func (s *Server) Visit(f *Frame, v *Visit) {
	loops := s.allLoops()
	v.visit = v
	v.left.Store(int32(len(loops)) + 1)
	if f != nil {
		f.retain(len(loops))
	}
	for _, l := range loops {
		if t := (task{kind: taskPublish, frame: f, target: &v.Target}); !l.post(t) {
			t.drop()
		}
	}
	v.leave()
}

// leave is called by each loop, and by the caller of Server.Visit.
func (v *Visit) leave() {
	if v.left.Add(-1) == 0 && v.Done != nil {
		v.Done()
	}
}

// meet visits one session and reports whether it is to be sent the frame. Loop-only.
func (v *Visit) meet(s *Session) (send bool) {
	defer s.saved()
	s.loop.spent++
	return s.recv != nil && v.Each(s.recv)
}
