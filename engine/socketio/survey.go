package socketio

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// survey is one broadcast whose receivers on this server are to acknowledge it. There
// is one packet with one id for all of them, and one result of each: who is asked is
// written down on its loop just before it is sent the packet.
type survey struct {
	nsp  *Namespace // immutable
	id   uint64     // immutable
	sink AckSink    // immutable
	asks time.Time  // immutable: when they were asked

	mu      sync.Mutex // held while sink is called, so that nothing comes after stop
	waiting map[*Socket]struct{}
	asked   int
	over    bool
}

// BroadcastWithAck implements Adapter: one frame, handed to each loop, which writes
// down whom it is for.
func (a *MemoryAdapter) BroadcastWithAck(p *Broadcast, sink AckSink) (stop func(reason error), err error) {
	n := a.nsp
	q := &survey{nsp: n, sink: sink, asks: time.Now(), waiting: make(map[*Socket]struct{})}
	if err := n.server.admit(q); err != nil {
		return nil, err
	}
	f, err := n.newFrame(parser.Event, q.id, true, p.Array, p.Attachments)
	if err != nil {
		q.stop(err)
		return nil, err
	}
	p.Flags.mark(f)
	n.server.engine.Visit(f, &engine.Visit{Target: *a.target(p.Rooms, p.Except), Each: q.ask, Done: q.settle})
	f.Release()
	return q.stop, nil
}

// admit gives q an id and a place among those that wait, if there is one left.
func (v *Server) admit(q *survey) error {
	if v.surveys.Add(1) > int64(v.options.MaxBroadcastAcks) {
		v.surveys.Add(-1)
		v.stats.acksRefused.Add(1)
		return ErrTooManyAcks
	}
	q.id = q.nsp.ackIDs.Add(1) - 1
	q.nsp.surveys.add(q)
	return nil
}

// ask writes down that the session's socket will be sent the event; false where it
// is not there any more. One who is asked when nobody waits any more is sent the
// event all the same. Loop-only.
func (q *survey) ask(r engine.Receiver) (send bool) {
	s := r.(*client).socketIn(q.nsp)
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connected {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.over {
		s.set(surveyed)
		q.waiting[s] = struct{}{}
		q.asked++
	}
	return true
}

// settle is called when everybody is asked.
func (q *survey) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.over {
		q.sink.Settled(q.asked)
	}
}

// answer is the result of one socket. Of one that was not asked, or that has answered
// already, it is ignored.
func (q *survey) answer(s *Socket, args Args, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.waiting[s]; ok {
		delete(q.waiting, s)
		if err == nil {
			q.nsp.answered(q.asks)
		}
		q.sink.Answer(AckAnswer{s.ID(), args, err})
	}
}

// stop ends the survey; see Adapter.
func (q *survey) stop(reason error) {
	if !q.nsp.surveys.remove(q) {
		return
	}
	q.nsp.server.surveys.Add(-1)
	q.mu.Lock()
	defer q.mu.Unlock()
	for s := range q.waiting {
		q.sink.Answer(AckAnswer{SocketID: s.ID(), Err: reason})
	}
	q.waiting, q.over = nil, true
}

// surveyTable finds the surveys of a namespace by the id of their packet. The zero
// value is empty.
type surveyTable struct {
	n    atomic.Int32 // len(byID): most acknowledgements and goodbyes need not look
	mu   sync.Mutex
	byID map[uint64]*survey // guarded by mu
}

func (t *surveyTable) add(q *survey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[uint64]*survey)
	}
	t.byID[q.id] = q
	t.n.Store(int32(len(t.byID)))
}

// remove reports whether q was there.
func (t *surveyTable) remove(q *survey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[q.id] != q {
		return false
	}
	if delete(t.byID, q.id); len(t.byID) == 0 {
		t.byID = nil
	}
	t.n.Store(int32(len(t.byID)))
	return true
}

// find returns the survey with this id, or nil.
func (t *surveyTable) find(id uint64) *survey {
	if t.n.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// gone answers for a socket that has disconnected. Called with its mu held.
func (t *surveyTable) gone(s *Socket) {
	if t.n.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.byID {
		q.answer(s, Args{}, ErrDisconnected)
	}
}
