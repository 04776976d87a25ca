package natsadapter

import (
	"sync"

	"github.com/nats-io/nats.go"
)

// A lane is what one server sends on one subject: its frames are numbered, so that those
// who hear the subject know how many they have missed. What they cannot see in a number,
// since nothing has come after it, they see in a count, which servers send once a second
// where it has changed.

// sending is the numbers of the lanes of this server.
type sending struct {
	mu     sync.Mutex
	most   int
	lanes  map[string]*sendingLane // by subject; guarded by mu
	silent int                     // lanes given up, for want of room; guarded by mu
}

type sendingLane struct {
	sent    uint64
	told    uint64 // what the latest count said
	again   bool   // it is to be said once more, since that may have been lost as well
	private bool   // a lane to one server: not told
}

func newSending(most int) *sending {
	return &sending{most: most, lanes: make(map[string]*sendingLane)}
}

// next is the number of the frame that is sent next on a subject. sent makes it so.
func (s *sending) next(subject string, private bool) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[subject]
	if l == nil {
		s.makeRoom()
		l = &sendingLane{private: private}
		s.lanes[subject] = l
	}
	return l.sent + 1
}

// makeRoom forgets lanes that everybody has been told of, once there are too many: a lane
// that begins anew begins with 1, which receivers understand. Called with mu held.
func (s *sending) makeRoom() {
	if len(s.lanes) < s.most {
		return
	}
	for subject, l := range s.lanes {
		if l.told == l.sent && !l.again || l.private {
			delete(s.lanes, subject)
		}
	}
	if len(s.lanes) >= s.most { // within one second: rather a restart than no bound
		s.silent += len(s.lanes)
		clear(s.lanes)
	}
}

// uncounted is how many lanes were given up for want of room.
func (s *sending) uncounted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent
}

// sent says that the frame with this number is on its way.
func (s *sending) sent(subject string, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[subject]; l != nil {
		l.sent = number
	}
}

// retell has all counts said again: there is a server that may have missed them.
func (s *sending) retell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		l.again = true
	}
}

// untold calls each for up to most lanes that have sent since the latest count or, where
// that is asked for, whose count is to be said again; done is false where there are more.
func (s *sending) untold(again bool, most int, each func(subject string, sent uint64)) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for subject, l := range s.lanes {
		news := l.told != l.sent
		if l.private || !news && (!again || !l.again) {
			continue
		}
		if most--; most < 0 {
			return false
		}
		l.told, l.again = l.sent, news
		each(subject, l.sent)
	}
	return true
}

// hearing is the numbers of the lanes of one other server. Of the receiving goroutine only.
type hearing map[string]*hearingLane // by subject

type hearingLane struct {
	sub  *nats.Subscription // that it is heard by: another one begins anew
	last uint64             // the number of the latest frame
}

// frame notes the number of a frame that has come, and returns how many are missing before
// it. room is whether a lane may be added.
func (h hearing) frame(subject string, sub *nats.Subscription, number uint64, room bool) (lost uint64) {
	l := h[subject]
	switch {
	case l == nil && !room:
		return 0
	case l == nil || l.sub != sub:
		h[subject] = &hearingLane{sub, number}
		return 0
	case number <= l.last: // it has begun anew
		lost = number - 1
	default:
		lost = number - l.last - 1
	}
	l.last = number
	return lost
}

// count notes how many frames were sent by the time of a count, and returns how many are
// missing at the end.
func (h hearing) count(subject string, sub *nats.Subscription, sent uint64, room bool) (lost uint64) {
	l := h[subject]
	switch {
	case l == nil && !room:
	case l == nil || l.sub != sub:
		h[subject] = &hearingLane{sub, sent}
	case sent > l.last:
		lost = sent - l.last
		l.last = sent
	}
	return lost
}

// sweep forgets lanes that are not heard any more.
func (h hearing) sweep() {
	for subject, l := range h {
		if !l.sub.IsValid() {
			delete(h, subject)
		}
	}
}
