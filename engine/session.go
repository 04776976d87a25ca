package engine

import (
	"net"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/internal/rooms"
	"github.com/fanfare-go/fanfare/engine/internal/wheel"
)

// Receiver gets what one session receives. Every method is called on the
// session's loop, one at a time, and must not block; slices are valid until the
// call returns.
type Receiver interface {
	// Text is one text message, without the Engine.IO type digit; valid UTF-8. An
	// error closes the session with ReasonForcedClose, which is Node's reason for
	// every violation of the protocol above.
	Text(data []byte) error
	// Binary is one binary message.
	Binary(data []byte) error
	// Closed is the last call, exactly once.
	Closed(reason Reason)
}

// Session is one Engine.IO session: it outlives the HTTP requests of polling and
// the change to WebSocket. Exported methods are safe for concurrent use.
//
// Budget: 160 bytes (a size class), held by a test. Nothing hangs on an idle
// session: no goroutine, no timer of the runtime, no map, no buffer.
type Session struct {
	loop    *loop    // immutable
	recv    Receiver // loop-only
	conn    *conn    // loop-only: the WebSocket, once that is the transport
	poll    *polling // loop-only: nil once WebSocket is the transport
	cork    *cork    // loop-only: what is held for the end of the turn; nil for nothing
	request atomic.Pointer[Request]
	timer   wheel.Links[Session] // loop-only
	due     uint64               // loop-only: tick of the next heartbeat step
	rooms   rooms.List           // loop-only
	slot    uint32               // loop-only: number in the loop's slab
	flags   atomic.Uint32        // sessionFlag bits, written on the loop but for established
	id      sessionID            // immutable; unknown to the client where the application named the session
	waits   uint8                // loop-only: marks of the heldQueues it is in
}

type sessionFlag = uint32

const (
	flagEstablished  sessionFlag = 1 << iota // the floor above is content: no connect timeout
	flagClosed                               // Receiver.Closed was called
	flagWebSocket                            // the transport is WebSocket
	flagAwaitingPong                         // a ping is out
	flagShortBeat                            // the next ping comes after half an interval, once
	flagDirty                                // in loop.dirty
	flagLingering                            // closed, but kept for one more poll
	flagGone                                 // out of the table, slot given back
	flagEIO3                                 // the client speaks revision 3; set before anybody else sees the session
	flagBase64                               // the client's polling wants binary as base64
	flagNamed                                // the application gave its id: see names
	flagGraced                               // the ping that is out was given more time once
	flagWebTransport                         // the WebSocket stands for WebTransport
	flagWaiting                              // the client does not take what waits for it
	flagDeflated                             // its WebSocket has agreed to permessage-deflate
)

func (s *Session) has(f sessionFlag) bool { return s.flags.Load()&f != 0 }
func (s *Session) set(f sessionFlag)      { s.flags.Or(f) }
func (s *Session) clear(f sessionFlag)    { s.flags.And(^f) }

// WheelLinks lets the loop's timing wheel hold sessions.
func (s *Session) WheelLinks() *wheel.Links[Session] { return &s.timer }

// ID returns the Engine.IO session id, a secret between server and client, as it is on the
// wire: with Options.NodeTag in front.
func (s *Session) ID() string {
	t := &s.loop.srv.table
	switch {
	case s.has(flagNamed):
		return string(t.tag) + t.names.of(s)
	case len(t.tag) > 0:
		b := make([]byte, 0, maxTagBytes+1+len(s.id))
		return string(append(append(b, t.tag...), s.id[:]...))
	}
	return string(s.id[:])
}

// Send queues f for this session, in the order of the caller's other sends,
// publishes, joins and leaves. It takes a reference of its own, never blocks, and
// is dropped silently where the session is closed.
func (s *Session) Send(f *Frame) {
	if s.has(flagDeflated) && (!f.attached || !s.has(flagEIO3|flagBase64)) {
		s.loop.srv.ahead(f)
	}
	f.retain(1)
	if !s.loop.post(task{kind: taskSend, session: s, frame: f}) {
		f.release(1)
	}
}

// Join makes the session a member of the group for whatever its caller publishes
// next. The engine leaves all groups when the session closes.
func (s *Session) Join(group string) {
	s.loop.post(task{kind: taskJoin, session: s, group: group})
}

// Leave undoes Join.
func (s *Session) Leave(group string) {
	s.loop.post(task{kind: taskLeave, session: s, group: group})
}

// Close ends the session with ReasonForcedClose after what was sent before.
func (s *Session) Close() {
	s.loop.post(task{kind: taskClose, session: s})
}

// Run calls fn on the session's loop, in order with the caller's sends. fn must
// not block. It is not called when the server has stopped.
func (s *Session) Run(fn func()) {
	s.loop.post(task{kind: taskRun, session: s, fn: fn})
}

// Established ends the watch of ConnectTimeout.
func (s *Session) Established() { s.set(flagEstablished) }

// Transport returns how the session's bytes travel at this moment.
func (s *Session) Transport() Transport {
	switch f := s.flags.Load(); {
	case f&flagWebTransport != 0:
		return WebTransport
	case f&flagWebSocket != 0:
		return WebSocket
	}
	return Polling
}

// Request returns the request that opened the session, or nil after ReleaseRequest.
func (s *Session) Request() *Request { return s.request.Load() }

// ReleaseRequest lets the bytes of the opening request go, for the next session to
// use; a Request that somebody still holds has lost them. It does nothing before
// Established.
func (s *Session) ReleaseRequest() {
	if !s.has(flagEstablished) {
		return
	}
	if r := s.request.Swap(nil); r != nil {
		r.release()
	}
}

// RemoteAddr returns the address of the peer that opened the session; nil when it
// has been released with the request.
func (s *Session) RemoteAddr() net.Addr {
	if r := s.request.Load(); r != nil && r.remote.IsValid() {
		return net.TCPAddrFromAddrPort(r.RemoteAddr())
	}
	return nil
}
