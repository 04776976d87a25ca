package socketio

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// SessionAdapter is an Adapter that keeps lost sockets outside of this server: those
// that another server lost, or this one before it was started anew. It is used with
// Options.ConnectionStateRecovery only. Where a client shows a key that this server
// does not know, the adapter is asked for it; what it gives back goes on as if it had
// been here. The events that are emitted to such a socket meanwhile are the adapter's to
// keep: it sees them in Broadcast. Node: the last two methods of Adapter.
type SessionAdapter interface {
	Adapter
	// PersistSession is given a socket whose connection was lost, or that the server's
	// stop has ended; and one that RestoreSession has returned, as it was, where the
	// client was lost meanwhile. It is called on a worker and may block. Node:
	// persistSession.
	PersistSession(ctx context.Context, s *SessionState) error
	// ForgetSession is told that the socket with this key has come back to this server.
	// It must not block, and is told of sockets that were never persisted, too.
	ForgetSession(pid string)
	// RestoreSession looks for the socket with this key, which is not to be given to
	// anybody else then, and calls adopt with it and the events for it after the one with
	// that offset, which is any text that a client may send, or empty. It does not call
	// adopt where it has no such socket, or not all of the events. It is called on a
	// worker and may block; ctx is done when the client is gone.
	//
	// adopt is called once, by whichever goroutine, before RestoreSession returns, and while
	// the adapter delivers nothing to the sockets of this namespace: what it has delivered
	// before is among the events, or is older, and what it delivers later the socket gets.
	// So nothing is lost or comes twice in between. adopt takes the socket's lock and that of the log
	// of events, calls Join, and does not block otherwise. It returns false where the
	// socket could not be had: its client is gone, or it was not as it should be. In the
	// former case PersistSession is given it again. Node: restoreSession.
	RestoreSession(ctx context.Context, pid, offset string, adopt func(*RestoredSession) bool) error
}

// SessionKeeper is a SessionAdapter that is told of sockets before they are lost, so that
// those of a server that is killed can be restored by another.
type SessionKeeper interface {
	SessionAdapter
	// KeepSession is told of a socket that has connected, or whose rooms or values of
	// shared keys have changed a moment ago, or that is connected still: it is told of each
	// again before half of SessionState.TTL is over. It is called by one
	// goroutine for all sockets of the server, so it should not wait for an answer.
	// Where a socket has been given to PersistSession, it is not called any more.
	KeepSession(ctx context.Context, s *SessionState) error
	// DropSession is told that the socket with this key will not return, as the client or
	// the server has ended it. It must not block, and is called with the socket's lock held.
	DropSession(pid string)
}

// SessionState is what is known of a socket that may come back.
type SessionState struct {
	ID    string                     // of the socket
	PID   string                     // the client's key: a secret
	Rooms []string                   // without the socket's own
	Data  map[string]json.RawMessage // values of shared keys: see NewSharedKey
	// Offset is that of the latest event of this server when the socket was lost. With an
	// OffsetAdapter it is one up to which the client has everything that was for it: it is
	// where to begin if the client shows none, or an older one.
	Offset string
	TTL    time.Duration // for how long it is of use
}

// RestoredSession is a socket that is back, and what it has missed, in order. Of the
// events, Array and Attachments matter; they carry no offset yet.
type RestoredSession struct {
	SessionState
	Missed []*Broadcast
	// Offsets are those of the Missed, with an OffsetAdapter.
	Offsets []string
}

// Recovery returns how the server of these sockets recovers them, complete; nil where it
// does not: then a SessionAdapter is an Adapter like any other.
func (a *MemoryAdapter) Recovery() *Recovery {
	r := a.nsp.server.log.recovery
	if r == nil {
		return nil
	}
	return new(*r)
}

// restoredValue is a value of a shared key that nobody has asked for yet.
type restoredValue json.RawMessage

// MarshalJSON lets the value travel on.
func (v restoredValue) MarshalJSON() ([]byte, error) { return v, nil }

// sessions returns the adapter, where it keeps lost sockets.
func (n *Namespace) sessions() SessionAdapter {
	if n.server.log.recovery == nil {
		return nil
	}
	a, _ := n.adapter.(SessionAdapter)
	return a
}

// seeks reports whether a client that is joining may belong to a socket that the
// adapter has.
func (s *Socket) seeks(auth []byte) bool {
	if s.client.eio3 || s.nsp.sessions() == nil {
		return false
	}
	_, ok := keyOf(auth)
	return ok
}

// restore asks the adapter for the socket that the client had before, and reports
// whether this one is it. On a worker.
func (s *Socket) restore(ctx context.Context) bool {
	auth := s.auth()
	if !s.seeks(auth) {
		return false
	}
	s.mu.Lock()
	settled := s.is(recovered) || s.is(denied)
	s.mu.Unlock()
	if settled {
		return false
	}
	k, _ := keyOf(auth)
	offset := k.offset
	if s.nsp.logged.Load() {
		offset = foreign(offset)
	}
	var state *RestoredSession
	adopted := false
	err := s.nsp.sessions().RestoreSession(ctx, string(k.pid[:]), offset, func(r *RestoredSession) bool {
		state, adopted = r, s.adopt(k, r)
		return adopted
	})
	if err != nil {
		s.report(ctx, err)
	}
	if state != nil && !adopted && ctx.Err() != nil { // the client is lost again, and may come once more
		state.TTL = s.nsp.server.log.recovery.MaxDisconnectionDuration
		if err := s.nsp.sessions().PersistSession(s.nsp.server.base, &state.SessionState); err != nil {
			s.report(s.nsp.server.base, err)
		}
	}
	return adopted
}

// adopt makes s the socket that an adapter has restored; false where it cannot be.
func (s *Socket) adopt(k key, state *RestoredSession) bool {
	sid, ok := parseID(state.ID)
	if !ok || len(state.Rooms) > s.nsp.server.options.MaxRooms || slices.ContainsFunc(state.Rooms, longRoom) {
		return false
	}
	position, since := s.nsp.position(), state.Offset
	if since == "" {
		since = foreign(k.offset)
	}
	var missed []numbered
	defer func() {
		for _, e := range missed {
			e.frame.Release()
		}
	}()
	logged := s.nsp.logged.Load()
	if logged && len(state.Offsets) != len(state.Missed) {
		return false
	}
	for i, p := range state.Missed {
		t := tail{counted: true}
		if logged {
			if t = (tail{text: state.Offsets[i]}); t.text == "" || !validOffset(t.text) {
				return false
			}
		}
		e, err := s.nsp.newNumbered(p.Array, p.Attachments, Flags{}, t)
		if err != nil {
			return false
		}
		if logged {
			e.mark = &mark{nsp: s.nsp, text: t.text}
		}
		missed = append(missed, e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connecting {
		return false
	}
	rooms := s.unjoined(state.ID, state.Rooms) // each once
	r := s.nsp.server.log.adopt(s, sid, k.pid, rooms, missed, position, since)
	if r == nil {
		return false
	}
	s.nsp.noteIDRooms(rooms)
	s.id = sid
	s.set(recovered)
	rare := s.need()
	rare.recoverable, rare.rooms = r, rooms
	for name, raw := range state.Data {
		rare.values = append(rare.values, value{&keyID{name}, restoredValue(raw)})
	}
	if len(rooms) > 0 { // from now on, what is for them is for it, also if its middlewares take their time
		s.nsp.adapter.Join(s, rooms)
	}
	return true
}

// adopt enters a socket from elsewhere, with what it missed as events for it alone; nil
// where this server has one of the same id or key.
func (l *eventLog) adopt(s *Socket, sid, pid socketID, rooms []string, missed []numbered, offset, since string) *recoverable {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID[sid] != nil || l.byPID[pid] != nil {
		return nil
	}
	r := &recoverable{nsp: s.nsp, sid: sid, socket: s, state: claimed}
	l.byID[sid] = r
	l.anew(r)
	r.since = since
	delete(l.byPID, r.pid)
	r.pid = pid
	l.byPID[pid] = r
	for _, room := range rooms {
		l.enterRoom(r, s.nsp.group(room))
	}
	for _, e := range missed {
		n := l.stamp(e, false)
		if e.mark != nil {
			e.mark.n, e.mark.at = n, l.now()
		}
		l.enter(&stored{n: n, at: l.now(), frame: e.frame, pos: e.at, in: []*logRoom{&r.own}, mark: e.mark})
	}
	if latest := s.nsp.latest; s.nsp.logged.Load() && (len(missed) > 0 || latest == nil || latest.text != offset) {
		// What carries the latest offset from now on, a volatile event, comes after these,
		// and after all that the client has had elsewhere.
		l.note(l.markOf(s.nsp, tail{offset + beside, true}), true)
	}
	return r
}

// names returns the rooms that r is in, but for its own. Called with mu held.
func (r *recoverable) names() (rooms []string) {
	for _, m := range r.rooms {
		if name, ok := strings.CutPrefix(m.room.name, r.nsp.prefix); ok && m.to == forever {
			rooms = append(rooms, name)
		}
	}
	return rooms
}
