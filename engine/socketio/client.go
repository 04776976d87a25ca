package socketio

import (
	"slices"
	"sync"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// client is one Engine.IO session seen from here: it decodes what the session
// receives and routes it to the session's sockets, one per namespace. Node: Client.
//
// Budget: 128 bytes with its first socket, in one allocation; held by a test. It
// implements engine.Receiver, so its methods run on the session's loop.
type client struct {
	server  *Server         // immutable
	session *engine.Session // immutable
	binary  *parser.Binary  // loop-only: a binary packet that waits for attachments

	mu       sync.Mutex
	dropping bool      // loop-only: the packet being received is over the limits
	used     bool      // first is somebody; written on the loop under mu
	eio3     bool      // immutable: the client is one of Socket.IO 2
	arriving uint32    // sockets that have not settled; guarded by mu
	more     []*Socket // further sockets; written on the loop under mu

	first Socket
}

var _ engine.Receiver = (*client)(nil)

func (v *Server) accept(session *engine.Session) engine.Receiver {
	c := &client{server: v, session: session, eio3: session.Protocol() == 3}
	if c.eio3 {
		c.enter()
	}
	return c
}

// Text is one packet, or the header of a binary one.
func (c *client) Text(data []byte) error {
	if c.server.options.Parser != nil {
		return c.judge(c.message(data, false))
	}
	return c.judge(c.text(data))
}

// Binary is one attachment.
func (c *client) Binary(data []byte) error {
	if c.server.options.Parser != nil {
		return c.judge(c.message(data, true))
	}
	return c.judge(c.attachment(data))
}

// judge counts a violation; returning it closes the connection.
func (c *client) judge(err error) error {
	if err != nil {
		c.server.stats.violations.Add(1)
		c.server.stats.exceededBy(err)
		c.binary = nil
	}
	return err
}

func (c *client) text(data []byte) error {
	if c.binary != nil {
		return parser.ErrPlaintext
	}
	p, err := parser.Decode(data, c.limits())
	if c.eio3 && (err == nil || err == parser.ErrIgnore) {
		if long := cutQuery(&p); long != nil {
			return long
		}
	}
	if err == parser.ErrIgnore {
		return c.ignore(&p)
	}
	if err != nil {
		return err
	}
	switch p.Type {
	case parser.Connect:
		return c.connect(&p)
	case parser.ConnectError:
		return ErrUnexpectedPacket
	case parser.BinaryEvent, parser.BinaryAck:
		return c.expect(p)
	}
	c.dropping = c.overLimit()
	return c.route(&p, nil)
}

// ignore takes an event without payload: there is nothing to handle, but an event
// for nobody it is all the same.
func (c *client) ignore(p *parser.Packet) error {
	s := c.find(p.Namespace)
	if s == nil {
		return ErrNotJoined
	}
	return s.ignore()
}

// expect begins to collect attachments, unless the packet has nowhere to go anyway.
func (c *client) expect(p parser.Packet) error {
	if c.find(p.Namespace) == nil {
		return ErrNotJoined
	}
	c.binary = parser.NewBinary(p)
	c.binary.MaxBytes = c.server.options.MaxAttachmentBytes
	c.dropping = c.overLimit()
	c.session.Incomplete(true)
	return nil
}

func (c *client) attachment(data []byte) error {
	if c.binary == nil {
		return parser.ErrStrayBinary
	}
	c.dropping = c.dropping || c.overLimit()
	complete, err := c.binary.Add(data)
	if err != nil || !complete {
		return err
	}
	p, attachments := c.binary.Packet()
	c.binary = nil
	c.session.Incomplete(false)
	return c.route(&p, attachments)
}

// route hands a packet to the socket of its namespace. A socket that the server
// has disconnected swallows what its client sent before it knew, where Node
// closes the whole connection; every other packet for nobody is a violation.
func (c *client) route(p *parser.Packet, attachments [][]byte) error {
	s := c.find(p.Namespace)
	if s == nil {
		return ErrNotJoined
	}
	switch p.Type {
	case parser.Disconnect:
		return s.leave()
	case parser.Ack, parser.BinaryAck:
		return s.acknowledged(p, attachments)
	}
	if c.dropping {
		return nil
	}
	return s.receive(p, attachments)
}

// late judges a packet for a socket that is not connected: a client that was
// disconnected by the server cannot know it yet, any other should know better.
func late(st state) error {
	if st == kicked {
		return nil
	}
	return ErrNotJoined
}

// find returns the latest socket of the namespace, in whatever state. Loop-only.
func (c *client) find(nsp []byte) *Socket {
	for _, s := range slices.Backward(c.more) {
		if s.nsp.name == string(nsp) {
			return s
		}
	}
	if c.used && c.first.nsp.name == string(nsp) {
		return &c.first
	}
	return nil
}

// socketIn returns the latest socket of the namespace, in whatever state. Loop-only.
func (c *client) socketIn(n *Namespace) *Socket {
	for _, s := range slices.Backward(c.more) {
		if s.nsp == n {
			return s
		}
	}
	if c.used && c.first.nsp == n {
		return &c.first
	}
	return nil
}

// newSocket makes the session's socket for the namespace: the first in place, an
// allocation for each further one. asks says that somebody there may ask for the
// Handshake, so that the session's request has to be there still. Loop-only.
func (c *client) newSocket(nsp *Namespace, asks bool) (*Socket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if asks && c.session.Request() == nil {
		return nil, ErrHandshakeReleased
	}
	c.arriving++
	s := &c.first
	if c.used {
		s = new(Socket)
		c.more = append(c.more, s)
	}
	c.used = true
	s.client, s.nsp = c, nsp
	if c.eio3 {
		s.id = keyEIO3(c.session.ID())
	} else {
		s.id = c.server.ids.next()
	}
	return s, nil
}

// settled notes that nobody will ask a socket for its Handshake any more. With
// the last one the request is let go, if release says so and no other namespace
// could ask.
func (c *client) settled(release bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arriving--
	if release && c.arriving == 0 && c.server.onlyDefault() {
		c.session.ReleaseRequest()
	}
}

// sockets returns those there are, in whatever state.
func (c *client) sockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.used {
		return slices.Clone(c.more)
	}
	return append([]*Socket{&c.first}, c.more...)
}

// remove forgets a further socket. Loop-only.
func (c *client) remove(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more = slices.DeleteFunc(c.more, func(x *Socket) bool { return x == s })
}

// Closed is the end of the session, and of all its sockets.
func (c *client) Closed(reason engine.Reason) {
	c.binary = nil
	if c.used {
		c.first.end(reasonOf(reason), gone)
	}
	for _, s := range c.more {
		s.end(reasonOf(reason), gone)
	}
}

// send queues a packet that has no attachments; encode appends it.
func (c *client) send(hint int, encode func(dst []byte) []byte) {
	if f := c.packet(hint, encode); f != nil {
		c.session.Send(f)
		f.Release()
	}
}

// packet builds such a packet; nil where Options.Parser has no words for it, and the
// session ends.
func (c *client) packet(hint int, encode func(dst []byte) []byte) *engine.Frame {
	f := engine.NewFrame(hint)
	if c.server.options.Parser == nil {
		f.End(encode(f.Begin()))
	} else if f = c.translate(f, encode(nil)); f == nil {
		return nil
	}
	f.SetKept()
	return f
}
