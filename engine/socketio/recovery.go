package socketio

import (
	"context"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// Recovery configures connection state recovery: a client that loses its connection
// and is back in time has its socket again, with its id, rooms and values, and what
// was sent meanwhile. Stock clients from version 4.6 on do their part by themselves.
// The zero value of each field means its default. Node: connectionStateRecovery.
//
// Every event of a namespace, but for those that ask for an acknowledgement, then
// carries an offset behind its last argument, as with Node's server, and listeners
// are given it. What is kept is in the memory of this server: it is lost when it
// stops, unless the Adapter is a [SessionAdapter]. With an [OffsetAdapter] clients go on
// with any server of several.
type Recovery struct {
	// MaxDisconnectionDuration is how long a client may be away; default 2 min. Node:
	// maxDisconnectionDuration.
	MaxDisconnectionDuration time.Duration
	// RunMiddlewares has the namespace's middlewares run for sockets that are recovered,
	// too; default: they are not run. Node: skipMiddlewares: false.
	RunMiddlewares bool
	// MaxBytes is how many bytes of events are kept for all together; default 256 MiB.
	// Beyond it the oldest are given up, and whom they were for is not recovered. With an
	// OffsetAdapter their offsets may have half as much again.
	MaxBytes int64
	// MaxRoomBytes is how many of them one room may have, such as one socket's own;
	// default 16 MiB.
	MaxRoomBytes int64
	// MaxWaiting is how many sockets may be waited for; default 100,000. Beyond it those
	// that have waited longest are given up.
	MaxWaiting int
	// MaxWaitingBytes is how many bytes they may occupy, their rooms included, but not
	// what the application has given them; default 128 MiB.
	MaxWaitingBytes int64
}

func (r *Recovery) withDefaults() *Recovery {
	if r == nil {
		return nil
	}
	c := *r
	c.MaxDisconnectionDuration = orElse(c.MaxDisconnectionDuration, 2*time.Minute)
	c.MaxBytes = orElse(c.MaxBytes, 256<<20)
	c.MaxRoomBytes = orElse(c.MaxRoomBytes, 16<<20)
	c.MaxWaiting = orElse(c.MaxWaiting, 100_000)
	c.MaxWaitingBytes = orElse(c.MaxWaitingBytes, 128<<20)
	return &c
}

// RecoveryStats are the numbers of connection state recovery and of histories.
type RecoveryStats struct {
	Events       int    // kept at this moment, for recovery and histories
	Bytes        int64  // that they occupy
	Waiting      int    // sockets that may return
	WaitingBytes int64  // that they occupy
	Recovered    uint64 // sockets that were
	Replayed     uint64 // events that they were sent
	Refused      uint64 // that came in time, but for whom events were given up already
	TakenOver    uint64 // that came before their old connection was known to be lost
	Expired      uint64 // that did not come in time
	Crowded      uint64 // that were given up for MaxWaiting or MaxWaitingBytes
	Evicted      uint64 // events that were given up for a bound on bytes
}

type recoveryCounters struct {
	recovered, replayed, refused, takenOver, expired, crowded, evicted uint64
}

// recoveryStats returns the numbers of this moment.
func (l *eventLog) recoveryStats() RecoveryStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.stats
	return RecoveryStats{
		Events: l.fresh.count + l.aged.count, Bytes: l.fresh.bytes + l.aged.bytes,
		Waiting: l.waiting.count, WaitingBytes: l.waiting.bytes,
		Recovered: c.recovered, Replayed: c.replayed, Refused: c.refused, TakenOver: c.takenOver,
		Expired: c.expired, Crowded: c.crowded, Evicted: c.evicted,
	}
}

// Recovered reports whether the socket is one that was lost and has returned: it has
// its id, rooms and values, and its client is sent what it missed. It says the same
// as the client's own socket.recovered. Node: socket.recovered.
func (s *Socket) Recovered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.is(recovered)
}

// OnRecoveryExpired registers fn for every socket that was waited for and will not be
// recovered: its time is over, the room or memory for it was needed, or it has come back
// and a middleware has refused it. One that another server has recovered is none of them. It runs after the socket's disconnect functions; its
// values are still there, its rooms are not. It is not called for those that are waited
// for when the server stops. ctx is as for OnDisconnecting. Node has no such event.
func (n *Namespace) OnRecoveryExpired(fn func(ctx context.Context, s *Socket)) {
	n.edit(func(t *table) { t.expired = with(t.expired, fn) })
}

// expire calls the functions of OnRecoveryExpired.
func (s *Socket) expire() {
	for _, fn := range s.nsp.table.Load().expired {
		s.protect(func() { fn(s.nsp.server.base, s) })
	}
}

// returnable returns what the socket is recovered by, or nil. Called with mu held.
func (s *Socket) returnable() *recoverable {
	if s.rare == nil {
		return nil
	}
	return s.rare.recoverable
}

// mayReturn reports whether the socket is gone but can still be emitted to, for the
// day it returns. Called with mu held.
func (s *Socket) mayReturn() bool { return s.state == gone && s.returnable() != nil }

// emitLogged emits an event that the socket may need when it returns; false where the
// socket never will, as there is no recovery.
func (s *Socket) emitLogged(e *encoded, flags Flags) (done bool, err error) {
	l := s.nsp.server.log
	if l.recovery == nil {
		return false, nil
	}
	s.mu.Lock()
	r := s.returnable()
	s.mu.Unlock()
	if r == nil {
		return false, nil
	}
	if s.nsp.logged.Load() && !flags.Volatile {
		return true, l.emitByLog(r, e, flags)
	}
	return true, l.emit(r, e, flags)
}

// emitByLog has the adapter append the event to its log: see OffsetAdapter.
func (l *eventLog) emitByLog(r *recoverable, e *encoded, flags Flags) error {
	l.mu.Lock()
	ended := r.state == over
	l.mu.Unlock()
	if ended {
		return ErrDisconnected
	}
	return r.nsp.adapter.Broadcast(&Broadcast{
		Array: e.array.B, Attachments: e.attachments, Rooms: []string{string(r.sid[:])}, Flags: flags,
	})
}

// emit sends an event to one socket, or keeps it for its return. Whoever holds a socket
// that is gone reaches the one that has taken its place.
func (l *eventLog) emit(r *recoverable, raw *encoded, flags Flags) error {
	volatile, offset := flags.Volatile, r.nsp.position()
	tl := l.tail(r.nsp, false, volatile, offset)
	e, err := r.nsp.newNumbered(raw.array.B, raw.attachments, flags, tl)
	if err != nil {
		return err
	}
	defer func() { e.frame.Release() }()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.state == over {
		return ErrDisconnected
	}
	if now := l.tailOf(r.nsp, false, volatile, offset); now != tl {
		again, err := r.nsp.newNumbered(raw.array.B, raw.attachments, flags, now)
		if err != nil {
			return err
		}
		e.frame.Release()
		e = again
	}
	n := l.stamp(e, volatile)
	if !volatile {
		l.enter(&stored{n: n, at: l.now(), frame: e.frame, pos: e.at, in: []*logRoom{&r.own}})
	}
	if r.state == live {
		r.socket.client.session.Send(e.frame)
	}
	return nil
}

// answer lets the client in, with a CONNECT packet; pid is the key to recovery. What the
// client has missed goes ahead of it.
func (s *Socket) answer(pid []byte, missed ...*engine.Frame) {
	f := s.client.packet(len(s.nsp.name)+80, func(b []byte) []byte {
		b = parser.AppendHeader(b, parser.Connect, 0, s.nsp.name, 0, false)
		if s.client.eio3 { // which knows its id
			return b
		}
		b = append(b, `{"sid":"`...)
		b = append(b, s.id[:]...)
		if pid != nil {
			b = append(append(b, `","pid":"`...), pid...)
		}
		return append(b, `"}`...)
	})
	if f == nil {
		return
	}
	defer f.Release()
	if len(missed) == 0 {
		s.client.session.Send(f)
		return
	}
	all := engine.Join(append(missed, f))
	s.client.session.Send(all)
	all.Release()
}
