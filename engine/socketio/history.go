package socketio

import (
	"bytes"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// HistoryLimits say how much of what was sent to a room is kept for those who come
// late. An event is kept until it exceeds one of them; zero is no limit. All three
// zero is no history.
type HistoryLimits struct {
	Events int           // the latest so many
	Bytes  int64         // that occupy at most so much, packets and overhead
	Age    time.Duration // that are not older
}

// History is what is kept of one room: the events that were broadcast to it by name,
// but for volatile ones and those that ask for acknowledgements. Those events carry an
// offset behind their last argument. Safe for concurrent use. It lives in the memory of
// this server; Options.MaxHistoryBytes bounds all histories together.
type History struct {
	nsp  *Namespace
	room string
}

// HistoryEvent is an event that was kept.
type HistoryEvent struct {
	Offset string    // as clients have it behind the last argument
	Time   time.Time // when it was emitted
	Event  string
	Args   Args // without the offset
}

// KeepHistory has the room's events kept from now on, and returns what there is of
// them. It replaces the limits that were set before; no limits end the history. Where
// rooms come and go, Options.History decides for all of them. Of a child namespace that
// is removed (Options.CleanupEmptyChildNamespaces) nothing is kept, nor of a parent,
// to which nothing is ever sent itself.
func (n *Namespace) KeepHistory(room string, limits HistoryLimits) *History {
	l := n.server.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.removed.Load() {
		return n.History(room)
	}
	r := l.room(n.group(room))
	l.setLimits(n, r, limits)
	if named := limits != (HistoryLimits{}); named != r.named {
		r.named = named
		if named {
			l.kept.Add(1)
		} else {
			l.kept.Add(-1)
		}
	}
	l.shrink(r, l.now())
	l.retire(r)
	return n.History(room)
}

// History returns what is kept of a room, which may be nothing.
func (n *Namespace) History(room string) *History { return &History{n, room} }

// Since returns the kept events after the one with that offset, oldest first; all of
// them, where offset is empty. complete is false where there may have been others that
// are not kept any more, or where the offset is none of this server's since it started.
func (h *History) Since(offset string) (events []HistoryEvent, complete bool) {
	l := h.nsp.server.log
	l.mu.Lock()
	kept, complete := h.since(offset)
	for _, e := range kept {
		e.frame.Retain()
	}
	l.mu.Unlock()
	for _, e := range kept {
		if event, ok := h.nsp.historyEvent(e); ok {
			events = append(events, event)
		}
		e.frame.Release()
	}
	return events, complete
}

// since returns copies of what is stored. Called with the log's lock held.
func (h *History) since(offset string) (events []stored, complete bool) {
	l := h.nsp.server.log
	r := l.rooms[h.nsp.group(h.room)]
	n, ok := uint64(0), true
	if offset != "" {
		if n, ok = l.numberOf(h.nsp, r, offset); !ok {
			n = 0
		}
	}
	if r == nil {
		return nil, offset == ""
	}
	if n < r.evicted && offset != "" {
		ok = false
	}
	kept := r.after(n)
	latest := r.latest(kept, l.now())
	for _, e := range latest {
		events = append(events, *e)
	}
	return events, ok && (offset == "" || len(latest) == len(kept))
}

// latest cuts off what is kept for recovery alone.
func (r *logRoom) latest(events []*stored, now int64) []*stored {
	h, bytes := &r.limits, int64(0)
	for i := len(events) - 1; i >= 0; i-- {
		bytes += int64(events[i].size)
		if h.Events > 0 && len(events)-i > h.Events || h.Bytes > 0 && bytes > h.Bytes ||
			h.Age > 0 && events[i].at < now-h.Age.Milliseconds() || *h == (HistoryLimits{}) {
			return events[i+1:]
		}
	}
	return events
}

// historyEvent decodes a kept event.
func (n *Namespace) historyEvent(e stored) (h HistoryEvent, ok bool) {
	array, attachments, ok := n.keptArray(&e)
	if !ok {
		return h, false
	}
	name, list, err := parser.EventName(array)
	if err != nil {
		return h, false
	}
	l := n.server.log
	return HistoryEvent{
		Offset: l.offset(&e),
		Time:   l.began.Add(time.Duration(e.at) * time.Millisecond),
		Event:  string(name),
		Args:   newArgs(list, attachments, n.server.options.JSON),
	}, true
}

// offset is the text that clients have of an event.
func (l *eventLog) offset(e *stored) string {
	if e.mark != nil {
		return e.mark.text
	}
	return offsetOf(l.epoch, e.n)
}

// keptArray returns a kept event as it was before it got its offset. It is a copy.
func (n *Namespace) keptArray(e *stored) (array []byte, attachments [][]byte, ok bool) {
	p, attachments, err := n.keptPacket(e.frame)
	end := len(p.Data) - len(`,"`) - len(n.server.log.offset(e)) - len(`"]`)
	if err != nil || end < 0 {
		return nil, nil, false
	}
	return append(p.Data[:end], ']'), attachments, true
}

// keptPacket reads a frame of ours. The packet and its attachments are copies.
func (n *Namespace) keptPacket(f *engine.Frame) (p parser.Packet, attachments [][]byte, err error) {
	text, binary := f.Message()
	lim := &parser.Limits{Attachments: parser.MaxAttachments, Depth: parser.MaxDepth, Namespace: len(n.name)} // clients' are stricter
	if q := n.server.options.Parser; q != nil && q.Binary() {
		return q.DecodePacket(bytes.Clone(binary[0]), true, lim)
	} else if q != nil {
		return q.DecodePacket(bytes.Clone(text), false, lim)
	}
	for _, b := range binary {
		attachments = append(attachments, bytes.Clone(b))
	}
	p, err = parser.Decode(bytes.Clone(text), lim)
	return p, attachments, err
}

// Join puts a socket into the room and sends it the kept events after the one with that
// offset, all of them where offset is empty, in one step: events that are emitted to the
// room meanwhile come behind them, and none is missing or comes twice. For complete see
// [History.Since]; the errors are those of [Socket.Join] and [Socket.Emit], and
// [ErrOtherNamespace]. A socket that is in the room already is sent the events all the
// same.
func (h *History) Join(s *Socket, offset string) (complete bool, err error) {
	if s.nsp != h.nsp {
		return false, ErrOtherNamespace
	}
	if longRoom(h.room) {
		return false, ErrRoomName
	}
	s.nsp.noteIDRooms([]string{h.room})
	own := s.ID()
	defer s.nsp.flushWatchers()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.sendable(); err != nil {
		return false, err
	}
	fresh := s.unjoined(own, []string{h.room})
	if len(fresh) > 0 {
		r := s.need()
		if len(r.rooms) >= s.nsp.server.options.MaxRooms {
			s.nsp.server.stats.exceeded(limitRooms)
			return false, ErrTooManyRooms
		}
		r.rooms = append(r.rooms, h.room)
	}
	complete = s.nsp.server.log.joinHistory(h, s, offset)
	if len(fresh) > 0 {
		s.nsp.adapter.Join(s, fresh)
		s.watchJoined(fresh)
	}
	return complete, nil
}

// joinHistory replays and joins. A socket that may return gets the events as emitted to
// it alone: with numbers of their own, above those it has, and again if it loses its
// connection. Called with the socket's lock held.
func (l *eventLog) joinHistory(h *History, s *Socket, offset string) (complete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events, complete := h.since(offset)
	frames := make([]*engine.Frame, 0, len(events))
	r := s.returnable()
	for _, e := range events {
		if r == nil {
			frames = append(frames, e.frame)
			continue
		}
		copied, tl, ok := l.copied(h.nsp, &e)
		if !ok {
			continue
		}
		n := l.stamp(copied, false)
		copied.mark = l.markOf(h.nsp, tl)
		l.enter(&stored{n: n, at: l.now(), frame: copied.frame, pos: copied.at, in: []*logRoom{&r.own}, mark: copied.mark})
		if copied.mark != nil {
			l.note(copied.mark, tl.counted)
		}
		frames = append(frames, copied.frame)
	}
	if r == nil || r.state == live {
		s.client.session.SendAll(frames)
	}
	if r != nil {
		for _, f := range frames {
			f.Release()
		}
	}
	group := h.nsp.group(h.room)
	if r != nil && r.present(group) < 0 {
		l.enterRoom(r, group)
	}
	if r == nil || r.state == live {
		s.client.session.Join(group)
	}
	return complete
}

// copied returns a kept event with room for another number. Where offsets are an adapter's,
// this server's is counted beside them, since the log does not know of the copy. Called
// with mu held.
func (l *eventLog) copied(n *Namespace, e *stored) (c numbered, t tail, ok bool) {
	t = l.tailOf(n, false, false, "")
	if t.text == "" && e.pos >= 0 {
		return numbered{frame: e.frame.Clone(), at: e.pos}, t, true
	}
	array, attachments, ok := n.keptArray(e)
	if !ok {
		return c, t, false
	}
	c, err := n.newNumbered(array, attachments, Flags{}, t)
	return c, t, err == nil
}

// historic reports whether a history is kept of one of the rooms. Options.History is
// asked for those of which nothing is kept; limits are what it says of each room, nil
// where it says nothing of any.
func (l *eventLog) historic(n *Namespace, rooms []string) (any bool, limits []HistoryLimits) {
	if len(rooms) == 0 || !l.histories() {
		return false, nil
	}
	for i, room := range rooms {
		kept, h := l.keeps(n, room)
		any = any || kept
		if h != (HistoryLimits{}) {
			if limits == nil {
				limits = make([]HistoryLimits, len(rooms))
			}
			limits[i] = h
		}
	}
	return any, limits
}

func (l *eventLog) keeps(n *Namespace, room string) (kept bool, limits HistoryLimits) {
	l.mu.Lock()
	r := l.rooms[n.group(room)]
	if r != nil && !r.named {
		limits = r.limits
	}
	kept = r != nil && r.limits != HistoryLimits{}
	l.mu.Unlock()
	if kept || l.history == nil {
		return kept, limits
	}
	limits = l.history(n.name, room)
	return limits != HistoryLimits{}, limits
}

// limit gives rooms what Options.History has said, in one step with the first event:
// a room without any is forgotten. Called with mu held.
func (l *eventLog) limit(n *Namespace, rooms []string, limits []HistoryLimits) {
	for i, h := range limits {
		if h == (HistoryLimits{}) || n.removed.Load() {
			continue
		}
		if r := l.room(n.group(rooms[i])); r.limits == (HistoryLimits{}) {
			l.setLimits(n, r, h)
		}
	}
}

// setLimits sets a room's limits, which go with its namespace if that is a child.
// Called with mu held.
func (l *eventLog) setLimits(n *Namespace, r *logRoom, h HistoryLimits) {
	r.limits = h
	if n.child == nil {
		return
	}
	if n.histories == nil {
		n.histories = make(map[*logRoom]struct{})
	}
	r.child = n
	n.histories[r] = struct{}{}
}

// forget drops the histories of a child namespace that was removed.
func (l *eventLog) forget(n *Namespace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := range n.histories {
		if r.named {
			r.named = false
			l.kept.Add(-1)
		}
		r.limits = HistoryLimits{}
		for r.front() != nil {
			l.dropFront(r)
		}
		l.retire(r)
	}
}

// trimHistories drops what is too old for the histories that hold it. Called with mu held.
func (l *eventLog) trimHistories(now int64) {
	if !l.histories() {
		return
	}
	for _, r := range l.rooms {
		if r.limits.Age > 0 {
			l.shrink(r, now)
		}
	}
}
