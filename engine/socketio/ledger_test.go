package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// ledger is a log that the servers of one process share, as a broker's with an order of
// its own. Each namespace has one of its own.
type ledger struct {
	prompt  bool // what is appended is delivered everywhere before the append returns
	ordered bool // its adapters tell which of two offsets comes first
	silent  bool // other servers are not told of sockets that were restored; guarded by mu

	mu       sync.Mutex
	changed  sync.Cond // of mu
	books    map[string]*book
	sessions map[string]deposit // by key
	asked    []string           // offsets
	kept     int                // calls of KeepSession
	dropped  []string           // keys
}

// deposit is a session that is kept until its time is over.
type deposit struct {
	*socketio.SessionState
	until time.Time
	live  bool // its client was connected
}

// book is the log of one namespace. Guarded by ledger.mu, but for delivering.
type book struct {
	entries []*socketio.Broadcast
	readers []*reader
}

// reader is the adapter of one server.
type reader struct {
	*socketio.MemoryAdapter
	log  *ledger
	book *book

	offset atomic.Pointer[string]
	hold   sync.Mutex // held while something is delivered, or somebody adopted
	next   int        // of book.entries; written with hold and mu held
	dead   bool       // guarded by mu: it neither reads, nor keeps, nor answers
	stall  int        // guarded by mu: entries to be delivered before it stands still; negative for all
	done   chan struct{}
}

var (
	_ socketio.OffsetAdapter = (*reader)(nil)
	_ socketio.SessionKeeper = (*reader)(nil)
	_ socketio.OffsetOrder   = orderly{}
)

func newLedger(prompt bool) *ledger {
	l := &ledger{prompt: prompt, books: make(map[string]*book), sessions: make(map[string]deposit)}
	l.changed.L = &l.mu
	return l
}

// firstEntry is the number of the first, so that all offsets are of one length.
const firstEntry = 10_001

func entryOffset(i int) string { return fmt.Sprintf("%d-0", firstEntry+i) }

// entryIndex is the entry that has an offset, -1 for the one before the first.
func entryIndex(offset string) (i int, ok bool) {
	var rest string
	n, err := fmt.Sscanf(offset, "%d-%s", &i, &rest)
	return i - firstEntry, n == 2 && err == nil && rest == "0"
}

func (l *ledger) adapter(m *socketio.MemoryAdapter) socketio.Adapter {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := m.Namespace().Name()
	if l.books[name] == nil {
		l.books[name] = new(book)
	}
	r := &reader{MemoryAdapter: m, log: l, book: l.books[name], stall: -1, done: make(chan struct{})}
	r.next = len(r.book.entries)
	r.moved()
	r.book.readers = append(r.book.readers, r)
	if l.prompt {
		close(r.done)
	} else {
		go r.read()
	}
	if l.ordered {
		return orderly{r}
	}
	return r
}

// orderly is a reader that knows the order of offsets.
type orderly struct{ *reader }

func (orderly) OffsetBefore(a, b string) bool {
	i, ok := entryIndex(a)
	k, known := entryIndex(b)
	return ok && known && i < k
}

// read delivers what is appended, one by one.
func (r *reader) read() {
	defer close(r.done)
	for {
		r.log.mu.Lock()
		for !r.dead && (r.stall == 0 || r.next == len(r.book.entries)) {
			r.log.changed.Wait()
		}
		dead := r.dead
		r.log.mu.Unlock()
		if dead {
			return
		}
		r.hold.Lock()
		r.deliver()
		r.hold.Unlock()
	}
}

// deliver delivers the next entry. Called with hold held.
func (r *reader) deliver() {
	r.log.mu.Lock()
	e := r.book.entries[r.next]
	r.log.mu.Unlock()
	if err := r.BroadcastAt(e, entryOffset(r.next)); err != nil {
		panic(err)
	}
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.next++
	if r.stall > 0 {
		r.stall--
	}
	r.moved()
	r.log.changed.Broadcast()
}

func (r *reader) moved() {
	o := entryOffset(r.next - 1)
	r.offset.Store(&o)
}

func (r *reader) Offset() string { return *r.offset.Load() }

func (r *reader) Broadcast(p *socketio.Broadcast) error {
	if p.Flags.Local {
		return r.MemoryAdapter.Broadcast(p)
	}
	c := *p
	c.Array = bytes.Clone(p.Array)
	if p.Flags.Volatile {
		for _, o := range r.all() {
			if err := o.MemoryAdapter.Broadcast(&c); err != nil {
				return err
			}
		}
		return nil
	}
	if !r.log.prompt {
		r.log.mu.Lock()
		defer r.log.mu.Unlock()
		r.book.entries = append(r.book.entries, &c)
		r.log.changed.Broadcast()
		return nil
	}
	all := r.all()
	for _, o := range all {
		o.hold.Lock()
		defer o.hold.Unlock()
	}
	r.log.mu.Lock()
	r.book.entries = append(r.book.entries, &c)
	r.log.mu.Unlock()
	for _, o := range all {
		o.deliver()
	}
	return nil
}

// all returns the adapters of all servers that live, in one order.
func (r *reader) all() []*reader {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.book.readers), func(o *reader) bool { return o.dead })
}

func (r *reader) others() []*reader {
	return slices.DeleteFunc(r.all(), func(o *reader) bool { return o == r })
}

func (r *reader) Close() error {
	r.log.mu.Lock()
	r.dead = true
	r.log.changed.Broadcast()
	r.log.mu.Unlock()
	<-r.done
	return nil
}

// store does something with the sessions, unless the server is dead.
func (r *reader) store(do func(l *ledger)) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if !r.dead {
		do(r.log)
		r.log.changed.Broadcast()
	}
}

func (r *reader) PersistSession(_ context.Context, s *socketio.SessionState) error {
	r.store(func(l *ledger) { l.sessions[s.PID] = deposit{s, time.Now().Add(s.TTL), false} })
	return nil
}

func (r *reader) KeepSession(_ context.Context, s *socketio.SessionState) error {
	r.store(func(l *ledger) { l.sessions[s.PID] = deposit{s, time.Now().Add(s.TTL), true}; l.kept++ })
	return nil
}

func (r *reader) ForgetSession(pid string) {
	r.store(func(l *ledger) { delete(l.sessions, pid) })
}

func (r *reader) DropSession(pid string) {
	r.store(func(l *ledger) { delete(l.sessions, pid); l.dropped = append(l.dropped, pid) })
}

// take gets a session and deletes it; live says that it may not be the latest.
func (l *ledger) take(pid string) (s *socketio.SessionState, live bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.sessions[pid]
	delete(l.sessions, pid)
	if time.Now().After(d.until) {
		return nil, false
	}
	return d.SessionState, d.live
}

// find is take, where another server may have the socket still.
func (r *reader) find(ctx context.Context, pid string) *socketio.SessionState {
	s, live := r.log.take(pid)
	if s != nil && !live {
		return s
	}
	asked := false
	for _, o := range r.all() {
		if o != r || r.log.ordered {
			asked = o.Surrender(pid) || asked
		}
	}
	for {
		if latest, live := r.log.take(pid); latest != nil && !live {
			return latest
		}
		if !asked || ctx.Err() != nil {
			return s
		}
		time.Sleep(time.Millisecond)
	}
}

func (l *ledger) has(pid string) *socketio.SessionState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[pid].SessionState
}

func (r *reader) RestoreSession(ctx context.Context, pid, offset string, adopt func(*socketio.RestoredSession) bool) error {
	r.log.mu.Lock()
	r.log.asked = append(r.log.asked, offset)
	r.log.mu.Unlock()
	s := r.find(ctx, pid)
	if s == nil {
		return nil
	}
	from, ok := entryIndex(s.Offset)
	if offset != "" {
		shown, known := entryIndex(offset)
		from, ok = max(from, shown), ok && known
	}
	if !ok {
		return nil
	}
	r.log.mu.Lock()
	for !r.dead && !r.log.prompt && from >= r.next { // the client is ahead
		r.log.changed.Wait()
	}
	r.log.mu.Unlock()
	r.hold.Lock()
	defer r.hold.Unlock()
	state := &socketio.RestoredSession{SessionState: *s}
	r.log.mu.Lock()
	entries := r.book.entries[:r.next]
	r.log.mu.Unlock()
	in := append([]string{s.ID}, s.Rooms...)
	meets := func(rooms []string) bool {
		return slices.ContainsFunc(rooms, func(room string) bool { return slices.Contains(in, room) })
	}
	for i := from + 1; i < len(entries); i++ {
		if e := entries[i]; (len(e.Rooms) == 0 || meets(e.Rooms)) && !meets(e.Except) {
			state.Missed, state.Offsets = append(state.Missed, e), append(state.Offsets, entryOffset(i))
		}
	}
	r.log.mu.Lock()
	silent := r.log.silent
	r.log.mu.Unlock()
	if adopt(state) && !silent {
		for _, o := range r.others() {
			o.Moved(pid)
		}
	}
	return nil
}

// settle waits until every server has delivered everything.
func (l *ledger) settle(tb testing.TB) {
	tb.Helper()
	eventually(tb, "all is delivered", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, b := range l.books {
			for _, r := range b.readers {
				if !r.dead && r.stall != 0 && r.next < len(b.entries) {
					return false
				}
			}
		}
		return true
	})
}

// stalls has a server stand still, or go on.
func (l *ledger) stalls(v *socketio.Server, still bool) {
	r := l.reader(v)
	l.mu.Lock()
	defer l.mu.Unlock()
	r.stall = -1
	if still {
		r.stall = 0
	}
	l.changed.Broadcast()
}

// reader returns the adapter of a server's default namespace.
func (l *ledger) reader(v *socketio.Server) *reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.books["/"].readers {
		if r.Namespace().Server() == v {
			return r
		}
	}
	return nil
}

// fleet is servers that share a ledger.
type fleet struct {
	*ledger
	servers []*watched
}

func newFleet(tb testing.TB, n int, o socketio.Options) *fleet {
	tb.Helper()
	f := &fleet{ledger: newLedger(false)}
	if o.ConnectionStateRecovery == nil {
		o.ConnectionStateRecovery = &socketio.Recovery{}
	}
	o.Adapter = f.adapter
	for range n {
		f.servers = append(f.servers, recoveringWith(tb, o))
	}
	return f
}

// byALog is the prefix of the names of tests that are run once more, with an adapter
// that has a log.
const byALog = "TestRecoveryByALog/"

// logged reports whether tb is one of them.
func logged(tb testing.TB) bool { return strings.HasPrefix(tb.Name(), byALog) }
