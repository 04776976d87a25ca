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

	restoredAt map[string]int64 // ns, by PID
	recent     []restored       // the same, oldest first
}

// question is one question to all other servers: have you got this socket?
type question struct {
	left  int                 // servers that have not answered
	uids  map[string]struct{} // those, where the Link knows them
	owner string              // whose answer is enough where some may never answer, as Node's
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
	if found || q.left <= 0 || q.uids == nil && uid == q.owner {
		q.ended = true
		close(q.done)
	}
}

// askSurrender has other servers give up the socket of a client that is here, and reports
// whether one has stored it. owner is who has stored what there is, if anybody.
func (l *Logged) askSurrender(ctx context.Context, pid, owner string) (found bool) {
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
	id := NewUID()
	if !l.surrenders.ask(id, q) {
		return false
	}
	defer l.surrenders.forget(id)
	if l.publish(&Message{Type: SurrenderSession, RequestID: id, PID: pid}) != nil {
		return false
	}
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	return l.surrenders.verdict(q)
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

// moved gives up the socket that another server has taken from the store, unless it has
// come back from there since.
func (l *Logged) moved(m *Message) {
	if !l.surrenders.since(m.PID, int64(m.Sequence)) {
		return
	}
	l.tail.store.cancel(m.PID)
	if l.MemoryAdapter.Moved(m.PID) {
		l.tail.counts.surrendered.Add(1)
	}
}

// restored remembers when a socket was taken from the store, for a while.
type restored struct {
	pid string
	at  int64 // ns
}

// restoredStay is how long: messages are not on their way longer than that. maxRestored is
// how many.
const (
	restoredStay = 10 * time.Second
	maxRestored  = 16_384
)

// restore notes that a socket has been taken from the store.
func (s *surrenders) restore(pid string) {
	now := time.Now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.recent) && (s.recent[n].at < now-int64(restoredStay) || len(s.recent)-n >= maxRestored) {
		if s.restoredAt[s.recent[n].pid] == s.recent[n].at {
			delete(s.restoredAt, s.recent[n].pid)
		}
		n++
	}
	s.recent = append(s.recent[n:], restored{pid, now})
	if s.restoredAt == nil {
		s.restoredAt = make(map[string]int64)
	}
	s.restoredAt[pid] = now
}

// since reports whether a socket that was stored here then has not been restored since.
func (s *surrenders) since(pid string, stored int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restoredAt[pid] <= stored
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
	stored := l.tail.store.under(pid) // where it was lost a moment ago
	if l.MemoryAdapter.Surrender(pid) {
		found = true
		// Asked again, it is there as long as it has not been handed to PersistSession.
		if l.MemoryAdapter.Surrender(pid) {
			select {
			case <-handed:
			case <-ctx.Done():
				return false
			}
		}
		stored = l.tail.store.under(pid)
	}
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
