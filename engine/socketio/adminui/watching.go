package adminui

import (
	"context"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

const (
	// interval is the time between two rounds. Node: 2000 ms.
	interval = 2 * time.Second
	// leaseTime is how long a server goes on telling admins of others after it last heard
	// that there are some: four rounds.
	leaseTime = 4 * interval
)

// lookingElsewhere is how a server with admins has the others tell them of themselves.
// A server of Node's, which always does, has no use for it.
const lookingElsewhere socketio.Event[struct{}] = "fanfare:admins"

// hook is what is registered with a namespace while somebody looks.
type hook struct {
	remove []func()
	missed int // rounds in which the namespace was not there
}

// watch begins to look, where nobody did. Called with order held.
func (u *UI) watch() {
	if u.watching.Load() {
		return
	}
	u.watching.Store(true)
	u.since = u.totals()
	u.timer = time.AfterFunc(interval, u.round)
	u.hookAll()
	u.pass()
}

// restIfUnseen ends what watch began, where nobody looks any more. Called with order held.
func (u *UI) restIfUnseen() {
	if !u.watching.Load() || len(u.present) > 0 || time.Now().Before(u.lease) {
		return
	}
	u.rest()
}

// rest ends what watch began. Called with order held.
func (u *UI) rest() {
	u.watching.Store(false)
	u.timer.Stop()
	u.timer = nil
	u.mu.Lock()
	defer u.mu.Unlock()
	for n, h := range u.hooks {
		h.unhook()
		delete(u.hooks, n)
	}
	u.board = newBoard(u.options.MaxSockets)
}

// round is what happens every interval while somebody looks.
func (u *UI) round() {
	u.order.Lock()
	defer u.order.Unlock()
	if !u.watching.Load() {
		return
	}
	u.restIfUnseen()
	if !u.watching.Load() {
		return
	}
	u.hookAll()
	if u.options.Mode == Development {
		u.refresh()
	}
	now := u.totals()
	err := u.admins.Emit("server_stats", u.stats(now.events(&u.since, time.Now())))
	u.since = now
	if err != nil { // the server is closed
		u.rest()
		return
	}
	u.pass()
	u.timer.Reset(interval)
}

// pass tells the other servers that there are admins here. Called with order held.
func (u *UI) pass() {
	if len(u.present) == 0 {
		return
	}
	if err := u.admins.ServerSideEmit(string(lookingElsewhere)); err != nil {
		u.options.Logger.Debug("adminui: telling other servers", "error", err)
	}
}

// extend hears what pass says on another server.
func (u *UI) extend(context.Context, struct{}) error {
	u.order.Lock()
	defer u.order.Unlock()
	u.lease = time.Now().Add(leaseTime)
	if !u.watching.Load() {
		u.watch()
		u.fillQuietly()
	}
	return nil
}

// fillQuietly puts what there is on the board without a word: the server where the admin
// is fetches it. Called with order held.
func (u *UI) fillQuietly() {
	if u.options.Mode == Development {
		u.fill()
	}
}

// elsewhere fetches sockets of other servers, as many as there is room for.
func (u *UI) elsewhere(ctx context.Context) (views []view) {
	ctx, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	if servers, err := u.admins.ServerCount(ctx); err != nil || servers < 2 {
		return nil
	}
	left, room := u.options.MaxSockets-len(u.board.shown), maxBoardBytes-u.board.bytes
	for _, n := range u.server.Namespaces() {
		sockets, err := n.FetchSockets(ctx)
		if err != nil {
			u.options.Logger.Warn("adminui: sockets of other servers", "namespace", n.Name(), "error", err)
		}
		for _, r := range sockets {
			if _, local := r.Local(); local {
				continue
			}
			v := viewOfState(n.Name(), r.State())
			if room -= v.size(); room < 0 || left == 0 {
				return views
			}
			left--
			views = append(views, *v)
		}
	}
	return views
}

// onNewNamespace is called before the namespace's first client.
func (u *UI) onNewNamespace(n *socketio.Namespace) {
	if u.watching.Load() {
		u.hook(n)
	}
}

// hookAll hooks what namespaces there are, and forgets those that are gone: that they
// were missed twice, because one that is being made is not found yet.
func (u *UI) hookAll() {
	if u.options.Mode != Development {
		return
	}
	there := make(map[*socketio.Namespace]bool)
	for _, n := range u.server.Namespaces() {
		there[n] = true
		u.hook(n)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for n, h := range u.hooks {
		if there[n] {
			h.missed = 0
		} else if h.missed++; h.missed > 1 {
			h.unhook()
			delete(u.hooks, n)
		}
	}
}

// hook registers with one namespace, once.
func (u *UI) hook(n *socketio.Namespace) {
	if u.options.Mode != Development {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.hooks[n] != nil || len(u.hooks) >= u.options.MaxNamespaces {
		return
	}
	h := &hook{}
	u.hooks[n] = h
	h.remove = append(h.remove, n.OnRoom(func(_ context.Context, e socketio.RoomEvent) { u.onRoom(n, e) }))
	if n == u.admins { // or telling them of an event would be one
		return
	}
	h.remove = append(h.remove,
		n.PrependAny(func(_ context.Context, s *socketio.Socket, event string, args socketio.Args) error {
			u.received(n, s, event, args)
			return nil
		}, socketio.Inline),
		n.OnOutgoing(func(o socketio.Outgoing) { u.sent(n, o) }))
}

func (h *hook) unhook() {
	for _, remove := range h.remove {
		remove()
	}
}
