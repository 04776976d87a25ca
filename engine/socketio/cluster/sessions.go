package cluster

import (
	"context"

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
		Offset: s.Offset, Owner: l.uid, Live: live,
	}
	stored := l.tail.store.put(s.PID, session, s.TTL)
	if !live {
		l.surrenders.handed(s.PID)
	}
	if stored == nil {
		return errManySessions
	}
	return nil
}

// ForgetSession implements socketio.SessionAdapter.
func (l *Logged) ForgetSession(pid string) { l.tail.store.put(pid, nil, 0) }

// DropSession implements socketio.SessionKeeper.
func (l *Logged) DropSession(pid string) { l.tail.store.put(pid, nil, 0) }

// take returns the socket with this key, which nobody else is given then; nil where there
// is none. Whoever has its connection still, gives it up.
func (l *Logged) take(ctx context.Context, pid string) (*Session, error) {
	if stored := l.tail.store.under(pid); stored != nil {
		select {
		case <-stored:
		case <-ctx.Done():
		}
	}
	s, err := l.tail.log.TakeSession(ctx, pid)
	if err != nil {
		return nil, err
	}
	if s != nil && !s.Live {
		l.tellSurrender(pid)
		return s, nil
	}
	owner := ""
	if s != nil {
		owner = s.Owner
	}
	if !l.askSurrender(ctx, pid, owner) {
		return s, nil
	}
	latest, err := l.tail.log.TakeSession(ctx, pid)
	if latest == nil || err != nil {
		return s, nil
	}
	return latest, nil
}
