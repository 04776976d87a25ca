package history

import "context"

// store is where messages are kept. What changes it is called by the writer alone;
// read is safe for concurrent use with everything but close.
type store interface {
	// add stores messages durably, all or none. To add one twice is to add it once.
	add(ctx context.Context, messages []Message) error
	// read returns messages of a room, oldest first, and whether there are more of them.
	read(ctx context.Context, room string, s span) (found []Message, more bool, err error)
	// newest returns the newest ID of every room.
	newest(ctx context.Context) (map[string]string, error)
	// trim removes a room's messages but for the newest keep; trimStep of them at most,
	// and then it reports that there are more.
	trim(ctx context.Context, room string, keep int) (more bool, err error)
	// expire removes the messages of all rooms that are older than an ID.
	expire(ctx context.Context, before string) error
	// drop removes a room's messages up to an ID, that one included.
	drop(ctx context.Context, room, upTo string) error
	// shared reports that other processes may write to it.
	shared() bool
	close() error
}

// trimStep bounds how long one removal keeps the writer.
const trimStep = 10_000

// span is which messages of a room are asked for: the last ones before an ID ("" for
// the newest), or the first ones after it.
type span struct {
	id    string
	up    bool // after id
	limit int
}

func (s span) contains(id string) bool {
	if s.up {
		return id > s.id
	}
	return s.id == "" || id < s.id
}

// cut returns what a span has of messages that it contains all of, oldest first.
func (s span) cut(messages []Message) (part []Message, more bool) {
	switch n := len(messages); {
	case n <= s.limit:
		return messages, false
	case s.up:
		return messages[:s.limit], true
	default:
		return messages[n-s.limit:], true
	}
}
