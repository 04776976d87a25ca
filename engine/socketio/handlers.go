package socketio

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
)

// Registrar is where handlers are registered: a *Server (its default
// namespace), a *Namespace (once for all of its sockets) or one *Socket. Safe for
// concurrent use.
type Registrar interface {
	register(event string, h *handler) (remove func())
}

// HandlerOption changes how one handler is run. [Inline] is one.
type HandlerOption func(*manner)

// manner is how a handler is run.
type manner struct {
	inline bool // on the loop
}

func (m *manner) apply(opts []HandlerOption) {
	for _, o := range opts {
		o(m)
	}
}

// Inline is the HandlerOption that keeps a handler on the event loop. That saves the hop to the worker
// pool, and is for handlers that never block: all clients of that loop wait for
// them, and [Socket.EmitWithAck] would wait for ever. An event goes to the pool
// all the same where one of its handlers is not inline, or where earlier events
// of the socket are still there.
func Inline(m *manner) { m.inline = true }

var _ HandlerOption = Inline

// handler is one registered function with its arguments already bound to a type.
type handler struct {
	manner
	run func(ctx context.Context, s *Socket, a Args) (reply any, err error)
	ack bool // reply is sent as the acknowledgement
	// callback runs in place of run, where it is set: it has the acknowledgement to send itself, if there is one.
	callback func(ctx context.Context, s *Socket, a Args, o *owedAck) error
	once     bool // removed before its first run

	fired  atomic.Bool // a once handler has been taken
	remove func()      // immutable after registration
}

// take reports whether h may run now, which a once handler may only once.
func (h *handler) take() bool {
	if !h.once {
		return true
	}
	if !h.fired.CompareAndSwap(false, true) {
		return false
	}
	h.remove()
	return true
}

// AnyHandler sees every event of a socket, whatever its name. Its error goes to
// Options.OnError. Args are valid until it returns.
type AnyHandler func(ctx context.Context, s *Socket, event string, args Args) error

// Middleware decides whether a client may join a namespace: nil lets it pass.
// See [ConnectError] for what the client is told. It may block; ctx is done when
// the client leaves meanwhile.
type Middleware func(ctx context.Context, s *Socket) error

type catchAll struct {
	manner
	run AnyHandler
}

func newCatchAll(fn AnyHandler, opts []HandlerOption) *catchAll {
	c := &catchAll{run: fn}
	c.apply(opts)
	return c
}

// table holds what is registered with one namespace. It is copied on every
// change and never changed itself, so that dispatch takes no lock.
type table struct {
	events        map[string][]*handler
	any           []*catchAll
	packets       []*catchAll // of UsePacket
	outgoing      []*outgoing
	use           []Middleware
	connect       []func(ctx context.Context, s *Socket) error
	disconnecting []func(ctx context.Context, s *Socket, r Reason)
	disconnect    []func(ctx context.Context, s *Socket, r Reason)
	serverSide    map[string][]*serverSideHandler
	expired       []func(ctx context.Context, s *Socket)
	expiring      []func(ctx context.Context, s *Socket) error
}

// ownTable holds what is registered with one socket: few entries, so a slice is
// smaller and faster than a map. Copied on every change.
type ownTable struct {
	events   []ownHandler
	any      []*catchAll
	packets  []*catchAll // of Use
	outgoing []*outgoing
	errors   []*errorHandler
}

// empty reports whether nothing is registered.
func (t *ownTable) empty() bool {
	return len(t.events)+len(t.any)+len(t.packets)+len(t.outgoing)+len(t.errors) == 0
}

type ownHandler struct {
	event string
	h     *handler
}

// with and without return changed copies.
func with[T any](list []T, v T) []T { return append(slices.Clip(list), v) }

func without[T comparable](list []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == v })
}

func (t *table) add(event string, h *handler) {
	t.events = maps.Clone(t.events)
	if t.events == nil {
		t.events = make(map[string][]*handler)
	}
	t.events[event] = with(t.events[event], h)
}

func (t *table) del(event string, h *handler) {
	t.events = maps.Clone(t.events)
	if left := without(t.events[event], h); len(left) > 0 {
		t.events[event] = left
	} else {
		delete(t.events, event)
	}
}

// wants reports whether anybody listens for the event, and whether all who do
// are inline.
func wants(t *table, own *ownTable, event []byte) (listens, inline bool) {
	inline = true
	for _, h := range t.events[string(event)] {
		listens, inline = true, inline && h.inline
	}
	listens, inline = wantsAny(t.any, listens, inline)
	listens, inline = wantsAny(t.packets, listens, inline)
	if own == nil {
		return listens, inline
	}
	for _, o := range own.events {
		if o.event == string(event) {
			listens, inline = true, inline && o.h.inline
		}
	}
	listens, inline = wantsAny(own.any, listens, inline)
	return wantsAny(own.packets, listens, inline)
}

func wantsAny(list []*catchAll, listens, inline bool) (bool, bool) {
	for _, c := range list {
		listens, inline = true, inline && c.inline
	}
	return listens, inline
}
