package history

import (
	"slices"
	"sort"
	"time"
)

// tail is the newest messages of a room, so that many who come at once do not ask the
// store one by one. Guarded by History.mu.
type tail struct {
	messages []Message
	whole    bool      // the room has no older ones
	loaded   bool      // false: not read yet
	at       time.Time // when the store was asked
	used     uint64    // the larger, the later
	loading  *load     // not nil while somebody asks the store
}

// load is a question that others wait for, too.
type load struct {
	done  chan struct{}
	added []Message // since it was asked; guarded by History.mu
	err   error     // immutable once done is closed
}

func (t *tail) add(m Message, length int) {
	if t.loading != nil {
		t.loading.added = append(t.loading.added, m)
	}
	if !t.loaded {
		return
	}
	n := len(t.messages)
	switch i := t.find(m.ID); {
	case i == n:
		t.messages = append(t.messages, m)
		t.cut(length)
	case t.messages[i].ID == m.ID: // it came twice
	case i > 0 || t.whole: // another server's clock is ahead of ours
		t.messages = slices.Insert(t.messages, i, m)
	}
}

// find returns the index of the first message that is not before id.
func (t *tail) find(id string) int {
	if n := len(t.messages); n == 0 || t.messages[n-1].ID < id {
		return n
	}
	return sort.Search(len(t.messages), func(i int) bool { return t.messages[i].ID >= id })
}

// cut leaves the newest ones. It does so late, so that it costs little per message.
func (t *tail) cut(length int) {
	if n := len(t.messages); n > 2*length {
		t.messages, t.whole = slices.Clone(t.messages[n-length:]), false
	}
}

// read returns what a span has, unless older messages than the tail's may belong to it.
func (t *tail) read(s span) (found []Message, more, ok bool) {
	part := t.messages
	i := t.find(s.id)
	switch {
	case !s.up && s.id != "":
		part = part[:i]
	case s.up && i < len(part) && part[i].ID == s.id:
		part = part[i+1:]
	case s.up && i == 0 && !t.whole:
		return nil, false, false
	case s.up:
		part = part[i:]
	}
	if !s.up && len(part) < s.limit && !t.whole {
		return nil, false, false
	}
	part, more = s.cut(part)
	return slices.Clone(part), more || !s.up && !t.whole, true
}

// tails are those of the rooms that were asked for last.
type tails struct {
	rooms  map[string]*tail
	most   int // rooms
	length int // messages of each, at least
	clock  uint64
}

// of returns a room's tail, which may have to be loaded.
func (t *tails) of(room string) *tail {
	t.clock++
	r := t.rooms[room]
	if r == nil {
		for len(t.rooms) >= t.most && t.evict() {
		}
		r = &tail{}
		t.rooms[room] = r
	}
	r.used = t.clock
	return r
}

// evict forgets the one that was not asked for the longest time. It reports false where
// all of them are being loaded; those are wanted.
func (t *tails) evict() bool {
	oldest, used := "", t.clock // the clock's own is the one that is about to be made
	for room, r := range t.rooms {
		if r.used < used && r.loading == nil {
			oldest, used = room, r.used
		}
	}
	if used == t.clock {
		return false
	}
	delete(t.rooms, oldest)
	return true
}

func (t *tails) add(m Message) {
	if r := t.rooms[m.Room]; r != nil {
		r.add(m, t.length)
	}
}

// trim is what happened to a room of the store: it has as many messages as are kept.
func (t *tails) trim(room string, keep int) {
	if r := t.rooms[room]; r != nil && len(r.messages) > keep {
		r.messages, r.whole = slices.Clone(r.messages[len(r.messages)-keep:]), true
	}
}

func (t *tails) forget(room string) { delete(t.rooms, room) }
func (t *tails) clear()             { clear(t.rooms) }
