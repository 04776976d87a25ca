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

	mu   sync.Mutex
	used bool      // first is somebody; written on the loop under mu
	more []*Socket // further sockets; written on the loop under mu

	first Socket
}

var _ engine.Receiver = (*client)(nil)

func (v *Server) accept(session *engine.Session) engine.Receiver {
	return &client{server: v, session: session}
}

// Text is one packet, or the header of a binary one.
func (c *client) Text(data []byte) error {
	return c.judge(c.text(data))
}

// Binary is one attachment.
func (c *client) Binary(data []byte) error {
	return c.judge(c.attachment(data))
}

// judge counts a violation; returning it closes the connection.
func (c *client) judge(err error) error {
	if err != nil {
		c.server.stats.violations.Add(1)
		c.binary = nil
	}
	return err
}

func (c *client) text(data []byte) error {
	if c.binary != nil {
		return parser.ErrPlaintext
	}
	p, err := parser.Decode(data, &c.server.limits)
	if err == parser.ErrIgnore {
		return nil
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
	return c.route(&p, nil)
}

// expect begins to collect attachments, unless the packet has nowhere to go anyway.
func (c *client) expect(p parser.Packet) error {
	if c.find(p.Namespace) == nil {
		return ErrNotJoined
	}
	c.binary = parser.NewBinary(p)
	c.binary.MaxBytes = c.server.options.MaxHTTPBufferSize
	return nil
}

func (c *client) attachment(data []byte) error {
	if c.binary == nil {
		return parser.ErrStrayBinary
	}
	complete, err := c.binary.Add(data)
	if err != nil || !complete {
		return err
	}
	p, attachments := c.binary.Packet()
	c.binary = nil
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
	return s.receive(p, attachments)
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

// newSocket makes the session's socket for the namespace: the first in place, an
// allocation for each further one. Loop-only.
func (c *client) newSocket(nsp *Namespace) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.first
	if c.used {
		s = new(Socket)
		c.more = append(c.more, s)
	}
	c.used = true
	s.client, s.nsp, s.id = c, nsp, c.server.ids.next()
	return s
}

// sockets returns those there are, in whatever state.
func (c *client) sockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.used {
		return nil
	}
	return append([]*Socket{&c.first}, c.more...)
}

// Closed is the end of the session, and of all its sockets.
func (c *client) Closed(reason engine.Reason) {
	c.binary = nil
	if !c.used {
		return
	}
	c.first.end(reasonOf(reason), gone)
	for _, s := range c.more {
		s.end(reasonOf(reason), gone)
	}
}

// send queues a packet that has no attachments; encode appends it.
func (c *client) send(hint int, encode func(dst []byte) []byte) {
	f := engine.NewFrame(hint)
	f.End(encode(f.Begin()))
	c.session.Send(f)
	f.Release()
}
