package socketio

import "github.com/fanfare-go/fanfare/engine"

// source is what one room has for a client that returns.
type source struct {
	events []*stored
	to     uint64 // the last that the client was there for
}

// replay walks what a client has missed, of all its rooms, in order. It is valid
// while eventLog.mu is held.
type replay struct {
	back    *recoverable
	sources []source // a heap by the number of the first event
	done    uint64   // the last number handed out
}

// missed begins a walk over what was sent to r after event n.
func (r *recoverable) missed(n uint64) *replay {
	w := &replay{back: r, done: n}
	w.add(&r.own, n, forever)
	for _, m := range r.rooms {
		if m.to > n {
			w.add(m.room, max(n, m.from), m.to)
		}
	}
	for i := len(w.sources)/2 - 1; i >= 0; i-- {
		w.sink(i)
	}
	return w
}

func (w *replay) add(r *logRoom, n, to uint64) {
	if events := r.after(n); len(events) > 0 && events[0].n <= to {
		w.sources = append(w.sources, source{events, to})
	}
}

// next returns the next event, or nil.
func (w *replay) next() *stored {
	for len(w.sources) > 0 {
		e := w.sources[0].events[0]
		w.advance()
		if e.n != w.done && !w.back.excluded(e) {
			w.done = e.n
			return e
		}
	}
	return nil
}

// advance moves the first source on.
func (w *replay) advance() {
	s := &w.sources[0]
	s.events = s.events[1:]
	if len(s.events) == 0 || s.events[0].n > s.to {
		last := len(w.sources) - 1
		w.sources[0] = w.sources[last]
		w.sources = w.sources[:last]
	}
	w.sink(0)
}

func (w *replay) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(w.sources); child++ {
			if w.sources[child].events[0].n < w.sources[least].events[0].n {
				least = child
			}
		}
		if least == i {
			return
		}
		w.sources[i], w.sources[least] = w.sources[least], w.sources[i]
		i = least
	}
}

// A replay goes out in parts. The first leaves together with the answer that lets the
// client in, behind it: the stock client keeps what comes before that answer, and if the
// connection breaks in between, it has it twice after the next. So that part is no longer
// than TCP's first flight. The others follow as the client takes them.
const (
	firstBytes = 14 << 10
	partBytes  = 256 << 10
	partFrames = 1024
)

// part returns the next frames of the walk, and whether there are more. The frames are
// the log's.
func (w *replay) part(bytes int) (frames []*engine.Frame, upTo uint64, more bool) {
	for sum := 0; len(frames) < partFrames && sum < bytes; {
		e := w.next()
		if e == nil {
			return frames, w.done, false
		}
		sum += e.size - storedOverhead
		frames = append(frames, e.frame)
	}
	return frames, w.done, true
}
