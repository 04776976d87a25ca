package history

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// retention knows what is to be removed. It is the writer's.
type retention struct {
	newest map[string]string // room -> newest ID
	added  map[string]int    // room -> messages since it was trimmed; none: not since the store was opened
}

// retain removes what the messages just written have made too much.
func (w *writer) retain(ctx context.Context, messages []Message) {
	for i := range messages {
		m := &messages[i]
		w.newest[m.Room] = max(w.newest[m.Room], m.ID)
		if n, trimmed := w.added[m.Room]; trimmed {
			w.added[m.Room] = n + 1
		}
	}
	for i := range messages {
		room := messages[i].Room
		if n, trimmed := w.added[room]; !trimmed || n > w.options.Keep/16 {
			w.trim(ctx, room)
		}
	}
	w.limitRooms(ctx)
}

// trim leaves a room the newest messages.
func (w *writer) trim(ctx context.Context, room string) {
	more := false
	err := w.guarded(func() (err error) {
		more, err = w.store.trim(ctx, room, w.options.Keep)
		return err
	})
	w.added[room] = 0
	if w.failed("trimming a room", err) || more {
		delete(w.added, room) // again with the room's next message
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tails.trim(room, w.options.Keep)
}

// limitRooms drops the rooms that were quiet for the longest time.
func (w *writer) limitRooms(ctx context.Context) {
	surplus := len(w.newest) - w.options.Rooms
	if surplus <= 0 {
		return
	}
	type room struct{ name, newest string }
	var rooms []room
	for name, newest := range w.newest {
		if name != "" {
			rooms = append(rooms, room{name, newest})
		}
	}
	slices.SortFunc(rooms, func(a, b room) int { return cmp.Compare(a.newest, b.newest) })
	for _, r := range rooms[:min(surplus, len(rooms))] {
		if w.failed("dropping a room", w.guarded(func() error { return w.store.drop(ctx, r.name, r.newest) })) {
			return
		}
		delete(w.newest, r.name)
		delete(w.added, r.name)
		w.mu.Lock()
		w.tails.forget(r.name)
		w.mu.Unlock()
	}
}

// sweep removes what came before a time.
func (w *writer) sweep(ctx context.Context, t time.Time) {
	before := oldest(t)
	if w.failed("removing old messages", w.guarded(func() error { return w.store.expire(ctx, before) })) {
		return
	}
	for room, newest := range w.newest {
		if newest < before {
			delete(w.newest, room)
			delete(w.added, room)
		}
	}
	w.mu.Lock()
	w.tails.clear()
	w.mu.Unlock()
}

// failed counts and logs an error of removing something. It is tried again by itself,
// and costs room, not messages.
func (w *writer) failed(what string, err error) bool {
	if err == nil {
		return false
	}
	w.mu.Lock()
	w.counts.Errors++
	w.mu.Unlock()
	w.log.Warn("history: "+what, "error", err)
	return true
}
