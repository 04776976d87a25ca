package adminui

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// maxReceivers is how many receivers of a broadcast are shown to have been sent it.
const maxReceivers = 10

// quotedHidden stands for the arguments of Options.HideEvents.
const quotedHidden = `["` + hidden + `"]`

// meter lets so many events through per second.
type meter struct {
	rate    int // immutable
	dropped atomic.Uint64

	mu    sync.Mutex
	left  int       // guarded by mu
	until time.Time // guarded by mu
}

func newMeter(rate int) *meter { return &meter{rate: rate} }

// take asks for up to n events, and returns how many may be shown.
func (m *meter) take(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); !now.Before(m.until) {
		m.left, m.until = m.rate, now.Add(time.Second)
	}
	got := min(n, m.left)
	m.left -= got
	m.dropped.Add(uint64(n - got))
	return got
}

// received shows an event of a client. It runs where the event's handlers do, on an
// event loop perhaps.
func (u *UI) received(n *socketio.Namespace, s *socketio.Socket, event string, args socketio.Args) {
	if u.events.take(1) == 1 {
		u.showEvent("event_received", n.Name(), s.ID(), event, args)
	}
}

// sent shows an event to clients. It runs where the application emits.
func (u *UI) sent(n *socketio.Namespace, o socketio.Outgoing) {
	var ids []string
	if o.Socket != nil {
		ids = []string{o.Socket.ID()}
	} else if ids = u.receivers(n, o.Rooms, o.Except); len(ids) == 0 {
		return
	}
	ids = ids[:u.events.take(len(ids))]
	if len(ids) == 0 {
		return
	}
	args, err := socketio.EncodeArgs(o.Args...)
	if err != nil { // of which the application is told by Emit
		return
	}
	for _, id := range ids {
		u.showEvent("event_sent", n.Name(), id, o.Event, args)
	}
}

// receivers are some of the sockets on the board that a broadcast is for.
func (u *UI) receivers(n *socketio.Namespace, rooms, except []string) (ids []string) {
	u.mu.RLock()
	defer u.mu.RUnlock()
	for s, e := range u.board.shown {
		in := func(room string) bool { return room == e.ID || slices.Contains(e.Rooms, room) }
		if s.Namespace() != n || len(rooms) > 0 && !slices.ContainsFunc(rooms, in) || slices.ContainsFunc(except, in) {
			continue
		}
		if ids = append(ids, e.ID); len(ids) == maxReceivers {
			break
		}
	}
	return ids
}

// showEvent tells admins of an event, with its attachments; those who are slow are not.
func (u *UI) showEvent(what, nsp, id, event string, args socketio.Args) {
	list := args.String()
	attachments := args.Attachments()
	size := len(event) + len(list)
	for _, a := range attachments {
		size += len(a)
	}
	if size > u.options.MaxEventBytes {
		list, attachments = fmt.Sprintf(`["(%d bytes, not shown)"]`, size), nil
		event = cut(event)
	}
	if slices.Contains(u.options.HideEvents, event) {
		list, attachments = quotedHidden, nil
	}
	array, err := socketio.ParseArgs(eventArray(nsp, id, event, list), attachments)
	if err == nil {
		err = u.admins.Volatile().Emit(what, array)
	}
	if err != nil {
		u.options.Logger.Debug("adminui: telling admins", "event", what, "error", err)
	}
}

// eventArray is the arguments of event_received and event_sent: [nsp, id, [event, ...], date].
func eventArray(nsp, id, event, list string) []byte {
	b := append([]byte{'['}, quoted(nsp)...)
	b = append(append(b, ','), quoted(id)...)
	b = append(append(b, ",["...), quoted(event)...)
	if rest := list[1 : len(list)-1]; rest != "" {
		b = append(append(b, ','), rest...)
	}
	b = append(append(b, "],"...), quoted(now())...)
	return append(b, ']')
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s) // of a string there is no error
	return b
}
