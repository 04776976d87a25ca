package socketio

import "strings"

// mark is an event of a namespace whose offsets are an adapter's: the text that clients
// have, and the number that the log of this server goes by. Immutable.
type mark struct {
	nsp  *Namespace
	n    uint64
	at   int64 // when it was delivered, in ms of the log
	text string
}

// base is the part of the text that is the adapter's.
func (m *mark) base() string {
	base, _, _ := strings.Cut(m.text, beside)
	return base
}

// markIndex is the marks of which a client may show the text, oldest first. Guarded by
// eventLog.mu.
//
// A mark outlives its event: a client may have had the offset with a volatile event, and
// not have been meant by the event itself. It goes when what is older is of no use to
// recovery, or for the bound on bytes; floor is the latest that has gone. What a client
// shows that is not found is dealt with in lookUp.
type markIndex struct {
	byText map[markKey]*mark
	order  fifo[*mark]
	bytes  int64
	floor  uint64
}

type markKey struct {
	nsp  *Namespace
	text string
}

// markOverhead is what a mark occupies beside its text: mark, its entries in the queue
// and the map.
const markOverhead = 48 + 8 + 64

func (m *mark) cost() int64 { return int64(len(m.text)) + markOverhead }

func (q *markIndex) find(n *Namespace, text string) *mark { return q.byText[markKey{n, text}] }

func (q *markIndex) add(m *mark) {
	if q.byText == nil {
		q.byText = make(map[markKey]*mark)
	}
	q.byText[markKey{m.nsp, m.text}] = m
	q.order.push(m)
	q.bytes += m.cost()
}

// trim drops the oldest: those up to that number, or older, or too many.
func (q *markIndex) trim(swept uint64, oldest, most int64) {
	for q.order.len() > 0 {
		m := q.order.items[q.order.head]
		if m.n > swept && m.at >= oldest && q.bytes <= most {
			return
		}
		_, _ = q.order.pop()
		delete(q.byText, markKey{m.nsp, m.text})
		q.bytes -= m.cost()
		q.floor = m.n
	}
}

// note makes an event the latest of its namespace. Only what is kept counts: all other
// events were for nobody who could show their offset. Called with mu held.
func (l *eventLog) note(m *mark, counted bool) {
	m.nsp.latest = m
	if !counted {
		l.marks.add(m)
		l.trimMarks(m.at)
	}
}

// trimMarks keeps as many as are of use, in half of what events may occupy. Called with
// mu held.
func (l *eventLog) trimMarks(now int64) {
	l.marks.trim(l.swept, now-l.span, l.maxBytes()/2)
}

// lookUp returns the number of the last event that r's client has, where it shows the
// offset text; false where that cannot be told.
//
// The events that r had while it was adopted have numbers of its own, so they are looked
// at first. What is found nowhere and is behind what r had when it began, where the
// adapter can tell that, is for the adapter to look at: the client may have been
// elsewhere meanwhile. Else it is the offset of another server, or one from before
// the namespace's first event: then the client has nothing since r began. Or it is of an
// event that has lost its mark: then the client has what is not newer than floor, but it
// is not known how much of it. That does not matter where there is nothing for r between
// its beginning and floor, neither kept nor given up before the client had confirmed it:
// a quiet client's case, and as it cannot be mended, all else is refused. Nobody can
// gain by showing a false offset but to be sent its own events again, or not at all.
// Called with mu held.
func (l *eventLog) lookUp(r *recoverable, text string) (n uint64, ok bool) {
	if text == "" {
		return r.start, true
	}
	if n, ok := l.count(text); ok {
		return max(n, r.start), n <= l.last
	}
	if m := r.own.shown(text, forever); m != nil {
		return m.n, true
	}
	if m := l.marks.find(r.nsp, text); m != nil {
		return max(m.n, r.start), true
	}
	for _, each := range r.rooms {
		if m := each.room.shown(text, l.marks.floor); m != nil {
			return max(m.n, r.start), true
		}
	}
	if l.elsewhere(r, text) {
		return 0, false
	}
	floor := l.marks.floor
	if floor <= r.start || r.lost(r.start) { // which the caller will find, too
		return r.start, true
	}
	if e := r.missed(r.start).next(); e != nil && e.n <= floor {
		return 0, false
	}
	return floor, true
}

// elsewhere reports whether r's client shows an offset, not found here, that it was
// given by another server since r began: that one has been quicker in giving up the
// socket than this one in hearing of it, or this one has not read so far yet. Called
// with mu held.
func (l *eventLog) elsewhere(r *recoverable, text string) bool {
	o, ok := r.nsp.offsets.(OffsetOrder)
	return ok && r.since != "" && o.OffsetBefore(r.since, foreign(text))
}

// shown returns the mark of that text, among the events up to a number and the latest
// that was given up.
func (r *logRoom) shown(text string, upTo uint64) *mark {
	if m := r.evictedMark; m != nil && m.text == text {
		return m
	}
	for _, e := range r.events() {
		switch {
		case e.n > upTo:
			return nil
		case e.mark != nil && e.mark.text == text:
			return e.mark
		}
	}
	return nil
}

// numberOf returns the number of a room's event, or of one of its namespace, that has
// this offset. Called with mu held.
func (l *eventLog) numberOf(n *Namespace, r *logRoom, text string) (number uint64, ok bool) {
	if number, ok = parseOffset(text, l.epoch); ok && !n.logged.Load() {
		return number, number <= l.last
	}
	if number, ok = l.count(text); ok {
		return number, number <= l.last
	}
	if m := l.marks.find(n, text); m != nil {
		return m.n, true
	}
	if r != nil {
		if m := r.shown(text, forever); m != nil {
			return m.n, true
		}
	}
	return 0, false
}
