package cluster

import (
	"context"
	"sync"
	"time"
)

// Kinds of messages about sessions. They do not belong into a log.
const (
	// SurrenderSession says that the client with this PID is back at the sender. Whoever
	// has its socket still, stores it and gives it up, which is answered by
	// SessionSurrendered; without a RequestID the sender has it already.
	SurrenderSession Type = 80 + iota
	// SessionSurrendered: Clients is 1 where there was such a socket, which is stored by
	// now, and 0 where there was none.
	SessionSurrendered
)

// maxSurrenders is how many questions of others an adapter deals with at once; those
// beyond are not answered.
const maxSurrenders = 4096

// surrenders are the questions of one adapter for sockets, and those of others.
type surrenders struct {
	mu    sync.Mutex
	asked map[string]*question     // ours, by RequestID
	given map[string]chan struct{} // by PID: closed when a socket that others want has been handed to the store
	busy  int                      // questions of others
}

// question is one question to all other servers: have you got this socket?
type question struct {
	left  int                 // servers that have not answered
	uids  map[string]struct{} // those, where the Link knows them
	owner string              // whose answer is enough; empty where that is not known
	found bool
	done  chan struct{} // closed when there is nothing more to wait for
	ended bool
}

// answer takes what one server says. Called with the surrenders' mu held.
func (q *question) answer(uid string, found bool) {
	if q.ended {
		return
	}
	if q.uids != nil {
		if _, asked := q.uids[uid]; !asked {
			return
		}
		delete(q.uids, uid)
	}
	q.left--
	q.found = q.found || found
	if found || q.left <= 0 || uid == q.owner {
		q.ended = true
		close(q.done)
	}
}

// askSurrender has other servers give up the socket of a client that is here, and reports
// whether one has stored it. owner is who has stored what there is, if anybody.
func (l *Logged) askSurrender(ctx context.Context, pid, owner string) (found bool) {
	if owner == l.uid {
		return false
	}
	n, uids, err := l.link.Others(ctx)
	if err != nil || n == 0 {
		return false
	}
	q := &question{left: n, owner: owner, done: make(chan struct{})}
	if uids != nil {
		q.uids = make(map[string]struct{}, len(uids))
		for _, u := range uids {
			q.uids[u] = struct{}{}
		}
	}
	_, alive := q.uids[owner]
	id := NewUID()
	if !l.surrenders.ask(id, q) {
		return false
	}
	defer l.surrenders.forget(id)
	if l.publish(&Message{Type: SurrenderSession, RequestID: id, PID: pid}) != nil || owner != "" && uids != nil && !alive {
		return false
	}
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	return l.surrenders.verdict(q)
}

// tellSurrender tells other servers that a client is here whose socket they may have.
func (l *Logged) tellSurrender(pid string) {
	_ = l.publish(&Message{Type: SurrenderSession, PID: pid}) // counted
}

func (s *surrenders) ask(id string, q *question) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) >= maxSurrenders {
		return false
	}
	if s.asked == nil {
		s.asked = make(map[string]*question)
	}
	s.asked[id] = q
	return true
}

func (s *surrenders) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asked, id)
}

func (s *surrenders) verdict(q *question) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.found
}

// answered takes a SessionSurrendered.
func (s *surrenders) answered(m *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.asked[m.RequestID]; q != nil {
		q.answer(m.UID, m.Clients > 0)
	}
}

// gone strikes a server off all questions.
func (s *surrenders) gone(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		if q.uids != nil {
			q.answer(uid, false)
		}
	}
}

// begin takes a question of another server, unless there are too many.
func (s *surrenders) begin(pid string) (stored chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy >= maxSurrenders {
		return nil, false
	}
	s.busy++
	if stored = s.given[pid]; stored == nil {
		if s.given == nil {
			s.given = make(map[string]chan struct{})
		}
		stored = make(chan struct{})
		s.given[pid] = stored
	}
	return stored, true
}

func (s *surrenders) end(pid string, stored chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	if s.given[pid] == stored {
		delete(s.given, pid)
	}
}

// handed tells that a socket has been handed to the store.
func (s *surrenders) handed(pid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.given[pid]; stored != nil {
		close(stored)
		delete(s.given, pid)
	}
}

// surrender gives up the socket that another server asks for, on a goroutine, or has
// already.
func (l *Logged) surrender(uid, request, pid string) {
	if request == "" {
		if l.MemoryAdapter.Moved(pid) {
			l.tail.counts.surrendered.Add(1)
		}
		return
	}
	handed, ok := l.surrenders.begin(pid)
	if !ok {
		return
	}
	go func() {
		defer l.surrenders.end(pid, handed)
		found := l.giveUp(pid, handed)
		m := &Message{Type: SessionSurrendered, UID: l.uid, RequestID: request}
		if found {
			m.Clients = 1
		}
		_ = l.link.Answer(uid, m) // who does not get it waits a little longer
	}()
}

// giveUp returns when the socket with this key, if it was here, is stored.
func (l *Logged) giveUp(pid string, handed <-chan struct{}) (found bool) {
	timer := time.NewTimer(l.tail.options.MaxWait)
	defer timer.Stop()
	stored := l.tail.store.under(pid) // where it was lost a moment ago
	if l.MemoryAdapter.Surrender(pid) {
		l.tail.counts.surrendered.Add(1)
		if stored == nil {
			select {
			case <-handed:
			case <-timer.C:
				return false
			}
		}
		stored = l.tail.store.under(pid)
	}
	if stored == nil {
		return false
	}
	select {
	case <-stored:
		return true
	case <-timer.C:
		return false
	}
}

// Receive takes a message that is not in the log, as [Adapter.Receive] does.
func (l *Logged) Receive(m *Message) {
	switch {
	case m.UID == l.uid:
	case m.Type == SurrenderSession:
		if m.PID != "" && len(m.PID) <= maxName {
			l.surrender(m.UID, m.RequestID, m.PID)
		}
	case m.Type == SessionSurrendered:
		l.surrenders.answered(m)
	default:
		l.Adapter.Receive(m)
	}
}

// Gone says that a server which Link.Others has named will not answer any more.
func (l *Logged) Gone(uid string) {
	l.surrenders.gone(uid)
	l.Adapter.Gone(uid)
}
