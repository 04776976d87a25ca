package natsadapter

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// window bounds what is under way to other servers. NATS drops what a connection cannot
// take, and tells nobody: of 500,000 messages sent as fast as possible, 284,377 came. So a
// server sends, after each eighth of the window, a mark that says how much it has sent, and
// the others say which mark has reached them. Who is a window ahead of the slowest of them
// waits. One that says nothing for a heartbeat's time is not waited for any more, until it
// speaks again.
type window struct {
	messages, bytes uint64 // immutable: the bounds, of all servers together
	patience        time.Duration
	mark            func(at progress) // sends a mark
	held            atomic.Uint64     // how often somebody had to wait

	mu      sync.Mutex
	sent    progress             // guarded by mu
	until   progress             // so much may be sent without looking at credits; guarded by mu
	marked  progress             // sent when the latest mark was; guarded by mu
	credits map[serverID]*credit // guarded by mu
	open    chan struct{}        // closed when a credit changes, and made anew; guarded by mu
}

// progress is how much a server has sent.
type progress struct{ messages, bytes uint64 }

// credit is what one server has said to have received.
type credit struct {
	reached progress
	at      time.Time // when it said so; or when it was first waited for, if that is later
	waits   bool      // it holds others up now
	waived  bool      // it said nothing for too long
}

func newWindow(messages, bytes int, patience time.Duration, mark func(progress)) *window {
	return &window{
		messages: uint64(max(messages, 8)), bytes: uint64(max(bytes, 8)), //nolint:gosec // not below 8
		patience: patience, mark: mark,
		credits: make(map[serverID]*credit), open: make(chan struct{}),
	}
}

// join begins to count what is under way to a server.
func (w *window) join(id serverID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.credits[id] == nil {
		w.credits[id] = &credit{reached: w.sent}
		w.changed()
	}
}

// leave no longer waits for a server.
func (w *window) leave(id serverID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.credits, id)
	w.changed()
}

// reached is told that a server has a mark. What cannot be so is not believed.
func (w *window) reached(id serverID, p progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.credits[id]
	if c == nil || p.messages > w.sent.messages || p.bytes > w.sent.bytes || p.messages < c.reached.messages {
		return
	}
	c.reached, c.waits, c.waived = p, false, false
	w.changed()
}

// changed lets those who wait look again. Called with mu held.
func (w *window) changed() {
	w.until = progress{}
	close(w.open)
	w.open = make(chan struct{})
}

// full reports whether a server has to be waited for before more is sent. Called with mu held.
func (w *window) full(now time.Time) (full bool) {
	if w.sent.messages < w.until.messages && w.sent.bytes < w.until.bytes {
		return false
	}
	share := uint64(max(len(w.credits), 1))
	messages, bytes := max(w.messages/share, 1), max(w.bytes/share, 1)
	w.until = progress{w.sent.messages + messages, w.sent.bytes + bytes}
	for _, c := range w.credits {
		until := progress{c.reached.messages + messages, c.reached.bytes + bytes}
		switch {
		case c.waived:
			continue
		case w.sent.messages < until.messages && w.sent.bytes < until.bytes:
		case !c.waits:
			c.waits, c.at = true, now
			full = true
		case now.Sub(c.at) >= w.patience:
			c.waived = true
			continue
		default:
			full = true
		}
		w.until.messages, w.until.bytes = min(w.until.messages, until.messages), min(w.until.bytes, until.bytes)
	}
	return full
}

// acquire waits until something may be sent. While it does, marks go out again, since one
// of them may have been dropped.
func (w *window) acquire(ctx context.Context) error {
	open, at, full := w.look()
	if !full {
		return nil
	}
	w.held.Add(1)
	w.mark(at)
	again := time.NewTicker(max(min(w.patience/4, 100*time.Millisecond), time.Millisecond))
	defer again.Stop()
	for full {
		select {
		case <-open:
		case <-again.C:
			w.mark(at)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		open, at, full = w.look()
	}
	return nil
}

// look returns whether to wait, for what, and how much was sent by now.
func (w *window) look() (open chan struct{}, at progress, full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, w.sent, w.full(time.Now())
}

// spent counts what was sent, and marks it where it is time to. Calls must not overlap.
func (w *window) spent(bytes int) {
	w.mu.Lock()
	w.sent.messages++
	w.sent.bytes += uint64(bytes) //nolint:gosec // a length
	share := uint64(max(len(w.credits), 1))
	at := w.sent
	due := len(w.credits) > 0 && (at.messages-w.marked.messages >= w.messages/share/8 || at.bytes-w.marked.bytes >= w.bytes/share/8)
	if due {
		w.marked = at
	}
	w.mu.Unlock()
	if due {
		w.mark(at)
	}
}

// windowStats are the numbers of what is under way to other servers.
type windowStats struct {
	under  progress // to the slowest of those that are waited for
	waived int      // servers that are not waited for
	held   uint64
}

func (w *window) stats() (s windowStats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.held = w.held.Load()
	for _, c := range w.credits {
		if c.waived {
			s.waived++
			continue
		}
		s.under.messages = max(s.under.messages, w.sent.messages-c.reached.messages)
		s.under.bytes = max(s.under.bytes, w.sent.bytes-c.reached.bytes)
	}
	return s
}

func appendProgress(b []byte, p progress) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, p.messages), p.bytes)
}

func readProgress(b []byte) (p progress, err error) {
	r := reader{b: b}
	p.messages, p.bytes = r.number(), r.number()
	return p, r.end()
}
