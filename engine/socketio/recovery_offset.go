package socketio

import "strings"

// OffsetAdapter is a SessionAdapter over a log that many servers share, such as Redis
// Streams: the place of an event in it is the offset that clients are given, on every
// server the same, so that they can go on with any. With
// Options.ConnectionStateRecovery set, what is emitted then goes a longer way:
//
//   - A broadcast, unless it is volatile, local or asks for acknowledgements, is appended
//     to the log by the adapter's Broadcast, and not delivered here yet. So is what a
//     [Socket] emits to its own client, as a Broadcast to the room of its id; Emit then
//     returns before the event is delivered, and what goes without the log (a volatile
//     event, an acknowledgement, Leave, Disconnect) may overtake it.
//   - When it comes back from the log, each server's adapter, that of the sender included,
//     hands it to MemoryAdapter.BroadcastAt, one after the other and in the log's order:
//     so all clients have one order.
//   - MemoryAdapter.Broadcast is for what is not in the log: volatile events, which change
//     no client's offset, and local ones, which only this server can send again.
//
// Without ConnectionStateRecovery it is an Adapter like any other.
type OffsetAdapter interface {
	SessionAdapter
	// Offset returns the offset up to which all events of this namespace have been handed
	// to BroadcastAt, and that has returned; empty where it is not known yet. It must not
	// block, and is called often, by any goroutine: it reads an atomic value.
	Offset() string
}

// OffsetOrder is an OffsetAdapter that can tell which of two offsets comes first. Where
// a client shows one that this server does not know, and that is behind what it was
// given here, the adapter is asked for the socket by RestoreSession, even if this
// server has waited for it: then that calls Surrender or Moved before adopt.
type OffsetOrder interface {
	// OffsetBefore reports whether a comes before b, of which the latter is any text that
	// a client may send. It must not block, nor take a lock.
	OffsetBefore(a, b string) bool
}

// maxOffset is the longest offset that BroadcastAt takes, in bytes.
const maxOffset = 64

// BroadcastAt delivers p to the sockets of this server, with that offset behind the
// last argument: see [OffsetAdapter]. An offset is 1 to 64 of the characters A-Z a-z 0-9
// - . _ and is that of one event of the namespace; where it comes a second time, for an
// event whose place in the log is not known yet, this server tells the two apart, but a
// client that has the second cannot go on with another. Empty is such an offset, too. A
// volatile p is delivered as Broadcast does it, and so is any where recovery is off.
// Errors: [ErrOffset], and those of Options.Parser. It may be called with locks of the
// adapter held, if no method of the adapter that a socket's lock may be held in
// (Join, Leave, LeaveAll, DropSession) waits for them. Safe for concurrent use.
func (a *MemoryAdapter) BroadcastAt(p *Broadcast, offset string) error {
	if !validOffset(offset) {
		return ErrOffset
	}
	l := a.nsp.server.log
	if l.recovery == nil || p.Flags.Volatile {
		return a.Broadcast(p)
	}
	return l.broadcast(a, p, true, offset)
}

// Gap is for an OffsetAdapter that cannot hand over some events of the namespace, as they
// were gone before it had read them. Clients that are not known to have been connected
// since then have missed them: they do not go on here with what this server has kept.
// RestoreSession is asked, as of a client from elsewhere, and knows what the log has. It
// comes before the events behind the gap. Safe for concurrent use; it does not block.
func (a *MemoryAdapter) Gap() {
	l := a.nsp.server.log
	if l.recovery == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++ // as if there had been one event, for everybody
	a.nsp.gap, a.nsp.gapAt = l.last, l.now()
}

func validOffset(s string) bool {
	if len(s) > maxOffset {
		return false
	}
	for i := range len(s) {
		if c := s[i]; digitOf[c] == 0xff && c != '.' {
			return false
		}
	}
	return true
}

// beside separates an offset of the adapter from a count of this server's own, in the
// offset of an event that is not in the log: another server goes on behind the former.
// Twice, it is one that may be in the log or not, where no other server can go on.
const beside = "~"

// tail is what an event gets behind its last argument: a text, and then the count of
// its event, in the form of offset.go, or not.
type tail struct {
	text    string
	counted bool
}

// tailOf returns the tail for an event. offset is the event's, where it comes from the
// log; otherwise the adapter's, which counts until there was an event. Called with mu held.
func (l *eventLog) tailOf(n *Namespace, fromLog, volatile bool, offset string) tail {
	if !n.logged.Load() && !fromLog {
		return tail{counted: true}
	}
	latest := n.latest
	switch {
	case fromLog && (offset == "" || l.marks.find(n, offset) != nil || latest != nil && latest.base() == offset):
		return tail{offset + beside + beside, true}
	case fromLog:
		return tail{offset, false}
	case latest == nil && volatile:
		return tail{offset, false}
	case latest == nil:
		return tail{offset + beside, true}
	case volatile:
		return tail{latest.text, false}
	}
	return tail{latest.base() + beside, true}
}

// position returns the adapter's offset; empty where it has none.
func (n *Namespace) position() string {
	if !n.logged.Load() {
		return ""
	}
	return n.offsets.Offset()
}

// tail is tailOf for those who do not hold mu: by the time that they do it may be another.
func (l *eventLog) tail(n *Namespace, fromLog, volatile bool, offset string) tail {
	if !n.logged.Load() && !fromLog {
		return tail{counted: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tailOf(n, fromLog, volatile, offset)
}

// isCount reports whether s is a count of this server: n is its number.
func (l *eventLog) count(text string) (n uint64, ok bool) {
	if len(text) < offsetLen+len(beside) {
		return 0, false
	}
	text, digits := text[:len(text)-offsetLen], text[len(text)-offsetLen:]
	if !strings.HasSuffix(text, beside) {
		return 0, false
	}
	return parseOffset(digits, l.epoch)
}

// foreign returns what an adapter is to be asked for, where a client shows text: the
// offset of the log that it is made of.
func foreign(text string) string {
	base, digits, ok := strings.Cut(text, beside)
	if !ok || len(digits) != offsetLen || strings.Contains(digits, beside) {
		return text
	}
	return base
}
