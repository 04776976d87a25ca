package conversation

import (
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// join is the handler of Join.
func (c *Conversation) join(s *socketio.Socket, room string) (People, error) {
	room, err := c.checkedRoom(room)
	if err != nil {
		return People{}, err
	}
	if !c.crowds.open(room) {
		return People{}, refuse("there are too many rooms: take one that exists")
	}
	if err := s.Join(room); err != nil {
		c.crowds.changed(room)
		return People{}, err
	}
	c.crowds.joined(s, room)
	return c.people(s, room)
}

// leave is the handler of Leave.
func (c *Conversation) leave(s *socketio.Socket, room string) (Left, error) {
	room, err := c.checkedRoom(room)
	if err != nil {
		return Left{}, err
	}
	s.Leave(room)
	c.crowds.left(s, room)
	return Left{room}, nil
}

// who is the handler of Who.
func (c *Conversation) who(s *socketio.Socket, room string) (People, error) {
	room, err := c.member(s, strings.TrimSpace(room))
	if err != nil {
		return People{}, err
	}
	if room != "" {
		c.crowds.seen(s, room)
	} else if err := s.Join(watchers); err != nil {
		return People{}, err
	}
	return c.people(s, room)
}

// people is what somebody in the room is told of it.
func (c *Conversation) people(s *socketio.Socket, room string) (People, error) {
	p, err := c.crowds.people(s.Context(), room)
	you := nameOf(s)
	p.You = &you
	return p, err
}
