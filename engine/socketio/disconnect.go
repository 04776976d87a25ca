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
// serves every socket, [Namespace.OnDisconnect] costs nothing per socket. Node:
// "disconnect".
func (s *Socket) OnDisconnect(fn func(Reason)) { s.onLeave(leaver{fn, false}) }

func (s *Socket) onLeave(l leaver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.left {
		r := s.need()
		r.leaving = append(r.leaving, l)
	}
}

// Disconnect takes the socket out of its namespace: the client is sent a
// DISCONNECT packet, after what was emitted before, and events of it that no
// handler has seen yet are dropped. The connection lives on for other namespaces
// unless close is true: then each of its sockets is disconnected and the
// connection closed. A socket that is not connected yet, because a middleware is
// at it, is refused by that middleware's error only; close closes its connection
// all the same. Node: socket.disconnect.
func (s *Socket) Disconnect(close bool) {
	if !close {
		s.kick()
		return
	}
	for _, each := range s.client.sockets() {
		each.kick()
	}
	s.client.session.Close()
}

// kick disconnects a socket that is connected, and says so to its client.
func (s *Socket) kick() {
	s.mu.Lock()
	pending := s.state == connecting
	s.mu.Unlock()
	if pending || !s.end(ReasonServerNamespaceDisconnect, kicked) {
		return
	}
	nsp := s.nsp.name
	s.client.send(len(nsp)+4, func(b []byte) []byte {
		return parser.AppendHeader(b, parser.Disconnect, 0, nsp, 0, false)
	})
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
// acknowledgements) is told at once.
func (s *Socket) end(r Reason, to state) bool {
	s.mu.Lock()
	was := s.state
	if was > connected {
		if was == kicked && to == gone {
			s.state = gone
		}
		s.mu.Unlock()
		return false
	}
	s.state = to
	finish := s.finish()
	schedule := false
	if was == connected {
		s.withdraw(to == gone && r != ReasonClientNamespaceDisconnect)
		if s.box != nil || s.onLoop || s.hasGoodbye() {
			schedule = s.push(entry{kind: entryGoodbye, reason: r})
		} else {
			s.empty()
		}
	} else {
		s.empty()
	}
	s.mu.Unlock()
	finish.run()
	if schedule {
		s.nsp.server.schedule(s)
	}
	return true
}

// withdraw takes the socket out of its namespace's table and groups; the rooms
// stay for the user to see. The groups of a session that has closed are left
// already. Called with mu held.
func (s *Socket) withdraw(closed bool) {
	s.nsp.sockets.remove(s)
	if !closed {
		s.client.session.Leave(s.nsp.everyone)
	}
	if s.rare != nil && len(s.rare.rooms) > 0 {
		s.nsp.adapter.LeaveAll(s, s.rare.rooms, closed)
	}
}

// hasGoodbye reports whether anybody wants to know of the end. Called with mu held.
func (s *Socket) hasGoodbye() bool {
	t := s.nsp.table.Load()
	return len(t.disconnecting) > 0 || len(t.disconnect) > 0 || s.rare != nil && len(s.rare.leaving) > 0
}

// empty leaves the rooms as far as the user sees, and returns the functions to
// call afterwards. Called with mu held.
func (s *Socket) empty() (leaving []leaver) {
	s.left = true
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

// finish is what the end of a socket must wake, once its lock is let go.
type finish struct {
	life *lifetime
	acks map[uint64]*pendingAck
}

// finish takes what waits for the socket's end. Called with mu held, after the
// state was changed.
func (s *Socket) finish() (f finish) {
	if s.rare != nil {
		f.life, s.rare.life = s.rare.life, nil
		f.acks, s.rare.acks = s.rare.acks, nil
	}
	return f
}

func (f finish) run() {
	for _, a := range f.acks {
		a.answer <- answer{err: ErrDisconnected}
	}
	if f.life == nil {
		return
	}
	if f.life.done != nil {
		close(f.life.done)
	}
	for _, a := range f.life.after {
		go a.run()
	}
}
