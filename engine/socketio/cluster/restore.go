package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Reasons why a client is not recovered. They are nobody's fault, and are counted.
var (
	errTooOld   = errors.New("cluster: the log has been trimmed since the client was there")
	errTooEarly = errors.New("cluster: the log has not come to where the client is")
)

// RestoreSession implements socketio.SessionAdapter.
func (l *Logged) RestoreSession(ctx context.Context, pid, offset string, adopt func(*socketio.RestoredSession) bool) error {
	t := l.tail
	defer t.restoring.Add(-1)
	if t.restoring.Add(1) > int64(t.options.MaxRestores) {
		t.counts.crowded.Add(1)
		return nil
	}
	ctx, h := newHolding(ctx)
	defer l.surrenders.release(pid, h)
	s, err := l.take(ctx, pid, h)
	switch {
	case err != nil:
		return fmt.Errorf("cluster: looking for a socket: %w", err)
	case s == nil || s.Namespace != "" && s.Namespace != l.Namespace().Name():
		t.counts.noSession.Add(1)
		return nil
	}
	l.surrenders.restored.add(pid)
	l.surrenders.handed.forget(pid)
	err = l.resume(ctx, s, offset, adopt)
	switch {
	case ctx.Err() != nil && err != nil: // the client is lost again, or elsewhere, and may come once more
		s.Live = false
		t.store.put(s, l.lifetime())
		return nil
	case errors.Is(err, errTooOld):
		t.counts.tooOld.Add(1)
		return nil
	case errors.Is(err, errTooEarly):
		t.counts.tooEarly.Add(1)
		return nil
	}
	return err
}

// resume has a socket adopted, with the events behind the offset that its client shows.
func (l *Logged) resume(ctx context.Context, s *Session, offset string, adopt func(*socketio.RestoredSession) bool) error {
	from, ok := l.startOf(s, offset)
	if !ok {
		return errTooOld
	}
	ctx, cancel := context.WithTimeout(ctx, l.tail.options.MaxWait)
	defer cancel()
	w := newWalk(l, s, from)
	for {
		if err := l.tail.cover(ctx, w.at); err != nil {
			return err
		}
		if !w.collect() {
			continue
		}
		if err := w.awaitEarly(ctx); err != nil {
			return err
		}
		if done := l.finish(w, s, adopt); done {
			return nil
		}
	}
}

// startOf is where a client goes on: where it says that it is, but not before what it
// has for certain. A client that has received nothing yet shows the offset of an
// earlier socket, or none.
func (l *Logged) startOf(s *Session, shown string) (from mark, ok bool) {
	from, ok = parseMark(l.tail.log, shown)
	stored, known := parseMark(l.tail.log, s.Offset)
	switch {
	case !known:
		return from, ok
	case !ok:
		return stored, true
	}
	switch order := l.tail.log.Compare(stored.base, from.base); {
	case order > 0, order == 0 && from.uid == "", order == 0 && from.uid == stored.uid && from.sequence < stored.sequence:
		return stored, true
	}
	return from, true
}

// OffsetBefore implements socketio.OffsetOrder.
func (l *Logged) OffsetBefore(a, b string) bool {
	m, known := parseMark(l.tail.log, a)
	n, ok := parseMark(l.tail.log, b)
	if !known || !ok {
		return false
	}
	order := l.tail.log.Compare(m.base, n.base)
	return order < 0 || order == 0 && n.uid != "" && (n.uid != m.uid || n.sequence > m.sequence)
}

// finish has a socket adopted while nothing is delivered to the namespace; false where
// something has been trimmed meanwhile.
func (l *Logged) finish(w *walk, s *Session, adopt func(*socketio.RestoredSession) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !w.collectUpTo(l.reached()) {
		return false
	}
	for i := range l.given.items {
		w.addGiven(&l.given.items[i])
	}
	state := socketio.SessionState{ID: s.ID, PID: s.PID, Rooms: s.Rooms, Data: s.Data, Offset: w.from.String(), TTL: l.lifetime()}
	if adopt(&socketio.RestoredSession{SessionState: state, Missed: w.missed, Offsets: w.offsets}) {
		l.tail.counts.restored.Add(1)
	}
	return true
}

// reached is the offset up to which everything was delivered to this namespace. Called
// with mu held, so that it stays so.
func (l *Logged) reached() string {
	l.tail.mu.RLock()
	defer l.tail.mu.RUnlock()
	if l.tail.log.Compare(l.base, l.tail.done) > 0 {
		return l.base
	}
	return l.tail.done
}

// walk collects what a socket has missed.
type walk struct {
	l     *Logged
	from  mark
	at    string // up to here it has been looked
	rooms map[string]struct{}

	missed  []*socketio.Broadcast
	offsets []string
	passed  bool // what was delivered early to the client has come
	blind   bool // its sender's events are not numbered here
}

func newWalk(l *Logged, s *Session, from mark) *walk {
	w := &walk{l: l, from: from, at: from.base, rooms: make(map[string]struct{}, len(s.Rooms)+1)}
	w.rooms[s.ID] = struct{}{}
	for _, r := range s.Rooms {
		w.rooms[r] = struct{}{}
	}
	w.passed = from.uid == ""
	return w
}

// collect goes on with what has been delivered by now; false where it is not all in
// memory.
func (w *walk) collect() bool {
	t := w.l.tail
	t.mu.RLock()
	defer t.mu.RUnlock()
	return w.look(t, t.done)
}

// collectUpTo goes on up to an offset; otherwise as collect.
func (w *walk) collectUpTo(offset string) bool {
	t := w.l.tail
	t.mu.RLock()
	defer t.mu.RUnlock()
	return w.look(t, offset)
}

// look looks at events up to an offset. Called with the tail's mu held.
func (w *walk) look(t *Tail, upTo string) bool {
	if t.log.Compare(w.at, t.floor) < 0 {
		return false
	}
	if t.log.Compare(upTo, w.at) <= 0 {
		return true
	}
	for _, e := range t.events[t.after(w.at):t.after(upTo)] {
		if e.nsp == w.l.Namespace().Name() {
			w.add(e)
		}
	}
	w.at = upTo
	return true
}

// add looks at one event of the namespace.
func (w *walk) add(e *event) {
	if !w.passed && e.uid == w.from.uid {
		w.blind = w.blind || e.sequence == 0
		w.passed = e.sequence >= w.from.sequence
	}
	if w.from.has(e) || !w.wants(e.p) {
		return
	}
	at := mark{base: e.offset}
	if !w.passed {
		at.uid, at.sequence = w.from.uid, w.from.sequence
	}
	w.missed = append(w.missed, e.p)
	w.offsets = append(w.offsets, at.String())
}

// addGiven looks at one event that was delivered early here, and has not come back.
func (w *walk) addGiven(g *given) {
	if g.p == nil || w.from.uid == w.l.uid && g.sequence <= w.from.sequence || !w.wants(g.p) {
		return
	}
	w.missed = append(w.missed, g.p)
	w.offsets = append(w.offsets, mark{w.at, w.l.uid, g.sequence}.String())
}

// wants reports whether the socket is among those an event is for.
func (w *walk) wants(p *socketio.Broadcast) bool {
	return (len(p.Rooms) == 0 || w.in(p.Rooms)) && !w.in(p.Except)
}

func (w *walk) in(rooms []string) bool {
	for _, r := range rooms {
		if _, ok := w.rooms[r]; ok {
			return true
		}
	}
	return false
}

// awaitEarly waits for the log to have what was delivered early to the client, since it
// would be given that again when it comes. What this server has delivered early it
// knows itself.
func (w *walk) awaitEarly(ctx context.Context) error {
	t := w.l.tail
	for !w.passed && w.from.uid != w.l.uid {
		t.mu.Lock()
		moved, more := t.movement(), t.log.Compare(t.done, w.at) > 0
		t.mu.Unlock()
		if !more {
			select {
			case <-moved:
			case <-ctx.Done():
				return errTooEarly
			}
		}
		if w.blind {
			return errTooEarly
		}
		if !w.collect() {
			return errTooOld
		}
	}
	return nil
}

// defaultLifetime is for how long sockets are stored where nothing else is known. Node:
// maxDisconnectionDuration.
const defaultLifetime = 2 * time.Minute

// lifetime is for how long a lost socket is stored.
func (l *Logged) lifetime() time.Duration {
	return cmp.Or(time.Duration(l.ttl.Load()), defaultLifetime)
}
