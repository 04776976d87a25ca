package cluster

import (
	"context"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// PersistSession implements socketio.SessionAdapter. The socket is stored soon.
func (l *Logged) PersistSession(_ context.Context, s *socketio.SessionState) error {
	return l.storeSession(s, false)
}

// KeepSession implements socketio.SessionKeeper. The socket is stored soon.
func (l *Logged) KeepSession(_ context.Context, s *socketio.SessionState) error {
	return l.storeSession(s, true)
}

func (l *Logged) storeSession(s *socketio.SessionState, live bool) error {
	if !live {
		l.ttl.Store(int64(s.TTL))
	}
	session := &Session{
		ID: s.ID, PID: s.PID, Namespace: l.Namespace().Name(), Rooms: s.Rooms, Data: s.Data,
		Offset: s.Offset, Owner: l.uid, Live: live, Stored: time.Now().UnixNano(),
	}
	stored := l.tail.store.put(session, s.TTL)
	if live {
		l.surrenders.handed.forget(s.PID)
	} else {
		l.surrenders.hand(s.PID)
	}
	if stored == nil {
		return errManySessions
	}
	return nil
}

// ForgetSession implements socketio.SessionAdapter.
func (l *Logged) ForgetSession(pid string) {
	l.surrenders.handed.forget(pid)
	l.tail.store.drop(pid, l.uid)
}

// DropSession implements socketio.SessionKeeper.
func (l *Logged) DropSession(pid string) { l.tail.store.drop(pid, l.uid) }

// take returns the socket with this key, which nobody else is given then unless h is
// interrupted; nil where there is none. Whoever has its connection still, gives it up.
func (l *Logged) take(ctx context.Context, pid string, h *holding) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, l.tail.options.MaxWait)
	defer cancel()
	if handed, ok := l.surrenders.begin(pid); ok { // what this server has of it goes the same way
		l.giveUp(ctx, pid, handed)
		l.surrenders.end(pid, handed)
	}
	s, err := l.tail.log.TakeSession(ctx, pid)
	if err != nil {
		return nil, err
	}
	if s != nil {
		l.surrenders.hold(pid, h)
	}
	if s != nil && !s.Live {
		l.tellSurrender(s)
		return s, nil
	}
	owner := ""
	if s != nil {
		owner = s.Owner
	}
	l.askSurrender(ctx, pid, owner, func() bool {
		latest, err := l.tail.takeLate(ctx, pid)
		if latest == nil || err != nil {
			return false
		}
		s = latest
		l.surrenders.hold(pid, h)
		return true
	})
	return s, nil
}

// takeLate is TakeSession for those whose time may be over.
func (t *Tail) takeLate(ctx context.Context, pid string) (*Session, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.options.MaxWait)
	defer cancel()
	return t.log.TakeSession(ctx, pid)
}
