package engine

import (
	"context"
	"math"
	"time"
	"unsafe"

	"github.com/panjf2000/gnet/v2"
)

// Unlistened makes a server work without sockets of its own: on fake loops, with
// a clock that stands still until SetTick.
func (s *Server) Unlistened(maxFD int) gnet.EventHandler {
	s.maxFD = maxFD
	if s.opts.MaxConnections <= 0 {
		s.opts.MaxConnections = math.MaxInt32
	}
	return &callbacks{srv: s}
}

// StopBackground ends what the server runs beside its loops.
func (s *Server) StopBackground() { s.stopBackground() }

// SetTick sets the clock.
func (s *Server) SetTick(tick uint64) { s.clock.tick.Store(tick) }

// Tick reads the clock.
func (s *Server) Tick() uint64 { return s.clock.now() }

// Ticking does what the ticker does when elapsed ticks went by at once.
func (s *Server) Ticking(elapsed uint64) {
	s.clock.tick.Add(elapsed)
	s.tickOnce(elapsed)
}

// Ticks converts a duration to the clock's grain.
func Ticks(d time.Duration) uint64 { return ticks(d) }

// AwaitsPong reports whether a ping is out.
func (s *Session) AwaitsPong() bool { return s.has(flagAwaitingPong) }

// HeldNow counts entries of the queues of the held, and corks in use, of loops that
// the test runs itself.
func (s *Server) HeldNow() (held, corks int) {
	for _, l := range s.allLoops() {
		held += l.direct.len() + l.crowd.len()
		corks += l.heldCorks()
	}
	return held, corks
}

// heldCorks counts corks of one frame in use.
func (l *loop) heldCorks() (n int) {
	for k := range l.roots {
		n += l.roots[k].users - 1
	}
	return n
}

// HeldRoom is how many sessions the queues of the held have room for.
func (s *Server) HeldRoom() (n int) {
	for _, l := range s.allLoops() {
		n += cap(l.crowd.sessions) + cap(l.direct.sessions)
	}
	return n
}

// StopBehindItsBack stops gnet without the server's doing.
func (s *Server) StopBehindItsBack() { _ = s.gnet.Stop(context.Background()) }

// Refs is how many references to a frame there are.
func (f *Frame) Refs() int { return int(f.refs.Load()) }

// Sizes of what every connection and session costs, in bytes.
var Sizes = map[string]uintptr{
	"Session":   unsafe.Sizeof(Session{}),
	"Request":   unsafe.Sizeof(Request{}),
	"conn":      unsafe.Sizeof(conn{}),
	"httpState": unsafe.Sizeof(httpState{}),
	"polling":   unsafe.Sizeof(polling{}),
	"outQueue":  unsafe.Sizeof(outQueue{}),
	"wsState":   unsafe.Sizeof(wsState{}),
}

// TurnWrites is how many writes a loop does in one turn.
const TurnWrites = 128

// TickLength is the clock's grain.
const TickLength = tickLength

// AskAhead does what the ticker does when the clock moves between a turn's beginning
// and its look at the ticker's wish.
func (s *Server) AskAhead() {
	for _, l := range s.allLoops() {
		l.asked.Store(s.clock.now() + 1)
		l.self.ring()
	}
}

// NamesNow counts the names that sessions were given and that somebody may still ask for.
func (s *Server) NamesNow() int {
	s.table.names.mu.Lock()
	defer s.table.names.mu.Unlock()
	return len(s.table.names.byID) + len(s.table.names.byName)
}
