package socketio

import (
	"sync"

	"github.com/valyala/bytebufferpool"
)

// mailbox holds what one socket's handlers have not seen yet, in order. A socket
// has one only while there is something in it or a worker is at it: to have a
// mailbox is to be scheduled, which is all the state the scheduling needs.
//
// Reading from a client cannot be paused, so the box is bounded and a client that
// overflows it is closed.
type mailbox struct {
	queue fifo[entry] // guarded by Socket.mu
	bytes int         // in queue; guarded by Socket.mu
}

// keepEntries is the capacity, in entries of 64 bytes, up to which a drained
// mailbox is worth keeping in the pool.
const keepEntries = 256

var mailboxPool = sync.Pool{New: func() any { return new(mailbox) }}

func getMailbox() *mailbox { return mailboxPool.Get().(*mailbox) }

func putMailbox(m *mailbox) {
	if cap(m.queue.items) <= keepEntries {
		mailboxPool.Put(m)
	}
}

type entryKind uint8

const (
	entryEvent    entryKind = iota // call the event's handlers
	entryJoin                      // run the middlewares, then as entryWelcome
	entryWelcome                   // run the connect functions
	entryGoodbye                   // run the disconnect functions
	entryKnock                     // ask the parent namespaces
	entryExpired                   // run the functions of OnRecoveryExpired
	entryExpiring                  // run those of OnExpiring
	entryPersist                   // have the adapter keep the socket
)

// entry is one thing for a socket's worker to do. 64 bytes.
type entry struct {
	buf         *bytebufferpool.ByteBuffer // event: its name, then its raw arguments; given back afterwards
	attachments [][]byte
	id          uint64 // acknowledgement id, if hasID
	reason      Reason // goodbye
	name        uint32 // event: bytes of the name in buf
	kind        entryKind
	hasID       bool
	timed       bool // event: by the histogram of handlers
}

// size is what the entry counts for in its mailbox, in bytes.
func (e *entry) size() int {
	n := 0
	if e.buf != nil {
		n = len(e.buf.B)
	}
	for _, a := range e.attachments {
		n += len(a)
	}
	return n
}

func (e *entry) free() {
	if e.buf != nil {
		bytebufferpool.Put(e.buf)
		e.buf = nil
	}
}

// push queues e and reports whether the caller must schedule the socket, which
// it does after letting the lock go. Called with s.mu held.
func (s *Socket) push(e entry) (schedule bool) {
	if s.box == nil {
		s.box = getMailbox()
		schedule = !s.is(onLoop)
	}
	s.box.queue.push(e)
	s.box.bytes += e.size()
	return schedule
}

// full reports whether n more bytes would overflow the mailbox. One packet fits,
// whatever its size, which is bounded where it comes in. Called with s.mu held.
func (s *Socket) full(n int) bool {
	if s.box == nil {
		return false
	}
	o := &s.nsp.server.options
	return s.box.queue.len() >= o.MaxMailbox || s.box.bytes > 0 && s.box.bytes+n > o.MaxMailboxBytes
}

// work implements job: it handles up to n entries. The mailbox goes back to its
// pool with the last one.
func (s *Socket) work(n int) (more bool) {
	for range n {
		e, ok := s.take()
		if !ok {
			return false
		}
		s.handle(&e)
		e.free()
	}
	return true
}

func (s *Socket) take() (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.box.queue.pop()
	if !ok {
		putMailbox(s.box)
		s.box = nil
		return e, false
	}
	s.box.bytes -= e.size()
	return e, true
}

// abandon implements job: the entries go unhandled.
func (s *Socket) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, ok := s.box.queue.pop(); ok; e, ok = s.box.queue.pop() {
		e.free()
	}
	s.box.bytes = 0
	putMailbox(s.box)
	s.box = nil
}
