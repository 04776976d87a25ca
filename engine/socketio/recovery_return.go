package socketio

import (
	"encoding/json"
	"slices"

	"github.com/fanfare-go/fanfare/engine"
)

// takeOverTries is how many connections that are in the way a client may close: there
// is one as a rule, and more only if several come with the same key at once.
const takeOverTries = 3

// key is what a client shows to have its socket again.
type key struct {
	pid    socketID
	offset string // of the last event it received; empty if there was none
}

// keyOf reads the payload of a CONNECT packet; ok is false where there is no key in it.
func keyOf(auth []byte) (k key, ok bool) {
	var fields map[string]json.RawMessage
	if len(auth) == 0 || json.Unmarshal(auth, &fields) != nil {
		return k, false
	}
	var pid string
	if json.Unmarshal(fields["pid"], &pid) != nil {
		return k, false
	}
	if raw, given := fields["offset"]; given && json.Unmarshal(raw, &k.offset) != nil {
		return k, false
	}
	k.pid, ok = parseID(pid)
	return k, ok
}

// claim makes a socket that is about to connect the one that its client had before,
// and reports whether it is that one. An old connection that is still open is in the
// way, since a network that is lost takes a while to be noticed: it is closed.
// Loop-only.
func (s *Socket) claim(auth []byte) bool {
	l := s.nsp.server.log
	if l.recovery == nil || s.client.eio3 {
		return false
	}
	k, ok := keyOf(auth)
	if !ok {
		return false
	}
	for range takeOverTries {
		claimed, inTheWay := s.tryClaim(l, k)
		if claimed && s.nsp.sessions() != nil {
			s.nsp.sessions().ForgetSession(string(k.pid[:]))
		}
		if inTheWay == nil {
			return claimed
		}
		inTheWay.supersede()
		l.tookOver()
	}
	return false
}

// tryClaim takes the id, the rooms and the values of the socket before this one.
func (s *Socket) tryClaim(l *eventLog, k key) (claimed bool, inTheWay *Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connecting {
		return false, nil
	}
	r, rooms, before, inTheWay := l.claim(s, k)
	if r == nil {
		return false, inTheWay
	}
	s.id = r.sid // nobody has asked for it yet
	s.set(recovered)
	rare := s.need()
	rare.recoverable, rare.rooms = r, rooms
	if t := l.expiryOf(r); !t.IsZero() {
		s.expireAt(t)
	}
	before.mu.Lock()
	defer before.mu.Unlock()
	if before.rare != nil {
		rare.values = slices.Clone(before.rare.values)
	}
	return true, nil
}

// claim looks a key up: r is the recoverable, which is s's from now on, and before is
// whose it was, rooms where it is. A socket that is in the way has to be superseded first.
func (l *eventLog) claim(s *Socket, k key) (r *recoverable, rooms []string, before, inTheWay *Socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r = l.byPID[k.pid]
	switch {
	case r == nil || r.nsp != s.nsp || r.socket.client == s.client:
		return nil, nil, nil, nil
	case r.state != waiting:
		return nil, nil, nil, r.socket
	}
	n, ok := l.reached(r, k.offset)
	if !ok && r.nsp.logged.Load() && l.elsewhere(r, k.offset) {
		return nil, nil, nil, nil // for RestoreSession
	}
	if !ok || r.until < l.now() || r.isExpired() || r.lost(n) {
		l.stats.refused++
		if ok && r.lostOfPast(n) { // the adapter does not know what rooms it has left
			s.set(denied)
		}
		l.giveUp(r)
		return nil, nil, nil, nil
	}
	l.leaveWaiting(r)
	before, r.socket = r.socket, s
	r.state, r.reached = claimed, n
	r.persisted, r.leaving = false, staying
	return r, r.names(), before, nil
}

// reached returns the number of the last event that the client has; false where it
// cannot have it. Every event since r began carried an offset of this log, so a client
// that shows another, or none, has received none since. Called with mu held.
func (l *eventLog) reached(r *recoverable, offset string) (n uint64, ok bool) {
	if r.nsp.logged.Load() {
		return l.lookUp(r, offset)
	}
	n, ok = parseOffset(offset, l.epoch)
	if !ok {
		return r.start, true
	}
	return max(n, r.start), n <= l.last
}

func (l *eventLog) tookOver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.takenOver++
}

// supersede ends a socket whose client has come back on another connection, and that
// connection, as if the client had closed it.
func (s *Socket) supersede() {
	s.end(ReasonTransportClose, gone)
	s.client.session.Abandon()
}

// admit lets a socket in: it is answered, entered into the namespace's table, and
// broadcast to from then on. One that was recovered is sent what it missed, has its
// rooms again, and all of that is one step for whatever is emitted. False where the
// socket cannot be let in. left are rooms that it was to have again, and does not. Called
// with the socket's lock held.
func (l *eventLog) admit(s *Socket) (left []string, ok bool) {
	if l.recovery == nil || s.client.eio3 {
		s.answer(nil)
		if !s.nsp.sockets.add(s) {
			return nil, false
		}
		s.client.session.Join(s.nsp.everyone)
		return nil, true
	}
	position := s.nsp.position()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := s.returnable()
	if r != nil && (r.socket != s || r.state != claimed) {
		return nil, false
	}
	if r != nil && r.lost(r.reached) { // since it was claimed
		l.stats.refused++
		left = l.counted(r)
		s.disown(l.recovery.RunMiddlewares)
		l.anew(r)
		r.since = position
	}
	if r == nil {
		r = l.begin(s)
		r.since = position
		s.need().recoverable = r
		if s.is(expires) {
			r.expires = l.server.expiries.of(s)
		}
	}
	if !s.nsp.sockets.add(s) {
		l.finish(r)
		return append(left, r.left...), false
	}
	var missed []*engine.Frame
	more := false
	if s.is(recovered) {
		l.touch(r) // what was stored of it has been forgotten
		l.stats.recovered++
		missed, more = l.nextPart(r, firstBytes)
	}
	s.answer(r.pid[:], missed...)
	if more {
		r.state = catching
		l.catching = append(l.catching, r)
		l.setPacer()
		return left, true
	}
	l.goLive(r)
	return left, true
}

// disown undoes what tryClaim did, as far as nobody has seen it. Called with the socket's lock held.
func (s *Socket) disown(seen bool) {
	s.unset(recovered)
	if !seen {
		s.rare.rooms, s.rare.values = nil, nil
	}
}

// nextPart takes the next events that r has missed, and reports whether there are
// more. Called with mu held.
func (l *eventLog) nextPart(r *recoverable, bytes int) (frames []*engine.Frame, more bool) {
	frames, r.reached, more = r.missed(r.reached).part(bytes)
	l.stats.replayed += uint64(len(frames))
	return frames, more
}

// goLive has r receive what is emitted from now on. Called with mu held.
func (l *eventLog) goLive(r *recoverable) {
	r.state = live
	for _, m := range r.rooms {
		if m.to == forever {
			r.socket.client.session.Join(m.room.name)
		}
	}
}
