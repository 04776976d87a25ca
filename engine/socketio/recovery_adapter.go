package socketio

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
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
	// stop has ended. It is called on a worker and may block. Node: persistSession.
	PersistSession(ctx context.Context, s *SessionState) error
	// ForgetSession is told that the socket with this key has come back to this server.
	// It must not block, and is told of sockets that were never persisted, too.
	ForgetSession(pid string)
	// RestoreSession returns the socket with this key, which is not to be given to
	// anybody else then, and the events for it after the one with that offset, which is
	// any text that a client may send, or empty. It returns nil where it has no such
	// socket, or not all of the events. It is called on a worker and may block; ctx is
	// done when the client is gone. Node: restoreSession.
	RestoreSession(ctx context.Context, pid, offset string) (*RestoredSession, error)
}

// SessionState is what is known of a socket that may come back.
type SessionState struct {
	ID     string                     // of the socket
	PID    string                     // the client's key: a secret
	Rooms  []string                   // without the socket's own
	Data   map[string]json.RawMessage // values of shared keys: see NewSharedKey
	Offset string                     // of the latest event of this server when it was lost
}

// RestoredSession is a socket that is back, and what it has missed, in order. Of the
// events, Array and Attachments matter; they carry no offset yet.
type RestoredSession struct {
	SessionState
	Missed []*Broadcast
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
	claimed := s.is(recovered)
	s.mu.Unlock()
	if claimed {
		return false
	}
	k, _ := keyOf(auth)
	state, err := s.nsp.sessions().RestoreSession(ctx, string(k.pid[:]), k.offset)
	if err != nil {
		s.report(ctx, err)
	}
	return state != nil && s.adopt(k, state)
}

// adopt makes s the socket that an adapter has restored; false where it cannot be.
func (s *Socket) adopt(k key, state *RestoredSession) bool {
	sid, ok := parseID(state.ID)
	if !ok || len(state.Rooms) > s.nsp.server.options.MaxRooms || slices.ContainsFunc(state.Rooms, longRoom) {
		return false
	}
	var missed []numbered
	defer func() {
		for _, e := range missed {
			e.frame.Release()
		}
	}()
	for _, p := range state.Missed {
		e, err := s.nsp.newNumbered(p.Array, p.Attachments, Flags{})
		if err != nil {
			return false
		}
		missed = append(missed, e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connecting {
		return false
	}
	rooms := s.unjoined(state.ID, state.Rooms) // each once
	r := s.nsp.server.log.adopt(s, sid, k.pid, rooms, missed)
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
	return true
}

// adopt enters a socket from elsewhere, with what it missed as events for it alone; nil
// where this server has one of the same id or key.
func (l *eventLog) adopt(s *Socket, sid, pid socketID, rooms []string, missed []numbered) *recoverable {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID[sid] != nil || l.byPID[pid] != nil {
		return nil
	}
	r := &recoverable{nsp: s.nsp, sid: sid, socket: s, state: claimed}
	l.byID[sid] = r
	l.anew(r)
	delete(l.byPID, r.pid)
	r.pid = pid
	l.byPID[pid] = r
	for _, room := range rooms {
		l.enterRoom(r, s.nsp.group(room))
	}
	for _, e := range missed {
		n := l.stamp(e, false)
		l.enter(&stored{n: n, at: l.now(), frame: e.frame, pos: e.at, in: []*logRoom{&r.own}})
	}
	return r
}

// persist gives a lost socket to the adapter. A client that is back here meanwhile is
// not to be there as well. On a worker, while the rooms are still set.
func (s *Socket) persist() {
	a, l := s.nsp.sessions(), s.nsp.server.log
	if a == nil {
		return
	}
	s.mu.Lock()
	r := s.returnable()
	s.mu.Unlock()
	if r == nil {
		return
	}
	state, lost := l.lostState(r, s)
	if !lost {
		return
	}
	state.Data = s.shared()
	if err := a.PersistSession(s.nsp.server.base, state); err != nil {
		s.report(s.nsp.server.base, err)
	}
	if _, lost := l.lostState(r, s); !lost {
		a.ForgetSession(state.PID)
	}
}

// lostState describes r, unless it has another socket than s by now.
func (l *eventLog) lostState(r *recoverable, s *Socket) (state *SessionState, lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state = &SessionState{ID: string(r.sid[:]), PID: string(r.pid[:]), Rooms: r.names(), Offset: offsetOf(l.epoch, l.last)}
	return state, r.socket == s && r.state == waiting
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
