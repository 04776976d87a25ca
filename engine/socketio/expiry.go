package socketio

import (
	"context"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// ExpireAt says until when the socket may stay, such as until its token expires. At
// that time it is disconnected with [ReasonExpired]; what its handlers have begun goes
// on, and what its client sent before is dropped where no handler has seen it. A later
// call replaces the time, the zero time takes it away. It works from the first
// middleware on; nothing happens where the socket is gone.
//
// The client is sent the event Options.ExpiredEvent, "expired" by default, and then a
// DISCONNECT: the stock client's "disconnect" says "io server disconnect", and it does
// not come back by itself. What it does with the event is up to it: get a new
// token and call socket.connect(), as the auth function is asked again. Before that,
// [Namespace.OnExpiring] may ask it for one while it is connected.
//
// Connection state recovery keeps the time: a socket whose time is over is not
// recovered, and one that is has the same time as before. A [SessionAdapter] does
// not carry it to other servers: middlewares or OnConnect have to set it there.
//
// There is one timer for all sockets, and nothing for those that have no such time.
// Node has no such method.
func (s *Socket) ExpireAt(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state > connected {
		return
	}
	s.expireAt(t)
	if r := s.returnable(); r != nil {
		s.nsp.server.log.expireAt(r, t)
	}
}

// expireAt is ExpireAt without recovery. Called with mu held.
func (s *Socket) expireAt(t time.Time) {
	x := &s.nsp.server.expiries
	if t.IsZero() {
		x.forget(s)
		return
	}
	notice := time.Duration(0)
	if len(s.nsp.table.Load().expiring) > 0 {
		notice = s.nsp.server.options.ExpiryNotice
	}
	s.set(expires)
	x.enter(s, t, notice)
}

// Expires returns the time of ExpireAt; false where there is none, or the socket is gone.
func (s *Socket) Expires() (t time.Time, ok bool) {
	t = s.nsp.server.expiries.of(s)
	return t, !t.IsZero()
}

// OnExpiring registers fn for sockets whose time of [Socket.ExpireAt] will soon be
// over: Options.ExpiryNotice before, or after half of the time where that is later.
// It runs among the socket's handlers, one at a time and in order, so that one that is
// at work delays it, but not the end itself. It may ask the client for a new token
// (EmitWithAck) and call ExpireAt again, after which it is called again in time. Its
// error goes to OnError, and changes nothing. Register it before ExpireAt is called.
func (n *Namespace) OnExpiring(fn func(ctx context.Context, s *Socket) error) {
	n.edit(func(t *table) { t.expiring = with(t.expiring, fn) })
}

// OnExpiring registers fn for sockets of the default namespace; see
// [Namespace.OnExpiring].
func (v *Server) OnExpiring(fn func(ctx context.Context, s *Socket) error) { v.main.OnExpiring(fn) }

// noteExpiring has the functions of OnExpiring called.
func (s *Socket) noteExpiring() {
	s.mu.Lock()
	schedule := s.state <= connected && s.push(entry{kind: entryExpiring})
	s.mu.Unlock()
	if schedule {
		s.nsp.server.schedule(s)
	}
}

// expiring calls the functions of OnExpiring.
func (s *Socket) expiring() {
	ctx := s.Context()
	for _, fn := range s.nsp.table.Load().expiring {
		if !s.Connected() {
			return
		}
		if err := fn(ctx, s); err != nil {
			s.report(ctx, err)
		}
	}
}

// runOut disconnects a socket whose time is over, if it is so still: the hook may have
// won at the last moment. One that is on its way in is looked at again.
func (s *Socket) runOut() {
	x := &s.nsp.server.expiries
	s.mu.Lock()
	schedule := false
	if s.state == connected && x.isOver(s) {
		x.count()
		s.tellExpiry()
		schedule = s.depart(ReasonExpired, kicked)
		s.set(muted)
	}
	s.mu.Unlock()
	s.nsp.flushWatchers()
	if schedule {
		s.nsp.server.schedule(s)
	}
}

// noExpiredEvent is the name of Options.ExpiredEvent that stands for none.
const noExpiredEvent = "-"

// tellExpiry sends Options.ExpiredEvent. Called with mu held.
func (s *Socket) tellExpiry() {
	name := s.nsp.server.options.ExpiredEvent
	if name == noExpiredEvent {
		return
	}
	e, err := s.nsp.encodeEvent(name, nil)
	if err != nil {
		return
	}
	defer e.free()
	f, err := e.frame(parser.Event, s.nsp, 0, false)
	if err != nil { // of Options.Parser
		return
	}
	f.SetKept()
	s.client.session.Send(f)
	f.Release()
}

// expireAt keeps the time for the socket that is recovered. Called with the socket's
// lock held.
func (l *eventLog) expireAt(r *recoverable, t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.expires = t
}

// expiryOf returns the time of a socket that is being recovered; the zero time for none.
func (l *eventLog) expiryOf(r *recoverable) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.expires
}

// isExpired reports whether r may not return for its time's sake. Called with mu held.
func (r *recoverable) isExpired() bool { return !r.expires.IsZero() && !r.expires.After(time.Now()) }
