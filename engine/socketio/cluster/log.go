package cluster

import (
	"context"
	"errors"
	"time"
)

// Log is a broker's memory of what was published, as one process sees it: all its
// namespaces that share one order of events have one Log and, over it, one [Tail]. What
// it keeps are entries, each with an offset: a text of 1 to 30 of the characters
// [A-Za-z0-9-_], which tells where the entry stands and, where the broker may lose its
// memory and begin anew, in which of its lives. Methods are safe for concurrent use; those with a
// context may block.
type Log interface {
	// Valid reports whether a text, which may come from any client, has the form of an
	// offset of this log.
	Valid(offset string) bool
	// Compare tells which of two valid offsets comes first: -1, 0 or 1. Those of other
	// lives of the log come before all of this one.
	Compare(a, b string) int
	// Range hands over the entries behind one offset up to another, that one included,
	// in the log's order, until each returns false. It fails with ErrTrimmed where some
	// of them are not kept any more, or where after never was an offset of this log;
	// it may have handed over some by then. What each is given is its to keep.
	Range(ctx context.Context, after, upTo string, each func(Entry) bool) error

	// PutSession stores a socket for the given time, in place of what is stored under
	// its PID. Where servers of other kinds look for sessions too, one that is Live
	// must be out of their sight.
	PutSession(ctx context.Context, s *Session, keep time.Duration) error
	// TakeSession returns what is stored under a PID and deletes it, in one step, so
	// that nobody else is given it; nil if there is nothing. Where two are stored, the
	// one that is not Live.
	TakeSession(ctx context.Context, pid string) (*Session, error)
}

// ErrTrimmed says that a log does not have all the entries any more that it was asked for.
var ErrTrimmed = errors.New("cluster: the log has been trimmed past the offset")

// Entry is one message in a Log. The Message has its Offset, its UID, and the Sequence
// that its sender gave it: of this process's own always, found out by what was appended
// if need be; of others' where the format has room for it. Without it, a client that was
// given events while the broker did not answer is not recovered on other servers.
type Entry struct {
	Namespace string
	Message   *Message
}

// LogLink is a Link whose broker has a Log. What Append was given comes back to its
// sender, too: the one goroutine that reads the log hands every entry, whatever
// namespace, sender and type, to [Tail.Receive].
//
// What does not belong into the log a LogLink publishes by other ways, and hands to
// [Logged.Receive] with an empty Offset.
type LogLink interface {
	Link
	// Append puts m, a Broadcast that nobody acknowledges, at the end of the log, behind
	// what it was given before. It is called with a lock held, so it neither blocks nor
	// calls back; m is valid until it returns. An error means that m will never be in the
	// log. Otherwise the LogLink calls [Logged.Settled] later with m.Sequence, in the order of the
	// calls, from wherever it likes. An entry must not be in the log twice, nor in another
	// order: where a connection was lost, the LogLink finds out what the log has before
	// it appends anything more.
	Append(m *Message) error
}

// Outcome is what became of a message that was appended.
type Outcome uint8

// Outcomes.
const (
	Kept    Outcome = iota // it is in the log, and comes back with the entries that are read
	Failed                 // it is not in the log, and never will be
	Unknown                // it may be in the log, and will not be tried again
)
