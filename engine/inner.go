package engine

import (
	"bytes"
	"context"
	"math"
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/fanfare-go/fanfare/ws"
)

// A server may also be without a network: one loop on a goroutine of its own,
// without gnet and descriptors, and clients within the process that give it packets
// and are given packets. All of it waits on channels only, so that it works inside of
// a testing/synctest bubble. What is above connections is what it is over a network:
// sessions, heartbeats, groups, the order of a loop's queue.

// StartInner starts the server without a network, in place of Listen, for clients
// opened with OpenInner. Serve and Shutdown are the same. Errors: ErrListening.
func (s *Server) StartInner() error {
	return s.start(func() error {
		if s.opts.MaxConnections <= 0 {
			s.opts.MaxConnections = math.MaxInt32
		}
		l, err := newLoop(s, nil)
		if err != nil {
			return err
		}
		s.loopsMu.Lock()
		s.loops.Store(&[]*loop{l})
		s.loopsMu.Unlock()
		stop := make(chan struct{})
		s.halt = func(context.Context) { close(stop) } // called once
		go func() {
			l.runInner(stop)
			s.loopsEnded(nil)
		}()
		return nil
	})
}

// runInner is what gnet does for other loops.
func (l *loop) runInner(stop <-chan struct{}) {
	for {
		select {
		case <-l.self.bell:
			l.self.heard()
		case <-stop:
			l.cutInner()
			return
		}
	}
}

// cutInner ends the sessions that are left when the loop stops.
func (l *loop) cutInner() {
	l.enter()
	defer l.leave()
	for _, s := range l.sessions {
		if s != nil {
			s.close(ReasonServerShutdown, byServer)
		}
	}
}

// InnerReceiver gets what a client within the process is sent. Its methods are called
// on the loop, one at a time, and must not block; data is valid until they return.
type InnerReceiver interface {
	// Text is one text message, without the Engine.IO type digit.
	Text(data []byte)
	// Binary is one binary message.
	Binary(data []byte)
	// Closed is the last call, when the server has ended the session for that reason.
	Closed(reason Reason)
}

// Inner is the client's side of a session within the process. Its methods are safe
// for concurrent use and do not block. It answers pings by itself.
type Inner struct {
	session *Session // immutable
	recv    InnerReceiver
	silent  bool // loop-only: pings are not answered any more
}

// OpenInner opens a session within the process. The request stands for the one that a
// client over WebSocket sends: its target, header and the peer's address are what the
// floor above is told of it. No hook of Options and no middleware sees it. Errors:
// ErrNotListening without StartInner, or after Shutdown; ErrFull where a client of a
// network would be answered 503.
func (s *Server) OpenInner(r *http.Request, peer Peer, recv InnerReceiver) (*Inner, error) {
	l := s.anyLoop()
	if l == nil || l.el != nil {
		return nil, ErrNotListening
	}
	head := http1.AppendRequestHead(nil, r)
	k := &Inner{recv: recv}
	var err error
	done := make(chan struct{})
	posted := l.post(task{kind: taskRun, fn: func() {
		defer close(done)
		switch {
		case s.draining.Load():
			err = ErrNotListening
		case s.emptying.Load(), s.crowded(), !l.admit():
			err = ErrFull
		default:
			k.session = l.openInner(k, head, peer)
		}
	}})
	if !posted {
		return nil, ErrNotListening
	}
	select {
	case <-done:
	case <-s.done:
		return nil, ErrNotListening
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// openInner is newSession for a client within the process. Loop-only.
func (l *loop) openInner(k *Inner, head []byte, peer Peer) *Session {
	s := &Session{loop: l, poll: &polling{inner: k}}
	s.request.Store(newRequest(head, peer, l.now+ticks(l.srv.opts.ConnectTimeout)))
	s.set(flagWebSocket)
	l.srv.table.add(s)
	l.enlist(s)
	l.stats.opened.Add(1)
	l.srv.gauges.of(WebSocket).Add(1)
	s.startHeartbeat()
	k.session = s
	s.accept()
	return s
}

// Text sends a text message to the server; data is copied.
func (k *Inner) Text(data []byte) {
	k.receive(packet.Packet{Type: packet.Message, Data: bytes.Clone(data)})
}

// Binary sends a binary message to the server; data is copied.
func (k *Inner) Binary(data []byte) {
	k.receive(packet.Packet{Binary: true, Data: bytes.Clone(data)})
}

// receive hands a packet to the session. What is too large ends it, as over WebSocket.
func (k *Inner) receive(p packet.Packet) {
	s := k.session
	s.Run(func() {
		if int64(len(p.Data)) > s.loop.srv.opts.MaxHTTPBufferSize {
			s.close(ReasonTransportError, byServer)
			return
		}
		_ = s.received(p)
	})
}

// Close ends the session as a client does that closes its connection: with
// ReasonTransportClose.
func (k *Inner) Close() { k.session.Run(func() { k.session.close(ReasonTransportClose, byPeer) }) }

// Silence has pings go unanswered from now on, as when a client's network is lost: the
// session ends with ReasonPingTimeout in its time.
func (k *Inner) Silence() { k.session.Run(func() { k.silent = true }) }

// flushInner hands over what waits.
func (s *Session) flushInner() {
	p := s.poll
	if s.has(flagClosed) {
		return
	}
	s.handInner()
	if p.flags&pollPing == 0 {
		return
	}
	p.flags &^= pollPing
	if !p.inner.silent {
		_ = s.received(packet.Packet{Type: packet.Pong})
	}
}

// handInner hands the waiting frames over and releases them.
func (s *Session) handInner() {
	recv := s.poll.inner.recv
	for _, f := range s.poll.frames {
		for op, data, rest, ok := ws.NextFrame(f.plain()); ok; op, data, rest, ok = ws.NextFrame(rest) {
			if op == ws.OpBinary {
				recv.Binary(data)
			} else {
				recv.Text(data[1:]) // behind Engine.IO's type
			}
		}
	}
	s.dropQueue()
}

// closeInner hands over what waited, and tells the client of the end.
func (s *Session) closeInner(reason Reason) {
	s.handInner()
	s.poll.inner.recv.Closed(reason)
	s.remove()
}

// SettleInner returns when the loop has done what was queued up to now and what that
// queued in turn, and all of it that was sent has reached the clients. It returns the
// number of packets that clients have sent until then; false when the server has
// stopped, or was started otherwise.
func (s *Server) SettleInner() (packets uint64, ok bool) {
	l := s.anyLoop()
	if l == nil || l.el != nil {
		return 0, false
	}
	done := make(chan struct{})
	settle := func() {
		l.settle()
		packets = l.stats.packetsIn.Load()
		close(done)
	}
	ok = l.post(task{kind: taskRun, fn: func() { // an echo is queued by now, not before
		l.post(task{kind: taskRun, fn: settle})
	}})
	if !ok {
		return 0, false
	}
	select {
	case <-done:
		return packets, true
	case <-s.done:
		return 0, false
	}
}
