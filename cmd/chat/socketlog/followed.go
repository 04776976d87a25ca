package socketlog

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

const (
	// maxLines is how many lines per second one socket is worth.
	maxLines = 100
	// maxName is how much of an event's name is written, in bytes.
	maxName = 64
)

// followed is one socket, there or waited for.
type followed struct {
	log        *Log
	id         string // immutable
	sampled    bool   // it is one in so many; guarded by Log.mu, as all below
	configured bool   // the configuration names it
	socket     *socketio.Socket
	until      time.Time // zero for no end
	timer      *time.Timer
	remove     []func()
	lines      limiter
}

// keep sets the time after which nobody is interested any more; 0 for never. Called with
// Log.mu held.
func (f *followed) keep(how time.Duration) {
	if f.timer != nil {
		f.timer.Stop()
		f.timer, f.until = nil, time.Time{}
	}
	if how <= 0 {
		return
	}
	f.until = time.Now().Add(how)
	f.timer = time.AfterFunc(how, func() {
		f.log.mu.Lock()
		defer f.log.mu.Unlock()
		if f.log.followed[f.id] == f && !time.Now().Before(f.until) {
			f.log.drop(f)
		}
	})
}

// begin registers with the socket. Called with Log.mu held.
func (f *followed) begin(s *socketio.Socket, what string) {
	if f.socket == s {
		return
	}
	f.leave()
	f.socket = s
	f.write(what, "namespace", s.Namespace().Name(), "transport", s.Transport().String(), "recovered", s.Recovered())
	f.remove = []func(){
		s.OnAny(func(_ context.Context, _ *socketio.Socket, event string, a socketio.Args) error {
			f.write("event received", "event", short(event), "bytes", sizeOf(a))
			return nil
		}),
		s.OnAnyOutgoing(func(event string, args []any) {
			f.write("event sent", "event", short(event), "bytes", sizeOfAll(args))
		}),
	}
	s.OnDisconnect(func(r socketio.Reason) { f.gone(s, r) })
}

// gone is told that the socket has ended. One that was asked for by its id is waited
// for: it may come back.
func (f *followed) gone(s *socketio.Socket, r socketio.Reason) {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	if f.log.followed[f.id] != f || f.socket != s {
		return
	}
	f.write("disconnected", "reason", string(r))
	f.leave()
	if f.sampled {
		f.log.drop(f)
	}
}

// leave lets go of the socket. Called with Log.mu held.
func (f *followed) leave() {
	for _, remove := range f.remove {
		remove()
	}
	f.remove, f.socket = nil, nil
}

// end is for good. Called with Log.mu held.
func (f *followed) end() {
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.socket != nil {
		f.write("no longer followed")
	}
	f.leave()
}

// write is safe for concurrent use.
func (f *followed) write(what string, more ...any) {
	ok, missed := f.lines.take(time.Now())
	if missed > 0 {
		f.log.log.Debug("too many lines", "socket", f.id, "missed", missed)
	}
	if ok {
		f.log.log.With("socket", f.id).Debug(what, more...)
	}
}

// limiter lets maxLines through in a second. Safe for concurrent use.
type limiter struct {
	mu     sync.Mutex
	second int64 // Unix time; guarded by mu, as all
	lines  int
	missed int
}

// take says whether one more line may be written, and how many were not in the second
// that has just ended.
func (m *limiter) take(now time.Time) (ok bool, missed int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := now.Unix(); s != m.second {
		missed = m.missed
		m.second, m.lines, m.missed = s, 0, 0
	}
	if m.lines == maxLines {
		m.missed++
		return false, missed
	}
	m.lines++
	return true, missed
}

func short(name string) string {
	if len(name) > maxName {
		return name[:maxName] + "…"
	}
	return name
}

// sizeOf is the bytes of an event's arguments as they came: JSON and attachments.
func sizeOf(a socketio.Args) int {
	n := len(a.String())
	for _, b := range a.Attachments() {
		n += len(b)
	}
	return n
}

// sizeOfAll is about what the arguments will be on the wire; -1 where that cannot be said.
func sizeOfAll(args []any) (n int) {
	for _, a := range args {
		if b, ok := a.([]byte); ok {
			n += len(b)
			continue
		}
		b, err := json.Marshal(a)
		if err != nil {
			return -1
		}
		n += len(b)
	}
	return n
}
