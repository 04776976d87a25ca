package tunnel

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// peer is another server, for as long as it is heard of.
type peer struct {
	tunnel   *Tunnel
	header                      // immutable
	before   uint64             // immutable: birth of who had the tag before
	waiting  atomic.Int64       // bytes that wait for readers here
	opening  sync.Mutex         // held while a stream gets its number and is told of, so that they go out in order
	heard    time.Time          // guarded by Tunnel.mu
	dialed   map[uint64]*Stream // guarded by Tunnel.mu
	accepted map[uint64]*Stream // guarded by Tunnel.mu
	newest   uint64             // guarded by Tunnel.mu: the latest stream that it has opened; a number does not come twice
	gone     bool               // guarded by Tunnel.mu: no stream is added any more
}

// Receive takes a message of another server; see Endpoint.
func (t *Tunnel) Receive(b []byte) {
	t.counters.messagesIn.Add(1)
	h, rest, err := parseHeader(b)
	if err != nil || len(b) > 2*maxMessage {
		t.counters.malformed.Add(1)
		return
	}
	if h.tag == t.self.tag {
		if h.birth != t.self.birth {
			t.clash()
		}
		return
	}
	p := t.hear(h)
	if p == nil {
		return
	}
	r := reply{tunnel: t, to: p.tag}
	defer r.send()
	for len(rest) > 0 {
		var f frame
		if f, rest, err = parseFrame(rest); err != nil {
			t.counters.malformed.Add(1)
			return
		}
		t.take(p, &f, &r)
	}
}

// reply is what is said to the sender of a message at once, of nothing that there is here:
// put together, so that a message of many small frames is not answered by as many messages.
type reply struct {
	tunnel *Tunnel
	to     string
	b      []byte
	here   bool // it was said that we are
}

func (r *reply) add(f *frame) {
	if len(r.b) > r.tunnel.options.Chunk {
		r.send()
	}
	if r.b == nil {
		r.b = r.tunnel.self.append(nil)
	}
	r.b = f.append(r.b)
}

func (r *reply) send() {
	if r.b != nil {
		_ = r.tunnel.sendBytes(r.to, r.b) // or it asks again
		r.b = nil
	}
}

// clash is told that somebody else has our tag.
func (t *Tunnel) clash() {
	t.counters.clashes.Add(1)
	t.mu.Lock()
	said := t.clashed
	t.clashed = true
	t.mu.Unlock()
	if !said {
		t.options.Logger.Error("tunnel: another server has the tag of this one: requests will reach the wrong one", "tag", t.self.tag)
	}
}

// hear notes that the sender of a message is there; nil where there is no room for it. One
// that was born anew is another one.
func (t *Tunnel) hear(h header) *peer {
	t.mu.Lock()
	p := t.peers[h.tag]
	if p != nil && p.birth == h.birth {
		p.heard = time.Now()
		t.mu.Unlock()
		return p
	}
	var before uint64
	if p != nil {
		if before = p.birth; p.before == h.birth { // a straggler
			t.mu.Unlock()
			return nil
		}
		delete(t.peers, h.tag)
	}
	next := t.add(h, before)
	t.mu.Unlock()
	if p != nil {
		t.counters.peersGone.Add(1)
		p.fail(ErrPeerGone)
	}
	return next
}

// add makes a peer. Called with mu held.
func (t *Tunnel) add(h header, before uint64) *peer {
	if t.closed || len(t.peers) >= t.options.MaxPeers {
		return nil
	}
	p := &peer{
		tunnel: t, header: h, before: before, heard: time.Now(),
		dialed: make(map[uint64]*Stream), accepted: make(map[uint64]*Stream),
	}
	t.peers[h.tag] = p
	return p
}

// take does what a frame says.
func (t *Tunnel) take(p *peer, f *frame, r *reply) {
	switch f.kind {
	case kindHello:
		if !r.here {
			r.here = true
			r.add(&frame{kind: kindHere})
		}
	case kindHere:
	case kindBye:
		t.part(p)
	case kindOpen:
		t.opened(p, f, r)
	default:
		if s := t.find(p, f); s != nil {
			s.take(f)
		} else if f.kind == kindData || f.kind == kindAlive || f.kind == kindFinish {
			r.refuse(f, causeReset)
		}
	}
}

// find returns the stream that a frame is about, or nil.
func (t *Tunnel) find(p *peer, f *frame) *Stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.dialed {
		return p.accepted[f.id]
	}
	return p.dialed[f.id]
}

// refuse tells the sender of a frame that there is no such stream, and why.
func (r *reply) refuse(f *frame, why cause) {
	r.add(&frame{kind: kindReset, dialed: !f.dialed, id: f.id, at: uint64(why)})
}

// opened takes a new stream.
func (t *Tunnel) opened(p *peer, f *frame, r *reply) {
	s, why, fresh := t.accept(p, f)
	switch {
	case s != nil:
		t.counters.accepted.Add(1)
		s.welcome(f.data)
	case fresh || why != causeReset: // a message that came twice is none
		t.counters.refused.Add(1)
		r.refuse(f, why)
	}
}

// accept makes the stream of an open frame, or says why not. fresh is false for one that
// there is already.
func (t *Tunnel) accept(p *peer, f *frame) (s *Stream, why cause, fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.listening
	switch {
	case !f.dialed || p.gone || p.accepted[f.id] != nil:
		return nil, causeReset, false
	case f.id <= p.newest: // out of order, or once more
		return nil, causeReset, true
	case l == nil:
		return nil, causeRefused, true
	case len(p.accepted) >= t.options.MaxStreams:
		return nil, causeBusy, true
	}
	s = newStream(t, p, false, append([]byte(nil), f.meta...))
	s.id, s.open, s.answered = f.id, true, true
	select {
	case l.streams <- s:
	default:
		return nil, causeBusy, true
	}
	p.newest = f.id
	p.accepted[f.id] = s
	return s, 0, true
}

// register enters a stream that we open, and gives it a number. Called with opening held.
func (p *peer) register(s *Stream) error {
	t := p.tunnel
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return net.ErrClosed
	case p.gone:
		return ErrPeerGone
	case len(p.dialed) >= t.options.MaxStreams:
		return ErrBusy
	}
	t.lastID++
	s.id = t.lastID
	p.dialed[s.id] = s
	t.counters.dialed.Add(1)
	return nil
}

// forget removes a stream that is over.
func (p *peer) forget(s *Stream) {
	p.tunnel.mu.Lock()
	defer p.tunnel.mu.Unlock()
	if s.dialed {
		delete(p.dialed, s.id)
	} else {
		delete(p.accepted, s.id)
	}
}

// Gone says that nobody has that tag any more; see Endpoint.
func (t *Tunnel) Gone(tag string) {
	t.mu.Lock()
	p := t.peers[tag]
	t.mu.Unlock()
	if p != nil {
		t.part(p)
	}
}

// part gives up a peer and its streams.
func (t *Tunnel) part(p *peer) {
	t.mu.Lock()
	known := t.peers[p.tag] == p
	if known {
		delete(t.peers, p.tag)
	}
	t.mu.Unlock()
	if known {
		t.counters.peersGone.Add(1)
	}
	p.fail(ErrPeerGone)
}

// fail ends every stream of the peer.
func (p *peer) fail(err error) {
	for _, s := range p.streams(true) {
		s.fail(err)
	}
}

// streams returns all of them; last says that there are to be no more.
func (p *peer) streams(last bool) []*Stream {
	p.tunnel.mu.Lock()
	defer p.tunnel.mu.Unlock()
	p.gone = p.gone || last
	all := make([]*Stream, 0, len(p.dialed)+len(p.accepted))
	for _, s := range p.dialed {
		all = append(all, s)
	}
	for _, s := range p.accepted {
		all = append(all, s)
	}
	return all
}
