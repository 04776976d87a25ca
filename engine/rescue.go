package engine

// The floor above may panic. Every call of it goes through here, so that a panic
// ends the session it was made for and leaves the rest of the callback, of the
// broadcast and of the timers' turn in order.

// saved is deferred around a call of the floor above.
func (s *Session) saved() {
	if p := recover(); p != nil {
		s.loop.srv.panicked(s.loop, p)
		s.close(ReasonForcedClose, byServer)
	}
}

// accept introduces the session to the floor above.
func (s *Session) accept() {
	defer s.saved()
	s.recv = s.loop.srv.opts.Accept(s)
	if s.has(flagClosed) { // the connection broke under the open packet
		s.tellClosed(ReasonTransportError)
	}
}

func (s *Session) tellText(data []byte) error {
	defer s.saved()
	return s.recv.Text(data)
}

func (s *Session) tellBinary(data []byte) error {
	defer s.saved()
	return s.recv.Binary(data)
}

// tellSlow is for those who want to know.
func (s *Session) tellSlow(e Slow) {
	defer s.saved()
	if recv, ok := s.recv.(SlowReceiver); ok {
		recv.Slow(e)
	}
}

// tellPong is for those who want to know.
func (s *Session) tellPong() {
	defer s.saved()
	if recv, ok := s.recv.(PongReceiver); ok {
		recv.Pong(s.waiting() == 0)
	}
}

// tellClosed makes the last call, once.
func (s *Session) tellClosed(reason Reason) {
	defer s.saved()
	if recv := s.recv; recv != nil {
		s.recv = nil
		recv.Closed(reason)
	}
}

// run calls what Session.Run was given.
func (s *Session) run(fn func()) {
	defer s.saved()
	fn()
}

// recoverFor turns a panic into the end of one connection and its session.
// Deferred around everything that calls the floor above.
func (l *loop) recoverFor(c *conn) {
	p := recover()
	if p == nil {
		return
	}
	l.srv.panicked(l, p)
	if c == nil {
		return
	}
	if s := c.session; s != nil {
		s.close(ReasonForcedClose, byServer)
	}
	c.doom()
}
