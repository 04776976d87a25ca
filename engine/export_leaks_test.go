package engine

import "sync"

// PollState says what a session that polls is waiting for.
type PollState struct {
	Get, Post, Probe bool
	Queued           int // frames
}

// PollState looks at the session on its loop.
func (s *Session) PollState() (st PollState) {
	done := make(chan struct{})
	s.Run(func() {
		if p := s.poll; p != nil {
			st = PollState{p.get != nil, p.post != nil, p.probe != nil, len(p.frames)}
		}
		close(done)
	})
	<-done
	return st
}

// Leftovers counts what sessions and connections leave behind: all zero at rest.
type Leftovers struct {
	Table, Sessions, Conns, Rooms, SessionTimers, ConnTimers, Blocked, Pending int
	Held, Corks                                                                int // sessions in the queues of the held, and corks in use
}

// Leftovers looks at every loop.
func (s *Server) Leftovers() (sum Leftovers) {
	for i := range s.table.shards {
		sh := &s.table.shards[i]
		sh.mu.Lock()
		sum.Table += len(sh.sessions)
		sh.mu.Unlock()
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, l := range s.allLoops() {
		all.Add(1)
		l.post(task{kind: taskRun, fn: func() {
			defer all.Done()
			mu.Lock()
			defer mu.Unlock()
			sum.add(l)
		}})
	}
	all.Wait()
	return sum
}

func (o *Leftovers) add(l *loop) {
	for _, s := range l.sessions {
		if s != nil {
			o.Sessions++
		}
	}
	o.Conns += len(l.conns)
	o.Rooms += l.rooms.Rooms()
	o.SessionTimers += l.sessionTimers.Len()
	o.ConnTimers += l.connTimers.Len()
	o.Blocked += len(l.blocked)
	o.Held += l.direct.len() + l.crowd.len()
	o.Corks += l.heldCorks()
	o.Pending += len(l.dirty) + len(l.doomed)
}

// NewSessionID makes an id as the session table does.
func NewSessionID() string {
	id := newSessionID()
	return string(id[:])
}

// OpenPipes counts the goroutines' ends of pipes.
func (s *Server) OpenPipes() int {
	s.pipes.mu.Lock()
	defer s.pipes.mu.Unlock()
	return len(s.pipes.open)
}

// SessionsPerLoop counts the sessions of every loop.
func (s *Server) SessionsPerLoop() (counts []int) {
	for _, l := range s.allLoops() {
		n := make(chan int)
		l.post(task{kind: taskRun, fn: func() { n <- len(l.sessions) - len(l.free) }})
		counts = append(counts, <-n)
	}
	return counts
}
