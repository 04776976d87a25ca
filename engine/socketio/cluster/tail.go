package cluster

import (
	"log/slog"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// TailOptions configure a Tail. The zero value of each field means its default.
type TailOptions struct {
	// MaxEvents is how many of the latest events are kept in memory; default 10,000, as
	// many as Node's streams adapter keeps in Redis (maxLen).
	MaxEvents int
	// MaxBytes is how many bytes of them; default 64 MiB.
	MaxBytes int64
	// MaxOlderEvents is how many events before those may be read back for clients that
	// return; default 100,000. They stay for a minute. Who has missed more is not
	// recovered.
	MaxOlderEvents int
	// MaxOlderBytes is how many bytes of them; default 256 MiB.
	MaxOlderBytes int64
	// Patience is how long an event of this server may take to come back from the log
	// until it is delivered here without; default 500 ms.
	Patience time.Duration
	// MaxPending is how many events of one namespace may be on their way into the log;
	// default 65,536. Those beyond are delivered here, and lost for other servers.
	MaxPending int
	// MaxPendingBytes is how many bytes of them; default 64 MiB.
	MaxPendingBytes int64
	// MaxWait is how long a client that returns may have to wait for other servers, and
	// then for the log; default 2 s each. Then it is not recovered. The other servers
	// are asked for sockets that were connected when they were stored last.
	MaxWait time.Duration
	// MaxRestores is how many clients may be at that; default 1,024. Those beyond are not
	// recovered.
	MaxRestores int
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

func (o TailOptions) withDefaults() TailOptions {
	o.MaxEvents = orElse(o.MaxEvents, 10_000)
	o.MaxBytes = orElse(o.MaxBytes, 64<<20)
	o.MaxOlderEvents = orElse(o.MaxOlderEvents, 100_000)
	o.MaxOlderBytes = orElse(o.MaxOlderBytes, 256<<20)
	o.Patience = orElse(o.Patience, 500*time.Millisecond)
	o.MaxPending = orElse(o.MaxPending, 65_536)
	o.MaxPendingBytes = orElse(o.MaxPendingBytes, 64<<20)
	o.MaxWait = orElse(o.MaxWait, 2*time.Second)
	o.MaxRestores = orElse(o.MaxRestores, 1024)
	o.Logger = orElse(o.Logger, slog.Default())
	return o
}

// Tail is the end of a Log, as far as this process has read it. It hands every entry to
// the adapters of its namespace, and keeps the latest events of all namespaces in
// memory, so that clients which return in great numbers cost the broker nothing.
// Methods are safe for concurrent use, unless they say otherwise.
type Tail struct {
	log     Log
	options TailOptions

	mu       sync.RWMutex
	begun    bool                 // guarded by mu, as all the following
	events   []*event             // in the log's order
	bytes    int64                // of them
	floor    string               // every event behind it, up to last, is in events
	last     string               // of the latest entry that was read
	done     string               // of the latest entry that all adapters have been given
	moved    chan struct{}        // closed when done moves; nil where nobody waits
	reading  *older               // nil where no older events are being read
	until    time.Time            // then there may be more of them, as older ones are there
	adapters map[string][]*Logged // by namespace; the slices never change
	closed   bool

	restoring atomic.Int64 // clients that are being recovered

	counts tailCounts
	clock  clock
	store  *store
}

// event is an event in the log. Immutable.
type event struct {
	nsp      string
	uid      string
	sequence uint64
	offset   string
	p        *socketio.Broadcast
	size     int64
}

// eventOverhead is what an event occupies in memory beside what it says, in bytes.
const eventOverhead = 320

// NewTail returns the Tail of a Log. Adapters may be made over it before Begin.
func NewTail(log Log, options TailOptions) *Tail {
	t := &Tail{log: log, options: options.withDefaults(), adapters: make(map[string][]*Logged)}
	t.clock.patience = t.options.Patience
	t.store = newStore(t)
	return t
}

// Begin tells where reading begins: the offset of the latest entry that will not be
// given to Receive. It is called once, before Receive.
func (t *Tail) Begin(offset string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun, t.floor, t.last, t.done = true, offset, offset, offset
	t.wake()
}

// Receive takes the next entry of the log, which is the Tail's from then on, and is
// looked at before it is believed. It is called by one goroutine at a time and does not
// block. An entry that is not behind the one before is dropped.
func (t *Tail) Receive(e Entry) {
	m := e.Message
	adapters, ev := t.enter(e)
	for _, l := range adapters {
		l.entry(m, ev)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = t.last
	t.wake()
}

// enter adds an entry, and returns who is to have it; ev is nil where it is no event.
func (t *Tail) enter(e Entry) (adapters []*Logged, ev *event) {
	t.counts.read.Add(1)
	m := e.Message
	valid := t.isOffset(m.Offset)
	ev, ok := eventOf(e)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !valid || !t.begun || t.log.Compare(m.Offset, t.last) <= 0 {
		t.counts.bad.Add(1)
		return nil, nil
	}
	t.last = m.Offset
	if !ok {
		t.counts.bad.Add(1)
		return nil, nil
	}
	if ev != nil && !ev.p.Flags.Volatile {
		t.events = append(t.events, ev)
		t.bytes += ev.size
		t.trim()
	}
	return t.adapters[e.Namespace], ev
}

// isOffset reports whether a text is an offset that can be dealt with.
func (t *Tail) isOffset(text string) bool { return len(text) <= maxOffset && t.log.Valid(text) }

// eventOf returns what is kept of an entry: nil where it is no event, and not ok where it
// has no business in a log.
func eventOf(e Entry) (ev *event, ok bool) {
	m := e.Message
	if m.Type != Broadcast || m.RequestID != "" {
		return nil, true
	}
	if len(m.Packet.JSON) < 2 {
		return nil, false
	}
	p := &socketio.Broadcast{
		Array: m.Packet.JSON, Attachments: m.Packet.Attachments,
		Rooms: m.Opts.Rooms, Except: m.Opts.Except, Flags: m.Opts.Flags,
	}
	p.Flags.Local = false
	return &event{e.Namespace, m.UID, m.Sequence, m.Offset, p, sizeOf(p)}, true
}

// Skipped tells that entries up to an offset were not there any more when they should have
// been read: clients of this server lack what was in them. Called as Receive is.
func (t *Tail) Skipped(upTo string) {
	t.counts.gaps.Add(1)
	for _, l := range t.forgetAll(upTo) {
		l.skipped()
	}
}

// forgetAll begins anew at an offset, and returns all adapters.
func (t *Tail) forgetAll(at string) (all []*Logged) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.events)
	t.events, t.bytes = nil, 0
	t.floor, t.last, t.done = at, at, at
	t.wake()
	for _, adapters := range t.adapters {
		all = append(all, adapters...)
	}
	return all
}

// trim gives up what is too much. Called with mu held.
func (t *Tail) trim() {
	events, bytes := t.options.MaxEvents, t.options.MaxBytes
	if !t.until.IsZero() && time.Now().Before(t.until) {
		events, bytes = events+t.options.MaxOlderEvents, bytes+t.options.MaxOlderBytes
	}
	n := 0
	for n < len(t.events) && (len(t.events)-n > events || t.bytes > bytes) {
		t.floor = t.events[n].offset
		t.bytes -= t.events[n].size
		t.events[n] = nil
		n++
	}
	t.events = t.events[n:]
}

// after returns the index of the first event behind an offset. Called with mu held.
func (t *Tail) after(offset string) int {
	return sort.Search(len(t.events), func(i int) bool { return t.log.Compare(t.events[i].offset, offset) > 0 })
}

// wake tells those who wait that done has moved. Called with mu held.
func (t *Tail) wake() {
	if t.moved != nil {
		close(t.moved)
		t.moved = nil
	}
}

// movement returns a channel that is closed when done moves. Called with mu held.
func (t *Tail) movement() <-chan struct{} {
	if t.moved == nil {
		t.moved = make(chan struct{})
	}
	return t.moved
}

// join has an adapter given what is read from now on, and returns where that is.
func (t *Tail) join(l *Logged) (at string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := l.Namespace().Name()
	t.adapters[n] = append(slices.Clip(t.adapters[n]), l)
	return t.last
}

// leave undoes join.
func (t *Tail) leave(l *Logged) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := l.Namespace().Name()
	var others []*Logged
	for _, o := range t.adapters[n] {
		if o != l {
			others = append(others, o)
		}
	}
	if t.adapters[n] = others; others == nil {
		delete(t.adapters, n)
	}
}

// Close ends what the Tail does by itself, and returns when sockets that wait to be
// stored are. It comes after Close of the adapters.
func (t *Tail) Close() {
	t.mu.Lock()
	t.closed = true
	t.wake()
	t.mu.Unlock()
	t.clock.close()
	t.store.close()
}
