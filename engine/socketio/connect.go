package socketio

import (
	"context"
	"errors"
	"slices"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// connect answers a CONNECT packet (Socket.IO protocol, "Connection to a
// namespace"). Where no parent takes it, an unknown namespace is refused and the
// connection lives on. Loop-only.
func (c *client) connect(p *parser.Packet) error {
	nsp := c.server.find(p.Namespace)
	if nsp == nil {
		return c.knock(p)
	}
	if err := c.vacate(p.Namespace); err != nil {
		c.server.part(nsp)
		return err
	}
	return c.join(nsp, p.Data)
}

// join puts a socket on its way in: middlewares, if there are any, decide on the
// worker pool; otherwise the client is in at once. auth is copied. Loop-only.
func (c *client) join(nsp *Namespace, auth []byte) error {
	t := nsp.table.Load()
	s, err := c.newSocket(nsp, len(t.use)+len(t.connect) > 0)
	if err != nil {
		c.server.part(nsp)
		return err
	}
	use := len(t.use) > 0
	if s.claim(auth) {
		use = use && c.server.options.ConnectionStateRecovery.RunMiddlewares
	} else {
		use = use || s.seeks(auth)
	}
	s.mu.Lock()
	if auth != nil {
		s.need().auth = string(auth)
	}
	schedule := false
	if use {
		schedule = s.push(entry{kind: entryJoin})
	} else if len(t.connect) > 0 {
		schedule = s.push(entry{kind: entryWelcome})
	}
	s.mu.Unlock()
	if !use {
		s.accept()
	}
	if !schedule {
		s.settle()
		return nil
	}
	c.server.schedule(s)
	return nil
}

// vacate forgets sockets that are over, and fails where the client is in the
// namespace of this name already, on its way in, or in too many. Node lets two CONNECTs that
// arrive together both succeed and leaves the first socket behind; here the
// second is the violation that it is. A socket whose mailbox is not drained counts
// as one that the client is in, or joining and leaving in turns would queue up
// more and more of them.
func (c *client) vacate(nsp []byte) error {
	if !c.used && len(c.more) == 0 {
		return nil
	}
	live := 0
	for _, s := range c.sockets() {
		alive, busy := s.alive()
		if alive && s.nsp.name == string(nsp) {
			return ErrJoinedTwice
		}
		if alive || busy {
			live++
		}
	}
	if live >= c.server.options.MaxNamespaces {
		return ErrTooManyNamespaces
	}
	c.mu.Lock()
	c.more = slices.DeleteFunc(c.more, func(s *Socket) bool { return s.over(nsp) })
	c.mu.Unlock()
	return nil
}

// alive reports whether the socket is in its namespace or on its way in, and
// whether there is something in its mailbox or a worker at it.
func (s *Socket) alive() (alive, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state <= connected, s.box != nil
}

// over reports whether nothing can come for the socket any more, given that the
// client is joining nsp, and nothing that came is still to be done.
func (s *Socket) over(nsp []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.box == nil && (s.state == refused || s.state == gone || s.state == kicked && s.nsp.name == string(nsp))
}

// admit runs the middlewares, one after the other, and lets the socket in or not.
func (s *Socket) admit() {
	ctx := s.Context()
	middlewares := s.nsp.table.Load().use
	if s.restore(ctx) && !s.nsp.server.log.recovery.RunMiddlewares {
		middlewares = nil
	}
	for _, use := range middlewares {
		if err := use(ctx, s); err != nil {
			s.refuse(err)
			return
		}
	}
	if s.accept() {
		s.welcome()
	}
}

// accept tells the client that it is in, with the id its socket has, and makes
// the socket a member of its namespace and of the rooms a middleware gave it.
// What is emitted or broadcast from then on goes out after that answer. All of it
// is one step under the socket's lock: the client may have the answer, and its first
// event be here, before this function returns. False when the client has left
// meanwhile.
func (s *Socket) accept() bool {
	c, nsp := s.client, s.nsp
	c.session.Established()
	defer nsp.flushWatchers()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connecting {
		return false
	}
	left, ok := nsp.server.log.admit(s)
	s.quit(left)
	if !ok {
		c.session.Close() // two ids alike: not expected to happen before the sun goes out
		return false
	}
	s.state = connected
	if nsp.ids != nil {
		nsp.ids.EnterID(s.ID())
	}
	if rooms := nsp.server.log.unknown(s); len(rooms) > 0 {
		nsp.adapter.Join(s, rooms)
	}
	s.watchJoined(nil)
	return true
}

// welcome runs the connect functions, before any event of the socket.
func (s *Socket) welcome() {
	ctx := s.Context()
	for _, fn := range s.nsp.table.Load().connect {
		if err := fn(ctx, s); err != nil {
			s.report(ctx, err)
			s.Disconnect(false)
			return
		}
	}
}

// settle lets go what only the connecting needed: see [Socket.Handshake]. A client
// that was refused may try again on the same connection, so its request stays.
func (s *Socket) settle() {
	keep := s.nsp.server.options.KeepHandshake
	s.mu.Lock()
	again := s.state == refused
	if !keep {
		s.forget()
	}
	s.mu.Unlock()
	s.client.settled(!keep && !again)
}

// forget drops the client's auth object. Called with mu held.
func (s *Socket) forget() {
	if s.rare == nil || s.rare.handshake == nil {
		s.set(released)
	}
	if s.rare != nil {
		s.rare.auth = ""
		s.trim()
	}
}

// refuse tells the client why it is not let in. The socket keeps what a
// middleware gave it, but for the rooms.
func (s *Socket) refuse(err error) {
	reason := s.refusal(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connecting {
		return
	}
	s.state = refused
	_, left := s.nsp.server.log.depart(s, ReasonServerNamespaceDisconnect)
	s.quit(left)
	s.empty()
	s.wake()
	s.client.refuse(s.nsp.name, reason)
	if s.is(recovered) {
		if told, _ := s.pushExpired(); told { // the worker is at it
			return
		}
	}
	s.nsp.server.part(s.nsp)
}

// refusal is the payload of a CONNECT_ERROR.
func (s *Socket) refusal(err error) []byte {
	message, data := err.Error(), any(nil)
	var ce *ConnectError
	if errors.As(err, &ce) {
		message, data = ce.Message, ce.Data
	}
	var raw []byte
	if data != nil {
		if raw, err = s.nsp.server.options.JSON.Marshal(data); err != nil {
			s.report(context.WithoutCancel(s.Context()), err)
			raw = nil
		}
	}
	if s.client.eio3 {
		return refusalEIO3(message, raw)
	}
	b := parser.AppendString([]byte(`{"message":`), message)
	if raw != nil {
		b = append(append(b, `,"data":`...), raw...)
	}
	return append(b, '}')
}

// refuse sends a CONNECT_ERROR.
func (c *client) refuse(nsp string, payload []byte) {
	c.send(len(nsp)+len(payload)+8, func(b []byte) []byte {
		b = parser.AppendHeader(b, parser.ConnectError, 0, nsp, 0, false)
		return append(b, payload...)
	})
}
