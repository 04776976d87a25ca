package cluster

import (
	"context"
	"errors"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

const (
	maxMissing = 1 << 18 // results of sockets that have not answered, and are not known by id
	maxPolled  = 4096    // servers that one poll knows the UIDs of

	// maxUnsettled is how many answers are taken before all servers have said how many
	// sockets they have.
	maxUnsettled = 1 << 20

	// What a poll keeps of the answers that come before it is known who was asked.
	maxEarly      = 1 << 16
	maxEarlyBytes = 16 << 20
)

// poll is a broadcast of this server whose receivers acknowledge it: the sockets here,
// and those of each of the other servers, which says how many there are. It is the sink
// of all of them, and makes one of them for the caller.
type poll struct {
	adapter *Adapter         // immutable
	id      string           // immutable: of the request
	sink    socketio.AckSink // immutable
	cancel  context.CancelFunc

	// All below guarded by mu, which is held while sink is called.
	mu      sync.Mutex
	here    int                 // sockets of this server; -1 while unknown
	known   bool                // who is asked
	left    int                 // servers that have not said how many sockets they have
	uids    map[string]struct{} // of the servers that are asked; nil where not known
	peers   map[string]*polled  // by UID; all those without one are one
	sockets int                 // of the others
	early   []polledAnswer      // came before known
	bytes   int                 // of these
	acks    int                 // of the others
	failed  error               // the others could not be asked
	settled bool
	over    bool
}

// polled is what one server has said.
type polled struct {
	sockets int // -1 while unknown
	acks    int
	seen    map[string]struct{} // sockets that have answered, where they are named
}

// polledAnswer is a BroadcastClientCount, or a BroadcastAck.
type polledAnswer struct {
	uid, socket string
	count       int  // -1 for an acknowledgement
	gone        bool // nothing but that the server is
	args        socketio.Args
	err         error
}

// BroadcastWithAck implements socketio.Adapter.
func (a *Adapter) BroadcastWithAck(b *socketio.Broadcast, sink socketio.AckSink) (stop func(reason error), err error) {
	if b.Flags.Local {
		return a.MemoryAdapter.BroadcastWithAck(b, sink)
	}
	p := &poll{adapter: a, sink: sink, here: -1, peers: make(map[string]*polled)}
	if p.id, err = a.requests.open(p, a.options.MaxRequests); err != nil {
		return nil, err
	}
	own, err := a.MemoryAdapter.BroadcastWithAck(b, pollHere{p})
	if err != nil {
		a.requests.remove(p.id)
		return nil, err
	}
	wait := b.Timeout
	if wait <= 0 {
		wait = longestTimer
	}
	err = a.publish(&Message{
		Type: Broadcast, RequestID: p.id, Packet: Packet{JSON: b.Array, Attachments: b.Attachments},
		Opts: Opts{Rooms: b.Rooms, Except: b.Except, Flags: b.Flags, Timeout: wait},
	})
	ctx, cancel := context.WithTimeout(a.base, min(wait, a.options.RequestTimeout))
	p.cancel = cancel
	if err != nil {
		p.fail(err)
	} else if !a.spawn(func() { p.count(ctx) }) {
		p.fail(ErrClosed)
	}
	return func(reason error) { own(reason); p.stop(reason) }, nil
}

// count finds out who was asked, in a goroutine of its own.
func (p *poll) count(ctx context.Context) {
	defer p.cancel()
	n, uids, err := p.adapter.link.Others(ctx)
	if err != nil {
		p.fail(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.known {
		return
	}
	p.known, p.left = true, n
	if uids != nil {
		p.uids = setOf(uids)
		p.left = len(p.uids)
	}
	early := p.early
	p.early = nil
	for _, e := range early {
		if e.gone {
			p.depart(e.uid)
		} else {
			p.take(e)
		}
	}
	p.settle()
}

// receive implements pending.
func (p *poll) receive(m *Message) bool {
	e := polledAnswer{uid: m.UID, socket: m.SocketID, count: -1}
	switch {
	case m.Type == BroadcastClientCount:
		e.count = m.Clients
	case m.Failed != "":
		e.err = failure(m.Failed)
	default:
		e.args, e.err = p.adapter.ParseArgs(m.Packet.JSON, m.Packet.Attachments)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over || p.failed != nil:
		return false
	case p.known:
		return p.take(e)
	}
	size := len(m.Packet.JSON)
	for _, b := range m.Packet.Attachments {
		size += len(b)
	}
	if len(p.early) >= maxEarly || p.bytes+size > maxEarlyBytes {
		return false
	}
	p.bytes += size
	p.early = append(p.early, e)
	return true
}

// take looks whether the answer is one that is waited for. Called with mu held.
func (p *poll) take(e polledAnswer) bool {
	if p.uids != nil {
		if _, asked := p.uids[e.uid]; !asked {
			return false
		}
	}
	q := p.peers[e.uid]
	if q == nil {
		if len(p.peers) >= maxPolled {
			return false
		}
		q = &polled{sockets: -1}
		p.peers[e.uid] = q
	}
	if e.count >= 0 {
		return p.counted(q, e)
	}
	if q.sockets >= 0 && q.acks >= q.sockets && e.uid != "" || p.settled && p.acks >= p.sockets {
		return false // more than there are sockets
	}
	if !p.settled && p.acks >= maxUnsettled {
		return false
	}
	if e.socket != "" {
		if _, twice := q.seen[e.socket]; twice {
			return false
		}
		if q.seen == nil {
			q.seen = make(map[string]struct{})
		}
		q.seen[e.socket] = struct{}{}
	}
	q.acks++
	p.acks++
	p.sink.Answer(socketio.AckAnswer{SocketID: e.socket, Args: e.args, Err: e.err})
	return true
}

// counted takes how many sockets a server has asked. Called with mu held.
func (p *poll) counted(q *polled, e polledAnswer) bool {
	if p.left == 0 || e.uid != "" && q.sockets >= 0 {
		return false
	}
	n := e.count
	if e.uid != "" {
		n = max(n, q.acks) // what has answered was asked
	}
	q.sockets = max(q.sockets, 0) + n
	p.sockets += n
	p.left--
	p.settle()
	return true
}

// settle tells the caller once all is known. Called with mu held.
func (p *poll) settle() {
	if p.settled || p.over || p.here < 0 || !p.known || p.left > 0 {
		return
	}
	p.settled = true
	p.sockets = max(p.sockets, p.acks)
	p.sink.Settled(p.here + p.sockets)
}

// gone implements pending.
func (p *poll) gone(uid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over:
	case p.known:
		p.depart(uid)
	case len(p.early) < maxEarly:
		p.early = append(p.early, polledAnswer{uid: uid, gone: true})
	}
}

// depart strikes off a server, if it was asked: its sockets are disconnected. Called with
// mu held.
func (p *poll) depart(uid string) {
	if _, asked := p.uids[uid]; !asked {
		return
	}
	p.take(polledAnswer{uid: uid})
	for q := p.peers[uid]; q != nil && q.acks < min(q.sockets, maxMissing); {
		q.acks++
		p.acks++
		p.sink.Answer(socketio.AckAnswer{Err: socketio.ErrDisconnected})
	}
	delete(p.uids, uid)
}

// fail implements pending: the answer of those that cannot be asked is one error.
func (p *poll) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.failed != nil || p.settled {
		return
	}
	p.failed = err
	for _, e := range p.early {
		if e.count < 0 && !e.gone {
			p.take(e)
		}
	}
	p.sink.Answer(socketio.AckAnswer{Err: &IncompleteError{Err: err}})
	p.early, p.known, p.left = nil, true, 0
	p.sockets = p.acks + 1
	p.settle()
}

// stop ends the poll; see socketio.Adapter. Those of this server have been told.
func (p *poll) stop(reason error) {
	p.adapter.requests.remove(p.id)
	p.cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	missing := 0
	if p.failed == nil {
		missing = p.missing()
	}
	for range min(missing, maxMissing) { // what others say of themselves may be wrong
		p.sink.Answer(socketio.AckAnswer{Err: reason})
	}
	if missing > 0 && errors.Is(reason, context.DeadlineExceeded) {
		p.adapter.stats.timedOut.Add(1)
	}
	if p.here >= 0 && !p.settled {
		p.sink.Settled(p.here + p.acks + missing)
	}
	p.over = true
}

// missing returns how many results there are to come: one for each socket, and one for
// each server that has not said how many. Called with mu held.
func (p *poll) missing() int {
	n := max(p.left, 0)
	if !p.known {
		n = 1
	}
	for _, q := range p.peers {
		n += max(q.sockets-q.acks, 0)
	}
	return n
}

// pollHere is the sink of the sockets of this server.
type pollHere struct{ *poll }

// Answer implements socketio.AckSink.
func (h pollHere) Answer(e socketio.AckAnswer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.sink.Answer(e)
	}
}

// Settled implements socketio.AckSink.
func (h pollHere) Settled(sockets int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.here = sockets
	h.settle()
}
