package engine

import "runtime"

// DoomParked has every connection whose request is parked fail, lets their hooks go on, and
// holds the loop until these have said what they have to say: it comes to the connections in
// the same turn, in which they are closed.
func (s *Server) DoomParked(let func()) {
	for _, l := range s.allLoops() {
		done := make(chan struct{})
		l.post(task{kind: taskRun, fn: func() {
			for _, c := range l.conns {
				if c.http != nil && c.http.isParked() {
					c.doom()
				}
			}
			let()
			for !s.judges.idle() {
				runtime.Gosched()
			}
			close(done)
		}})
		<-done
	}
}
