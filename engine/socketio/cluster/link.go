package cluster

import (
	"context"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

var _ socketio.IDAdapter = (*Adapter)(nil)

// Link carries the messages of one namespace between its servers. Its methods are safe
// for concurrent use, and none but Close and those that take a context blocks: what
// cannot be sent soon is queued within a bound, beyond which volatile broadcasts are
// dropped first, and everything that is dropped is counted. Messages and what they
// refer to are valid until a method returns.
//
// What comes from other servers a Link hands to [Adapter.Receive], in the order in
// which each of them sent it. A Link looks at nothing but the form of what comes.
type Link interface {
	// Publish sends m to the other servers, in the order of the calls.
	Publish(m *Message) error
	// Answer sends m, an answer, to the adapter that has asked. It may be called with the
	// locks of sockets held.
	Answer(uid string, m *Message) error
	// Others returns who is asked by a request that is published now: how many other
	// servers there are and, where the Link knows them, their UIDs, of which it keeps
	// nothing. A server that is known and goes is struck off with Adapter.Gone.
	Others(ctx context.Context) (n int, uids []string, err error)
	// Close sends what is queued, as far as that is possible soon, and says goodbye.
	Close() error
}

// Interested is a Link that wants to know which rooms have sockets on this server. The
// calls for one room alternate; they come with locks of sockets held.
type Interested interface {
	Enter(room string)
	Leave(room string)
}

// IDInterested is a Link that wants to know of the rooms that sockets' own ids are, too:
// see [socketio.IDAdapter].
type IDInterested interface {
	EnterSocket(id string)
	LeaveSocket(id string)
}

// Own is a Link whose servers are all of this package, so that the kinds of messages
// that Node does not know are understood by everybody.
type Own interface {
	OwnKind() bool
}

// Lanes is a Link with more than one way for what is published, or one where not
// everything that is published reaches everybody. Messages on a lane come to every
// server, in order. Lane is asked on both sides, and must say the same of the message that
// was sent and of the one that came. What has no lane is not counted; see [Tally].
// Without Lanes everything is on one.
type Lanes interface {
	Lane(m *Message) (lane string, counted bool)
}
