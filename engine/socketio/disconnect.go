package socketio

import "github.com/fanfare-go/fanfare/engine/parser"

// leaver is a function that one socket calls when it leaves.
type leaver struct {
	run    func(Reason)
	before bool // while the rooms are still set
}

// OnDisconnecting registers fn for the end of this socket, while it still has its
// rooms. It is not called when the socket is gone already. Node: "disconnecting".
func (s *Socket) OnDisconnecting(fn func(Reason)) { s.onLeave(leaver{fn, true}) }

// OnDisconnect registers fn for the end of this socket, when its rooms are left.
// It is not called when the socket is gone already. Where the same function
// serves every socket, [Namespace.OnDisconnect] costs nothing per socket; it also
// says what the order of sockets of one client is. Node: "disconnect".
func (s *Socket) OnDisconnect(fn func(Reason)) { s.onLeave(leaver{fn, false}) }

func (s *Socket) onLeave(l leaver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.is(left) {
		r := s.need()
		r.leaving = append(r.leaving, l)
	}
}

// Disconnect takes the socket out of its namespace: the client is sent a
// DISCONNECT packet, after what was emitted before, and events of it that no
// handler has seen yet are dropped, even where the client has left before. The
// connection lives on for other namespaces unless hangUp is true: then each of its
// sockets is disconnected and the connection closed. A socket that is not
// connected yet, because a middleware is at it, is refused by that middleware's
// error only; hangUp closes its connection all the same. Node: socket.disconnect.
func (s *Socket) Disconnect(hangUp bool) {
	if !hangUp {
		s.end(ReasonServerNamespaceDisconnect, kicked)
		return
	}
	for _, each := range s.client.sockets() {
		each.end(ReasonServerNamespaceDisconnect, kicked)
	}
	s.client.session.Close()
}

// leave is the client's DISCONNECT packet. Loop-only.
func (s *Socket) leave() error {
	s.mu.Lock()
	state := s.state
	s.mu.Unlock()
	if state != connected && state != kicked {
		return ErrNotJoined
	}
	s.end(ReasonClientNamespaceDisconnect, gone)
	return nil
}

// end takes the socket out of everything, once, and has its disconnect functions
// called after the events it received before. What waits for it (contexts,
// acknowledgements) is told at once. The server's side of it, kicked, is for
// sockets that are connected: one on its way in is up to its middleware.
func (s *Socket) end(r Reason, to state) {
	s.mu.Lock()
	schedule := false
	switch {
	case s.state == connecting && to == gone:
		s.state = gone
		s.nsp.sockets.remove(s) // where a panic of the Parser kept it from being let in
		_, left := s.nsp.server.log.depart(s, r)
		s.quit(left)
		s.empty()
		s.wake()
		s.nsp.server.part(s.nsp)
	case s.state == connected:
		schedule = s.depart(r, to)
	case s.state == kicked && to == gone:
		s.state = gone
	}
	if to == kicked && s.state != connecting {
		s.set(muted)
	}
	s.mu.Unlock()
	s.nsp.flushWatchers()
	if schedule {
		s.nsp.server.schedule(s)
	}
}

// depart ends a connected socket and reports whether its goodbye is to be
// scheduled. The DISCONNECT packet goes out under the same lock that ends the
// socket: later, it could reach the client behind the answer to its next CONNECT,
// and end the new socket there. Called with mu held.
func (s *Socket) depart(r Reason, to state) (schedule bool) {
	s.state = to
	s.withdraw(r, to == gone && r != ReasonClientNamespaceDisconnect)
	if s.box != nil || s.is(onLoop) || s.hasGoodbye() {
		schedule = s.push(entry{kind: entryGoodbye, reason: r})
	} else {
		s.empty()
		s.nsp.server.part(s.nsp)
	}
	s.wake()
	if to == kicked {
		nsp := s.nsp.name
		s.client.send(len(nsp)+4, func(b []byte) []byte {
			return parser.AppendHeader(b, parser.Disconnect, 0, nsp, 0, false)
		})
	}
	return schedule
}

// withdraw takes the socket out of its namespace's table and groups; the rooms
// stay for the user to see. The groups of a session that has closed are left
// already. Called with mu held.
func (s *Socket) withdraw(reason Reason, closed bool) {
	s.nsp.sockets.remove(s)
	if !closed {
		s.client.session.Leave(s.nsp.everyone)
	}
	waits, _ := s.nsp.server.log.depart(s, reason)
	if s.rare != nil && len(s.rare.rooms) > 0 && !waits {
		s.nsp.adapter.LeaveAll(s, s.rare.rooms, closed)
	}
	if !waits {
		s.leaveID()
	}
	s.watchGone(reason)
}

// leaveID tells the adapter that the socket's id is no room any more. Called with mu held.
func (s *Socket) leaveID() {
	if n := s.nsp; n.ids != nil && n.sockets.find(string(s.id[:])) == nil {
		n.ids.LeaveID(s.ID())
	}
}

// hasGoodbye reports whether anybody wants to know of the end. Called with mu held.
func (s *Socket) hasGoodbye() bool {
	t := s.nsp.table.Load()
	return len(t.disconnecting) > 0 || len(t.disconnect) > 0 || s.nsp.sessions() != nil || s.rare != nil && len(s.rare.leaving) > 0
}

// empty leaves the rooms as far as the user sees, and returns the functions to
// call afterwards. Called with mu held.
func (s *Socket) empty() (leaving []leaver) {
	s.set(left)
	if own := s.own(); own != nil && len(own.outgoing) > 0 {
		s.nsp.overhearing.watch(s, false)
	}
	if s.rare != nil {
		leaving, s.rare.leaving = s.rare.leaving, nil
		s.rare.rooms = nil
		s.trim()
	}
	return leaving
}

// goodbye calls the disconnect functions: this socket's own, then its
// namespace's. Each is called even if one before it panics.
func (s *Socket) goodbye(r Reason) {
	ctx := s.nsp.server.base
	t := s.nsp.table.Load()
	s.mu.Lock()
	var leaving []leaver
	if s.rare != nil {
		leaving = s.rare.leaving
	}
	s.mu.Unlock()
	for _, l := range leaving {
		if l.before {
			s.protect(func() { l.run(r) })
		}
	}
	for _, fn := range t.disconnecting {
		s.protect(func() { fn(ctx, s, r) })
	}
	s.protect(s.persist)
	s.mu.Lock()
	leaving = s.empty()
	s.mu.Unlock()
	for _, l := range leaving {
		if !l.before {
			s.protect(func() { l.run(r) })
		}
	}
	for _, fn := range t.disconnect {
		s.protect(func() { fn(ctx, s, r) })
	}
}

// wake tells whoever waits for the socket's end. None of it blocks or calls what
// the user wrote, so it is done with mu held, in one step with the change of state:
// who sees that a context has an error finds it done, too.
func (s *Socket) wake() {
	if s.is(surveyed) {
		s.nsp.surveys.gone(s)
	}
	if s.is(expires) {
		s.nsp.server.expiries.forget(s)
	}
	if s.rare == nil {
		return
	}
	for _, a := range s.rare.acks {
		a.answer <- answer{err: ErrDisconnected} // there is room for one
	}
	s.rare.acks = nil
	if l := s.rare.life; l != nil {
		if l.done != nil {
			close(l.done)
		}
		for _, a := range l.after {
			go a.run()
		}
		s.rare.life = nil
	}
	s.trim()
}
