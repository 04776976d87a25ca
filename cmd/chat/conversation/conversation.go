package conversation

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Options configure a Conversation. The zero value of each field means its default.
type Options struct {
	// MaxText is the longest message, in characters; default 4,000.
	MaxText int
	// MaxRooms is how many rooms there may be, beside the lobby; default 100,000.
	MaxRooms int
	// PresenceRate is how many clients are told of presence per second, all rooms together; default 10,000. Beyond it
	// they are told later.
	PresenceRate int
	// MaxWaiting is how many messages may wait to be durable so that they can be acknowledged; default 100,000. Beyond
	// it handlers wait themselves, and their senders with them.
	MaxWaiting int
	// MaxAsking is how many clients may wait for the history to be read, each of which takes a worker; default 256.
	// Those beyond it are refused where it takes more than a quarter of a second.
	MaxAsking int
	// Fleet says that the server's Adapter connects it with others, which are one chat with it: who is in a room there is
	// told here, and what is said there is kept here, unless the histories are one.
	Fleet bool
}

func (o Options) withDefaults() Options {
	o.MaxText = orElse(o.MaxText, 4_000)
	o.MaxRooms = orElse(o.MaxRooms, 100_000)
	o.PresenceRate = orElse(o.PresenceRate, 10_000)
	o.MaxWaiting = orElse(o.MaxWaiting, 100_000)
	o.MaxAsking = orElse(o.MaxAsking, 256)
	return o
}

func orElse(v, byDefault int) int {
	if v == 0 {
		return byDefault
	}
	return v
}

// Conversation is the handlers of the chat, and what they know. Safe for concurrent use.
type Conversation struct {
	server  *socketio.Server // immutable, as are the next two
	history *history.History
	options Options
	crowds  *crowds
	fleet   *fleet // nil for a server that is alone
	waiting waiting
	asking  atomic.Int64 // clients whose page of history is being read
	stats   counters
}

// counters are what Stats returns.
type counters struct {
	messages, refused, unstored, typing, typingDropped atomic.Uint64
}

// Stats are the numbers of a Conversation.
type Stats struct {
	Messages      uint64 // sent to those in the lobby or a room
	Refused       uint64 // requests of clients that were answered with a Refusal
	Unstored      uint64 // messages acknowledged as not durable
	Waiting       int    // messages that wait to be durable, for their acknowledgement
	Rooms         int    // with somebody in them, beside the lobby
	Presence      uint64 // presence events sent, each to all of a room
	Typing        uint64 // typing events sent
	TypingDropped uint64 // typing events beyond one a second of one client
}

// Stats returns the numbers of this moment.
func (c *Conversation) Stats() Stats {
	rooms, told := c.crowds.stats()
	return Stats{
		Messages: c.stats.messages.Load(), Refused: c.stats.refused.Load(), Unstored: c.stats.unstored.Load(),
		Waiting: c.waiting.length(), Rooms: rooms, Presence: told,
		Typing: c.stats.typing.Load(), TypingDropped: c.stats.typingDropped.Load(),
	}
}

// New registers the handlers with a server whose Options have AckError, and returns what they make. The history is asked
// and told, and not closed.
func New(server *socketio.Server, h *history.History, o Options) *Conversation {
	c := &Conversation{server: server, history: h, options: o.withDefaults()}
	c.waiting.limit = c.options.MaxWaiting
	c.crowds = newCrowds(server, &c.options)
	if c.options.Fleet {
		joinFleet(c)
	}
	server.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		c.crowds.connected(s)
		return nil
	})
	server.OnDisconnecting(func(_ context.Context, s *socketio.Socket, _ socketio.Reason) { c.crowds.disconnecting(s) })
	socketio.OnCallback(server, ChatMessage, c.chatMessage)
	on(c, Join, c.join)
	on(c, Leave, c.leave)
	on(c, SetName, c.rename)
	on(c, StartTyping, c.typing)
	on(c, Who, c.who)
	socketio.OnAck(server, History, func(ctx context.Context, s *socketio.Socket, p Page) (Lines, error) {
		lines, err := c.page(ctx, s, p)
		return lines, c.counted(err)
	})
	return c
}

// on registers a handler that waits for nothing.
func on[T, R any](c *Conversation, call socketio.Call[T, R], fn func(*socketio.Socket, T) (R, error)) {
	socketio.OnAck(c.server, call, func(_ context.Context, s *socketio.Socket, v T) (R, error) {
		r, err := fn(s, v)
		return r, c.counted(err)
	})
}

func (c *Conversation) counted(err error) error {
	if err != nil {
		c.stats.refused.Add(1)
	}
	return err
}

// member returns the room as it is kept if the socket may write and read there: the lobby, or one that it is in.
func (c *Conversation) member(s *socketio.Socket, room string) (string, error) {
	if room == "" {
		return "", nil
	}
	room, err := c.checkedRoom(room)
	if err == nil && !slices.Contains(s.Rooms(), room) {
		err = refuse("join the room first")
	}
	return room, err
}

// to returns whom a room's events are for.
func (c *Conversation) to(room string) socketio.Emitter {
	if room == "" {
		return c.server
	}
	return c.server.To(room)
}
