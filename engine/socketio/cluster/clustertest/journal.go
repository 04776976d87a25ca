package clustertest

import (
	"slices"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Journal is a broker with a log, within the process. Processes that use it are its
// desks. The fields are set before there are any.
type Journal struct {
	// Unnumbered has entries that do not tell their Sequence to other processes.
	Unnumbered bool
	// Counted has links that know how many other servers there are, but not who they are.
	Counted bool
	// Fate says what becomes of an event that is appended; it is Kept without. It is called
	// with a lock held.
	Fate func(uid string, sequence uint64) JournalFate

	mu       sync.Mutex
	entries  []journalEntry            // guarded by mu, as the following
	trimmed  uint64                    // entries up to this one are gone
	last     uint64                    // the number of the latest
	sessions map[string]journalSession // by PID
	desks    []*Desk
}

// JournalFate is what becomes of an event that is appended.
type JournalFate struct {
	Lost   bool            // it does not get into the log
	Report cluster.Outcome // what its sender is told
}

type journalEntry struct {
	number      uint64
	nsp, uid    string
	kind        cluster.Type
	sequence    uint64
	data        []byte
	attachments [][]byte
}

// journalSession is a socket in the store.
type journalSession struct {
	text  []byte
	until time.Time
}

// Desk is one process at a Journal.
type Desk struct {
	Tail *cluster.Tail

	journal *Journal
	wake    chan struct{} // capacity 1
	stop    chan struct{}
	done    chan struct{} // closed when run has ended
	byHand  bool          // immutable

	reading sync.Mutex // what is handed to the Tail is so by one at a time

	links  []*journalLink // guarded by journal.mu, as the following
	read   uint64         // the number of the latest entry handed to the Tail
	outbox []journalEntry // what is appended and not in the log yet
	told   []journalTold  // what senders are to be told
	inbox  []func()       // what others have published
	away   bool           // it does not reach the broker
	gone   bool
}

type journalTold struct {
	link     *journalLink
	sequence uint64
	outcome  cluster.Outcome
}

// Open returns a new desk, which does everything at once; or, where byHand is true,
// nothing to the log but by Commit and Read.
func (j *Journal) Open(o cluster.TailOptions, byHand bool) *Desk {
	d := &Desk{journal: j, byHand: byHand, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	d.Tail = cluster.NewTail(d, o)
	j.mu.Lock()
	defer j.mu.Unlock()
	d.read = j.last
	j.desks = append(j.desks, d)
	d.Tail.Begin(offsetOf(d.read))
	go d.run()
	return d
}

// Adapter is for socketio.Options.Adapter of a server with recovery.
func (d *Desk) Adapter(local *socketio.MemoryAdapter) socketio.Adapter {
	a, err := cluster.NewLogged(local, cluster.NewUID(), cluster.Options{}, d.Tail, func(l *cluster.Logged) (cluster.LogLink, error) {
		k := &journalLink{desk: d, logged: l, nsp: l.Namespace().Name()}
		d.journal.mu.Lock()
		defer d.journal.mu.Unlock()
		d.links = append(d.links, k)
		return k, nil
	})
	if err != nil {
		panic(err) // a Journal refuses nobody
	}
	return a
}

// UID is that of the desk's first adapter of a namespace; empty where there is none.
func (d *Desk) UID(nsp string) string {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	for _, k := range d.links {
		if k.nsp == nsp {
			return k.logged.UID()
		}
	}
	return ""
}

// Cut has the desk not reach the broker, or reach it again. What it appends meanwhile
// waits, and what it asks for fails.
func (d *Desk) Cut(away bool) {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	d.away = away
	d.nudge()
}

// Kill ends the desk as a process ends that is killed: nothing of it reaches the broker
// from now on, nor is anything read.
func (d *Desk) Kill() {
	d.journal.mu.Lock()
	if d.gone {
		d.journal.mu.Unlock()
		return
	}
	d.gone, d.away = true, true
	d.outbox = nil
	d.journal.desks = slices.DeleteFunc(d.journal.desks, func(o *Desk) bool { return o == d })
	d.journal.mu.Unlock()
	close(d.stop)
	<-d.done
}

// Close ends the desk in an orderly way, after its adapters.
func (d *Desk) Close() {
	d.Tail.Close()
	d.Kill()
}

// Trim has the Journal forget all but the latest entries.
func (j *Journal) Trim(keep int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.entries) - keep; n > 0 {
		j.trimmed = j.entries[n-1].number
		j.entries = slices.Clone(j.entries[n:])
	}
}

// Sessions is how many sockets are stored.
func (j *Journal) Sessions() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.sessions)
}

// SessionsIn is how many of them are in a room.
func (j *Journal) SessionsIn(room string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.sessions {
		if k, err := cluster.ParseSession(s.text, nil); err == nil && slices.Contains(k.Rooms, room) {
			n++
		}
	}
	return n
}

// nudge has run look. Called with journal.mu held.
func (d *Desk) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *Desk) run() {
	defer close(d.done)
	for {
		select {
		case <-d.wake:
		case <-d.stop:
			return
		}
		for d.mail() || !d.byHand && (d.Commit() || d.Read()) {
		}
	}
}

// Commit puts the next event that was appended into the log, and reports whether there
// was one, or something to tell its sender.
func (d *Desk) Commit() bool {
	j := d.journal
	j.mu.Lock()
	if d.away {
		j.mu.Unlock()
		return false
	}
	told := d.told
	d.told = nil
	if len(d.outbox) == 0 {
		j.mu.Unlock()
		tell(told)
		return len(told) > 0
	}
	e := d.outbox[0]
	d.outbox = d.outbox[1:]
	var fate JournalFate
	if j.Fate != nil && e.sequence > 0 {
		fate = j.Fate(e.uid, e.sequence)
	}
	if !fate.Lost {
		j.last++
		e.number = j.last
		j.entries = append(j.entries, e)
		for _, o := range j.desks {
			o.nudge()
		}
	}
	if e.sequence > 0 {
		told = append(told, journalTold{d.linkOf(e.uid), e.sequence, fate.Report})
	}
	j.mu.Unlock()
	tell(told)
	return true
}

func tell(told []journalTold) {
	for _, t := range told {
		if t.link != nil {
			t.link.logged.Settled(t.sequence, t.outcome)
		}
	}
}

// linkOf is called with journal.mu held.
func (d *Desk) linkOf(uid string) *journalLink {
	for _, k := range d.links {
		if k.logged.UID() == uid {
			return k
		}
	}
	return nil
}

// mail hands the next message to an adapter, and reports whether there was one.
func (d *Desk) mail() bool {
	d.journal.mu.Lock()
	if d.away || len(d.inbox) == 0 {
		d.journal.mu.Unlock()
		return false
	}
	f := d.inbox[0]
	d.inbox = d.inbox[1:]
	d.journal.mu.Unlock()
	f()
	return true
}

// Read hands the next entry to the Tail, and reports whether there was one.
func (d *Desk) Read() bool {
	d.reading.Lock()
	defer d.reading.Unlock()
	j := d.journal
	j.mu.Lock()
	if d.away {
		j.mu.Unlock()
		return false
	}
	if d.read < j.trimmed {
		d.read = j.trimmed
		upTo := offsetOf(d.read)
		j.mu.Unlock()
		d.Tail.Skipped(upTo)
		return true
	}
	i := int(d.read - j.trimmed)
	if i >= len(j.entries) {
		j.mu.Unlock()
		return false
	}
	e := j.entries[i]
	d.read = e.number
	j.mu.Unlock()
	d.Tail.Receive(d.entry(e))
	return true
}

// Behind is how many entries the desk has not read.
func (d *Desk) Behind() int {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	return int(d.journal.last-d.read) + len(d.outbox) + len(d.told) + len(d.inbox)
}

// entry is what a desk makes of the bytes.
func (d *Desk) entry(e journalEntry) cluster.Entry {
	m, err := cluster.ParseData(e.kind, e.data, e.attachments)
	if err != nil {
		panic(err)
	}
	m.UID, m.Offset, m.Sequence = e.uid, offsetOf(e.number), e.sequence
	if d.journal.Unnumbered && !d.mine(e.uid) {
		m.Sequence = 0
	}
	return cluster.Entry{Namespace: e.nsp, Message: m}
}

func (d *Desk) mine(uid string) bool {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	return d.linkOf(uid) != nil
}
