package socketio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// ErrNoServerSideHandler is what a ServerSideEmitWithAck gets from a server where
// nobody listens with OnServerSideAck, if the adapter can carry it.
var ErrNoServerSideHandler = errors.New("socketio: nobody acknowledges the event of another server")

// serverSideHandler is one function for events of other servers.
type serverSideHandler struct {
	run func(ctx context.Context, a Args) (reply any, err error)
	ack bool
}

// serverSideEvent is one event of another server on its way to its handlers.
type serverSideEvent struct {
	name  string
	args  Args
	reply func(Args, error) // nil where no acknowledgement is wanted
}

// ServerSideRegistrar is where events of other servers are registered for: a
// *Namespace, or a *Server for its default namespace.
type ServerSideRegistrar interface {
	registerServerSide(event string, h *serverSideHandler) (remove func())
}

// OnServerSide registers fn for an event that other servers send with ServerSideEmit.
// The functions of a namespace run one at a time, in the order in which the events
// came, on the worker pool, and may block; one that waits for other servers itself
// (ServerSideEmitWithAck) keeps them waiting for it, and does so better in a goroutine
// of its own. ctx is the server's. Their errors are logged, and so is an event whose
// arguments are no T. The returned function removes fn. Node: io.on(event, fn).
func OnServerSide[T any](r ServerSideRegistrar, event Event[T], fn func(ctx context.Context, v T) error) (remove func()) {
	decode := decoderOf[T]()
	return r.registerServerSide(string(event), &serverSideHandler{run: func(ctx context.Context, a Args) (any, error) {
		v, err := decode(a)
		if err != nil {
			return nil, &ArgError{Event: string(event), Err: err}
		}
		return nil, fn(ctx, v)
	}})
}

// OnServerSideAck is [OnServerSide] for a function whose result is this server's
// acknowledgement, to those who ask for one with ServerSideEmitWithAck. Where there are
// several the first one's is sent; with an error none is.
func OnServerSideAck[T, R any](r ServerSideRegistrar, call Call[T, R], fn func(ctx context.Context, v T) (R, error)) (remove func()) {
	decode := decoderOf[T]()
	return r.registerServerSide(string(call), &serverSideHandler{ack: true, run: func(ctx context.Context, a Args) (any, error) {
		v, err := decode(a)
		if err != nil {
			return nil, &ArgError{Event: string(call), Err: err}
		}
		return fn(ctx, v)
	}})
}

func (n *Namespace) registerServerSide(event string, h *serverSideHandler) (remove func()) {
	n.edit(func(t *table) {
		t.serverSide = maps.Clone(t.serverSide)
		if t.serverSide == nil {
			t.serverSide = make(map[string][]*serverSideHandler)
		}
		t.serverSide[event] = with(t.serverSide[event], h)
	})
	return func() {
		n.edit(func(t *table) {
			t.serverSide = maps.Clone(t.serverSide)
			if t.serverSide[event] = without(t.serverSide[event], h); len(t.serverSide[event]) == 0 {
				delete(t.serverSide, event)
			}
		})
	}
}

func (v *Server) registerServerSide(event string, h *serverSideHandler) (remove func()) {
	return v.main.registerServerSide(event, h)
}

// ServerSideEmit sends an event to the other servers that the adapter connects, to
// those who registered with [OnServerSide] in the namespace of this name there; not to
// this server, and to nobody where there are no others. Node: serverSideEmit.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	e, err := n.encodeServerSide(event, args)
	if err != nil {
		return err
	}
	defer e.free()
	return n.adapter.ServerSideEmit(&ServerSideEvent{Array: e.array.B, Attachments: e.attachments})
}

// ServerSideEmitWithAck is ServerSideEmit to functions registered with
// [OnServerSideAck], and returns their answers, one for each of the other servers. With
// an error it returns those that came: not all did until ctx was done, or within
// Options.RequestTimeout where it has no deadline. Without other servers there are no
// answers. It waits, so it is not for [Inline] handlers. Node: serverSideEmitWithAck.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]ServerSideAnswer, error) {
	e, err := n.encodeServerSide(event, args)
	if err != nil {
		return nil, err
	}
	defer e.free()
	ctx, cancel := n.server.request(ctx)
	defer cancel()
	return n.adapter.ServerSideEmitWithAck(ctx, &ServerSideEvent{Array: e.array.B, Attachments: e.attachments})
}

// ServerCount returns how many servers the adapter connects, this one included.
func (n *Namespace) ServerCount(ctx context.Context) (int, error) {
	ctx, cancel := n.server.request(ctx)
	defer cancel()
	return n.adapter.ServerCount(ctx)
}

func (n *Namespace) encodeServerSide(event string, args []any) (encoded, error) {
	if n.server.closed.Load() {
		return encoded{}, ErrServerClosed
	}
	switch event {
	case "connect", "connection", "new_namespace": // Node's, between servers
		return encoded{}, &ReservedEventError{event}
	}
	return n.encodeEvent(event, args)
}

// ServerSideEmit implements Adapter: there is nobody.
func (a *MemoryAdapter) ServerSideEmit(*ServerSideEvent) error { return nil }

// ServerSideEmitWithAck implements Adapter: there is nobody.
func (a *MemoryAdapter) ServerSideEmitWithAck(context.Context, *ServerSideEvent) ([]ServerSideAnswer, error) {
	return nil, nil
}

// ServerCount implements Adapter.
func (a *MemoryAdapter) ServerCount(context.Context) (int, error) { return 1, nil }

// ServerSideEvent is for adapters: it hands an event of another server to those who
// listen here. reply, if not nil, is called at most once, on a worker: with this
// server's acknowledgement, or an error where there is none. The event is copied; the
// error says that it is none, or that too many wait.
func (a *MemoryAdapter) ServerSideEvent(e *ServerSideEvent, reply func(Args, error)) error {
	args, err := a.ParseArgs(e.Array, e.Attachments)
	if err != nil {
		return err
	}
	r := args.reader()
	var name string
	if err := r.one(&name); err != nil {
		return fmt.Errorf("socketio: event of another server: %w", err)
	}
	args.list = r.list.Rest()
	if !a.nsp.serverSide.push(serverSideEvent{name, args, reply}) {
		return errors.New("socketio: too many events of other servers")
	}
	a.nsp.serverSide.flush()
	return nil
}

// ParseArgs is for adapters: it makes the arguments in a JSON array that came from
// elsewhere, after a look whether they are sound. The array is copied.
func (a *MemoryAdapter) ParseArgs(array []byte, attachments [][]byte) (Args, error) {
	if !utf8.Valid(array) {
		return Args{}, ErrJSON
	}
	p, err := parser.Decode(parser.AppendAck(nil, "/", 0, len(attachments), array), &a.nsp.server.limits)
	if err != nil {
		return Args{}, fmt.Errorf("socketio: arguments from elsewhere: %w", err)
	}
	list := parser.NewArgs(p.Data)
	return newArgs(bytes.Clone(list.Rest()), attachments, a.nsp.server.options.JSON), nil
}

// serve calls the handlers of one event of another server.
func (n *Namespace) serve(e serverSideEvent) {
	failure := ErrNoServerSideHandler
	for _, h := range n.table.Load().serverSide[e.name] {
		value, err := h.run(n.server.base, e.args)
		if err == nil && h.ack && e.reply != nil {
			reply := e.reply
			e.reply = nil
			err = n.answer(value, reply)
		}
		if err != nil {
			failure = ofEvent(e.name, err)
			n.server.fault(failure)
		}
	}
	if e.reply != nil {
		e.reply(Args{}, failure)
	}
}

// answer acknowledges an event of another server.
func (n *Namespace) answer(value any, reply func(Args, error)) error {
	e, err := n.encodeReply(value)
	if err != nil {
		return err
	}
	defer e.free()
	list := parser.NewArgs(e.array.B)
	reply(newArgs(bytes.Clone(list.Rest()), e.attachments, n.server.options.JSON), nil)
	return nil
}
