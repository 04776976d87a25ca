package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// How many goroutines look for what other servers want to know, and wait for their turn,
// per namespace.
const (
	maxAnswering = 4
	maxWaiting   = 1024
)

// spawn runs f in a goroutine that Close waits for; false once the Adapter is closed.
func (a *Adapter) spawn(f func()) bool {
	a.requests.mu.Lock()
	defer a.requests.mu.Unlock()
	if a.requests.closed {
		return false
	}
	a.work.Go(f)
	return true
}

// answerLater has f make the answer to m, in a goroutine: it may take a while to ask the
// event loops. Without an answer, whoever asked is better off waiting than being told less
// than there is.
func (a *Adapter) answerLater(m *Message, f func(ctx context.Context, answer *Message) error) {
	uid, answer := m.UID, &Message{UID: a.uid, RequestID: m.RequestID}
	if uid == "" || a.answers.Add(1) > maxWaiting {
		a.answers.Add(-1)
		a.stats.refused.Add(1)
		return
	}
	a.spawn(func() {
		defer a.answers.Add(-1)
		ctx, cancel := context.WithTimeout(a.base, a.options.RequestTimeout)
		defer cancel()
		err := a.turn(ctx, func() error { return f(ctx, answer) })
		if err == nil {
			err = a.link.Answer(uid, answer)
		}
		if err != nil {
			a.stats.refused.Add(1)
		}
	})
}

// turn runs f when there are few others at it: each may take as much memory as all sockets
// of this server.
func (a *Adapter) turn(ctx context.Context, f func() error) error {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
		return f()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answer sends an answer at once.
func (a *Adapter) answer(uid string, m *Message) {
	m.UID = a.uid
	if err := a.link.Answer(uid, m); err != nil {
		a.stats.dropped.Add(1)
	}
}

// fetch answers FetchSockets.
func (a *Adapter) fetch(m *Message) {
	sel := m.Opts.selection()
	a.answerLater(m, func(ctx context.Context, answer *Message) error {
		found, err := a.MemoryAdapter.FetchSockets(ctx, sel)
		answer.Type, answer.Sockets = FetchSocketsResponse, make([]socketio.SocketState, len(found))
		for i, s := range found {
			answer.Sockets[i] = s.State()
			if h := answer.Sockets[i].Handshake; a.options.HideHandshake && h != nil {
				answer.Sockets[i].Handshake = &socketio.Handshake{Time: h.Time, Issued: h.Issued, Address: h.Address, XDomain: h.XDomain, Secure: h.Secure}
			}
		}
		return err
	})
}

// tellCount answers CountSockets.
func (a *Adapter) tellCount(m *Message) {
	sel := m.Opts.selection()
	a.answerLater(m, func(ctx context.Context, answer *Message) (err error) {
		answer.Type = CountSocketsResponse
		answer.Clients, err = a.MemoryAdapter.CountSockets(ctx, sel)
		return err
	})
}

// tellSizes answers RoomSizes.
func (a *Adapter) tellSizes(m *Message) {
	a.answerLater(m, func(ctx context.Context, answer *Message) (err error) {
		answer.Type = RoomSizesResponse
		answer.Sizes, err = a.MemoryAdapter.RoomSizes(ctx, true)
		return err
	})
}

func (o *Opts) selection() *socketio.Selection {
	return &socketio.Selection{Rooms: o.Rooms, Except: o.Except, Local: true}
}

// serverSide hands an event to those who listen here, and answers if that is wanted.
func (a *Adapter) serverSide(m *Message) error {
	e := &socketio.ServerSideEvent{Array: m.Packet.JSON, Attachments: m.Packet.Attachments}
	if m.RequestID == "" || m.UID == "" {
		return a.ServerSideEvent(e, nil)
	}
	uid, answer := m.UID, &Message{Type: ServerSideEmitResponse, RequestID: m.RequestID}
	return a.ServerSideEvent(e, func(args socketio.Args, err error) {
		switch {
		case err == nil:
			answer.Packet = a.packetOf(args)
		case a.ownPeer(uid):
			answer.Failed = failureText(err)
		default:
			return // Node's servers have no word for it
		}
		a.answer(uid, answer)
	})
}

// packetOf is what an acknowledgement is to others: Node's know its first value only.
func (a *Adapter) packetOf(args socketio.Args) Packet {
	if a.own {
		return Packet{JSON: []byte(args.String()), Attachments: args.Attachments()}
	}
	first := args.Raw(0)
	array, used, err := parser.AppendRenumbered([]byte{'['}, first, args.Attachments())
	if err != nil {
		return Packet{JSON: []byte("[]")}
	}
	return Packet{JSON: append(array, ']'), Attachments: used}
}

// servings are the broadcasts of other servers whose acknowledgements are waited for here.
type servings struct {
	mu  sync.Mutex
	all map[servingKey]*serving // guarded by mu
}

type servingKey struct{ uid, id string }

// add enters s; false where it is there already, or there are too many.
func (t *servings) add(s *serving, most int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[s.key] != nil || len(t.all) >= most {
		return false
	}
	if t.all == nil {
		t.all = make(map[servingKey]*serving)
	}
	t.all[s.key] = s
	return true
}

func (t *servings) remove(s *serving) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if delete(t.all, s.key); len(t.all) == 0 {
		t.all = nil
	}
}

func (t *servings) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// stop ends those that are chosen.
func (t *servings) stop(chosen func(*serving) bool) {
	var list []*serving
	t.mu.Lock()
	for _, s := range t.all {
		if chosen(s) {
			list = append(list, s)
		}
	}
	t.mu.Unlock()
	for _, s := range list {
		s.finish()
	}
}

// serving is one broadcast of another server: the sink of its sockets here.
type serving struct {
	adapter *Adapter   // immutable
	key     servingKey // immutable

	mu    sync.Mutex  // taken before that of servings
	timer *time.Timer // ends it; guarded by mu, and immutable once it is in the table
	end   func(error) // of the MemoryAdapter; guarded by mu
	asked int         // -1 while unknown; guarded by mu
	acks  int         // results so far; guarded by mu
	over  bool        // guarded by mu
}

var _ socketio.AckSink = (*serving)(nil)

// serve asks the sockets here, and passes on what they answer.
func (a *Adapter) serve(m *Message) error {
	s := &serving{adapter: a, key: servingKey{m.UID, m.RequestID}, asked: -1}
	if m.UID == "" || !s.begin(m.Opts.Timeout) {
		a.stats.refused.Add(1)
		return nil
	}
	end, err := a.MemoryAdapter.BroadcastWithAck(m.broadcast(), s)
	if err != nil {
		a.stats.refused.Add(1)
		s.finish()
		return nil
	}
	s.mu.Lock()
	over := s.over
	s.end = end
	s.mu.Unlock()
	if over {
		end(context.Canceled)
	}
	return nil
}

// begin enters it, for so long at most; false where there is no room. It may be over at
// once.
func (s *serving) begin(wait time.Duration) bool {
	if wait <= 0 || wait > longestTimer {
		wait = longestTimer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.adapter.polls.add(s, s.adapter.options.MaxRequests) {
		return false
	}
	s.timer = time.AfterFunc(wait, s.finish)
	return true
}

// Settled implements socketio.AckSink.
func (s *serving) Settled(sockets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.asked = sockets
	s.adapter.answer(s.key.uid, &Message{Type: BroadcastClientCount, RequestID: s.key.id, Clients: sockets})
	s.check()
}

// Answer implements socketio.AckSink.
func (s *serving) Answer(e socketio.AckAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.acks++
	own := s.adapter.ownPeer(s.key.uid)
	m := &Message{Type: BroadcastAck, RequestID: s.key.id}
	if own {
		m.SocketID = e.SocketID
	}
	switch {
	case e.Err == nil:
		m.Packet = s.adapter.packetOf(e.Args)
		s.adapter.answer(s.key.uid, m)
	case own:
		m.Failed = failureText(e.Err)
		m.Packet.JSON = []byte("[]")
		s.adapter.answer(s.key.uid, m)
	}
	s.check()
}

// check ends it when all have answered: elsewhere, as the caller holds locks. Called with
// mu held.
func (s *serving) check() {
	if s.acks == s.asked {
		s.timer.Reset(0)
	}
}

// finish ends it, once.
func (s *serving) finish() {
	s.mu.Lock()
	end, over, timer := s.end, s.over, s.timer
	s.over = true
	s.mu.Unlock()
	if over {
		return
	}
	timer.Stop()
	s.adapter.polls.remove(s)
	if end != nil {
		end(context.Canceled)
	}
}
