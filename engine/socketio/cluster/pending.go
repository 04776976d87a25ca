package cluster

import (
	"bytes"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// queued is something that is to be delivered here in its turn: an event that was
// appended to the log, or what must not overtake one.
type queued struct {
	sequence uint64 // of the event; 0 for what is none
	p        *socketio.Broadcast
	do       func() // of what is no event
	at       time.Time
	size     int64
	failed   bool // it will not come back
}

// Offset implements socketio.OffsetAdapter.
func (l *Logged) Offset() string { return *l.offset.Load() }

// Broadcast implements Adapter. An event that is recoverable is delivered when it comes
// back from the log; a volatile one at once, but behind those.
func (l *Logged) Broadcast(p *socketio.Broadcast) error {
	if p.Flags.Local || p.Flags.Volatile {
		return l.broadcastUnlogged(p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.sequence++
	e := queued{sequence: l.sequence, p: p, at: time.Now(), size: sizeOf(p)}
	full := l.isFull(e.size)
	if full {
		l.hurry()
	}
	e.failed = full || l.link.Append(&Message{
		Type: Broadcast, UID: l.uid, Sequence: e.sequence,
		Packet: Packet{JSON: p.Array, Attachments: p.Attachments},
		Opts:   Opts{Rooms: p.Rooms, Except: p.Except, Flags: p.Flags},
	}) != nil
	if e.failed {
		l.settled.add(e.sequence)
		l.resolved.add(e.sequence)
		l.tail.counts.lostForOthers.Add(1)
	}
	if len(l.queue) == 0 && e.failed {
		return l.deliverEarly(e)
	}
	e.p = cloneBroadcast(p)
	if len(l.queue) == 0 && l.late && l.isEarly() {
		return l.deliverEarly(e)
	}
	l.push(e)
	return nil
}

// broadcastUnlogged delivers what is not for the log, in its turn, and tells the others
// at once. It waits as far as there is room, as what is for the log does.
func (l *Logged) broadcastUnlogged(p *socketio.Broadcast) error {
	if !p.Flags.Local {
		if err := l.publishBroadcast(p); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	size := sizeOf(p)
	if len(l.queue) > 0 && l.isFull(size) {
		l.hurry()
	}
	if len(l.queue) == 0 {
		return l.MemoryAdapter.Broadcast(p)
	}
	p = cloneBroadcast(p)
	l.push(queued{do: func() { l.report(l.MemoryAdapter.Broadcast(p)) }, at: time.Now(), size: size})
	return nil
}

// publishBroadcast tells the others. What the Link has no room for is no error of an
// event that is volatile.
func (l *Logged) publishBroadcast(p *socketio.Broadcast) error {
	err := l.publish(&Message{
		Type: Broadcast, Packet: Packet{JSON: p.Array, Attachments: p.Attachments},
		Opts: Opts{Rooms: p.Rooms, Except: p.Except, Flags: p.Flags},
	})
	if p.Flags.Volatile {
		return nil
	}
	return err
}

// isEarly reports whether events were delivered of which it is not known yet what became.
// Called with mu held.
func (l *Logged) isEarly() bool { return l.early > l.settled.upTo }

// isFull reports whether there is no room for one more event. Called with mu held.
func (l *Logged) isFull(size int64) bool {
	o := &l.tail.options
	return len(l.queue)+l.given.open >= o.MaxPending || l.bytes+l.given.bytes+size > o.MaxPendingBytes
}

// push queues e. Called with mu held.
func (l *Logged) push(e queued) {
	l.queue = append(l.queue, e)
	l.bytes += e.size
	l.tail.counts.pending.Add(1)
	l.tail.counts.pendingBytes.Add(e.size)
	if !l.watched {
		l.watched = true
		l.tail.clock.watch(l)
	}
}

// pop takes the first of the queue. Called with mu held.
func (l *Logged) pop() queued {
	e := l.queue[0]
	l.queue[0] = queued{}
	if l.queue = l.queue[1:]; len(l.queue) == 0 {
		l.queue = nil
	}
	l.bytes -= e.size
	l.tail.counts.pending.Add(-1)
	l.tail.counts.pendingBytes.Add(-e.size)
	return e
}

// entry takes what the log has next; e is nil where that is no event. Called by the one
// goroutine that reads the log.
func (l *Logged) entry(m *Message, e *event) {
	if e == nil {
		l.Adapter.Receive(m)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base = m.Offset
	switch {
	case e == nil || l.closed:
	case e.uid == l.uid:
		l.comeBack(e)
	case e.p.Flags.Volatile:
		l.report(l.MemoryAdapter.Broadcast(e.p))
	default:
		l.report(l.deliver(e.p, l.here().String()))
	}
}

// comeBack delivers an event of this server, unless it was delivered early. What was
// appended before it and has not come will not come any more. Called with mu held.
func (l *Logged) comeBack(e *event) {
	switch {
	case e.p.Flags.Volatile: // delivered by Broadcast
		return
	case e.sequence == 0 || e.sequence > l.sequence: // never appended
		l.tail.counts.bad.Add(1)
		return
	}
	for len(l.queue) > 0 && (l.queue[0].sequence < e.sequence) {
		l.forward()
	}
	l.settled.reach(e.sequence)
	l.resolved.reach(e.sequence)
	if g := l.given.find(e.sequence); g != nil && time.Since(g.at) < l.tail.options.Patience {
		l.late = false // it is as quick as it should be, whatever is on its way still
	}
	l.forget()
	if len(l.queue) > 0 && l.queue[0].sequence == e.sequence {
		p := l.pop().p
		l.delivered = e.sequence
		l.report(l.deliver(p, l.here().String()))
	}
	l.advance()
}

// forward delivers the first of the queue, which has not come back. Called with mu held.
func (l *Logged) forward() {
	e := l.pop()
	if e.do != nil {
		e.do()
		return
	}
	l.report(l.deliverEarly(e))
}

// advance delivers what has to wait for nothing any more. Called with mu held.
func (l *Logged) advance() {
	for len(l.queue) > 0 && (l.queue[0].do != nil || l.queue[0].failed) {
		l.forward()
	}
}

// hurry delivers everything that waits, as the log takes too long. Called with mu held.
func (l *Logged) hurry() {
	l.late = l.late || len(l.queue) > 0
	for len(l.queue) > 0 {
		l.forward()
	}
}

// deliverEarly delivers an event of this server that has not come back. Called with
// mu held.
func (l *Logged) deliverEarly(e queued) error {
	l.delivered = e.sequence
	offset := mark{l.base, l.uid, e.sequence}.String()
	if e.failed {
		return l.deliver(e.p, offset)
	}
	l.tail.counts.early.Add(1)
	if l.early = e.sequence; l.lateSince.IsZero() {
		l.lateSince = e.at
		l.tail.counts.late.Add(1)
	}
	l.given.push(given{sequence: e.sequence, p: e.p, offset: offset, at: e.at, size: e.size})
	return l.deliver(e.p, offset)
}

// here is where those are who were delivered everything so far. Called with mu held.
func (l *Logged) here() mark {
	if l.early > l.resolved.upTo {
		return mark{l.base, l.uid, l.early}
	}
	return mark{base: l.base}
}

// deliver gives an event to the sockets of this server. Called with mu held.
func (l *Logged) deliver(p *socketio.Broadcast, offset string) error {
	err := l.BroadcastAt(p, offset)
	l.offset.Store(&offset)
	return err
}

// Settled tells what became of the message that was appended with this sequence. Safe
// for concurrent use; a LogLink calls it in the order of Append.
func (l *Logged) Settled(sequence uint64, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case sequence <= l.resolved.upTo || sequence > l.sequence:
		return
	case o == Kept: // it comes back
		l.kept = max(l.kept, sequence)
		return
	}
	l.settled.add(sequence)
	l.given.settle(sequence, o)
	if o == Unknown {
		l.tail.counts.unknown.Add(1)
	} else {
		l.tail.counts.lostForOthers.Add(1)
		l.resolved.add(sequence)
		l.fail(sequence)
	}
	l.forget()
	l.advance()
}

// skipped is told that entries were gone before they were read. Events of this server that
// were in the log may be among them: they are not waited for any more.
func (l *Logged) skipped() {
	l.Gap()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hurry()
	l.tail.counts.unknown.Add(l.given.abandon(l.kept))
	l.settled.reach(l.kept)
	l.forget()
}

// fail notes that an event will not come back. Called with mu held.
func (l *Logged) fail(sequence uint64) {
	for i := range l.queue {
		if l.queue[i].sequence == sequence {
			l.queue[i].failed = true
			return
		}
	}
}

// forget drops what was delivered early and will not matter any more. Called with mu held.
func (l *Logged) forget() {
	l.given.forget(l.resolved.upTo, l.tail.options.MaxPending, l.tail.options.MaxPendingBytes)
	if !l.isEarly() && !l.lateSince.IsZero() {
		l.lateSince = time.Time{}
		l.tail.counts.late.Add(-1)
	}
}

// overdue delivers what has been on its way for too long, and returns when that will be
// the case next; 0 where nothing is on its way.
func (l *Logged) overdue(now time.Time) (next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	patience := l.tail.options.Patience
	if len(l.queue) > 0 && now.Sub(l.queue[0].at) >= patience {
		l.hurry()
	}
	if len(l.queue) == 0 {
		l.watched = false
		return 0
	}
	return patience - now.Sub(l.queue[0].at)
}

// report counts what could not be delivered here: a message that was no event.
func (l *Logged) report(err error) {
	if err != nil {
		l.tail.counts.bad.Add(1)
	}
}

// cloneBroadcast returns p for later: its slices are valid until a call returns.
func cloneBroadcast(p *socketio.Broadcast) *socketio.Broadcast {
	c := *p
	c.Array = bytes.Clone(p.Array)
	if len(p.Attachments) > 0 {
		c.Attachments = make([][]byte, len(p.Attachments))
		for i, a := range p.Attachments {
			c.Attachments[i] = bytes.Clone(a)
		}
	}
	return &c
}

// sizeOf is what an event occupies in memory.
func sizeOf(p *socketio.Broadcast) int64 {
	n := eventOverhead + len(p.Array)
	for _, a := range p.Attachments {
		n += 24 + len(a)
	}
	for _, r := range p.Rooms {
		n += 16 + len(r)
	}
	for _, r := range p.Except {
		n += 16 + len(r)
	}
	return int64(n)
}
