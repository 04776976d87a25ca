package cluster

import (
	"context"
	"sync"
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
	held  map[string]*holding      // by PID: MaxRestores at most
	busy  int                      // questions of others

	restored recent // sockets taken from the store
	handed   recent // sockets handed to it, that have not come back since
}

// question is one question to all other servers: have you got this socket?
type question struct {
	left  int                 // servers that have not answered
	uids  map[string]struct{} // those, where the Link knows them
	owner string              // whose answer is enough where some may never answer, as Node's
	found chan struct{}       // capacity 1: somebody had it, and has stored it
	done  chan struct{}       // closed when there is nothing more to wait for
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
	if found {
		select {
		case q.found <- struct{}{}:
		default:
		}
	}
	if q.left <= 0 || q.uids == nil && uid == q.owner {
		q.ended = true
		close(q.done)
	}
}

// askSurrender has other servers give up the socket of a client that is here. Whenever one
// has stored it, and at the end, it tries to take it until that succeeds. owner is who
// has stored what there is, if anybody.
func (l *Logged) askSurrender(ctx context.Context, pid, owner string, take func() bool) {
	n, uids, err := l.link.Others(ctx)
	if err != nil || n == 0 {
		return
	}
	q := &question{left: n, owner: owner, found: make(chan struct{}, 1), done: make(chan struct{})}
	if uids != nil {
		q.uids = make(map[string]struct{}, len(uids))
		for _, u := range uids {
			q.uids[u] = struct{}{}
		}
	}
	id := NewUID()
	if !l.surrenders.ask(id, q) {
		return
	}
	defer l.surrenders.forget(id)
	if l.publish(&Message{Type: SurrenderSession, RequestID: id, PID: pid}) != nil {
		return
	}
	for over := false; !over; {
		select {
		case <-q.found:
		case <-q.done:
			over = true
		case <-ctx.Done():
			over = true
		}
		if take() {
			return
		}
	}
}

// tellSurrender tells who has stored a socket that it has been taken.
func (l *Logged) tellSurrender(s *Session) {
	if s.Owner == "" || s.Owner == l.uid {
		return
	}
	m := &Message{Type: SurrenderSession, UID: l.uid, PID: s.PID, Sequence: uint64(s.Stored)}
	_ = l.link.Answer(s.Owner, m) // where that is lost, the socket is waited for there in vain
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

// hand tells that a socket has been handed to the store.
func (s *surrenders) hand(pid string) {
	s.handed.add(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.given[pid]; stored != nil {
		close(stored)
		delete(s.given, pid)
	}
}

// moved gives up the socket that another server has taken from the store, unless it has
// come back from there since.
func (l *Logged) moved(m *Message) {
	if l.surrenders.restored.of(m.PID) > int64(m.Sequence) {
		return
	}
	l.tail.store.cancel(m.PID, int64(m.Sequence))
	if l.Moved(m.PID) {
		l.tail.counts.surrendered.Add(1)
	}
}

// surrender gives up the socket that another server asks for, on a goroutine.
func (l *Logged) surrender(uid, request, pid string) {
	handed, ok := l.surrenders.begin(pid)
	if !ok {
		return
	}
	begun := l.spawn(func() {
		defer l.surrenders.end(pid, handed)
		found := l.giveUp(l.Adapter.base, pid, handed)
		m := &Message{Type: SessionSurrendered, UID: l.uid, RequestID: request}
		if found {
			l.tail.counts.surrendered.Add(1)
			m.Clients = 1
		}
		_ = l.link.Answer(uid, m) // who does not get it waits a little longer
	})
	if !begun {
		l.surrenders.end(pid, handed)
	}
}

// giveUp returns when the socket with this key, if it was here, is stored.
func (l *Logged) giveUp(ctx context.Context, pid string, handed <-chan struct{}) (found bool) {
	ctx, cancel := context.WithTimeout(ctx, l.tail.options.MaxWait)
	defer cancel()
	l.surrenders.interrupt(ctx, pid)
	if found = l.Surrender(pid); found && l.surrenders.handed.of(pid) == 0 {
		select {
		case <-handed:
		case <-ctx.Done():
			return false
		}
	}
	stored := l.tail.store.under(pid)
	if stored == nil {
		return found
	}
	select {
	case <-stored:
		return true
	case <-ctx.Done():
		return false
	}
}

// Receive takes a message that is not in the log, as [Adapter.Receive] does.
func (l *Logged) Receive(m *Message) {
	switch {
	case m.UID == l.uid:
	case m.Type == SurrenderSession:
		switch {
		case m.PID == "" || len(m.PID) > maxName:
			l.tail.counts.bad.Add(1)
		case m.RequestID == "":
			l.moved(m)
		default:
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
