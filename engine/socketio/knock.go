package socketio

import (
	"errors"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// errInvalidNamespace refuses the client in Node's words (fact 44).
var errInvalidNamespace = errors.New("Invalid namespace") //nolint:staticcheck // it is a message to the client

// knock is a CONNECT to a namespace that is not there. Where a parent may take the
// name, a worker asks the parents, since their functions may block, and makes the
// child. Until then the client has a stand-in for its socket at the door: it takes the
// place that two CONNECTs for one name, or too many for one connection, would want,
// and ends with the connection as sockets do. Loop-only.
func (c *client) knock(p *parser.Packet) error {
	if !c.server.thinkable(p.Namespace) {
		c.refuse(string(p.Namespace), []byte(`{"message":"Invalid namespace"}`))
		return nil
	}
	if err := c.vacate(p.Namespace); err != nil {
		return err
	}
	s := c.newDoor(string(p.Namespace))
	s.mu.Lock()
	if p.Data != nil {
		s.need().auth = string(p.Data)
	}
	schedule := s.push(entry{kind: entryKnock})
	s.mu.Unlock()
	if schedule {
		c.server.schedule(s)
	}
	return nil
}

// newDoor makes the stand-in, in a namespace that nobody else is ever in. Loop-only.
func (c *client) newDoor(name string) *Socket {
	s := &Socket{client: c, nsp: newNamespace(c.server, name, nowhere), id: c.server.ids.next()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arriving++
	c.more = append(c.more, s)
	return s
}

// inquire is the worker's part: the client is let in on its loop, or refused.
func (s *Socket) inquire() {
	answered := false
	defer func() {
		if !answered { // refused, or a parent's function has panicked
			s.settle()
		}
	}()
	nsp, err := s.namespace()
	if err != nil {
		s.refuse(err)
		return
	}
	answered = true
	s.client.session.Run(func() { s.client.letIn(s, nsp) })
}

// namespace returns what the client asked for, with this client as a guest.
func (s *Socket) namespace() (*Namespace, error) {
	ctx, v, name := s.Context(), s.nsp.server, s.nsp.name
	if n := v.find([]byte(name)); n != nil {
		return n, nil // somebody else was faster
	}
	parent := v.parentOf(ctx, name, s.auth())
	if parent == nil {
		return nil, errInvalidNamespace
	}
	return v.childOf(ctx, parent.Namespace, name, true)
}

// auth returns the client's auth object, nil if there was none.
func (s *Socket) auth() Raw {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare == nil || s.rare.auth == "" {
		return nil
	}
	return Raw(s.rare.auth)
}

// letIn puts the socket into the place of its stand-in, unless the client has left
// meanwhile. Loop-only.
func (c *client) letIn(door *Socket, nsp *Namespace) {
	auth := door.auth()
	door.mu.Lock()
	waiting := door.state == connecting
	if waiting {
		door.state = gone
		door.wake()
	}
	door.mu.Unlock()
	c.remove(door)
	if !waiting {
		c.server.part(nsp)
	} else if c.judge(c.join(nsp, auth)) != nil {
		c.session.Close()
	}
	door.settle()
}
