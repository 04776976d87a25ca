package socketio

import (
	"context"
	"reflect"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// Event is the name of an event together with the type of its argument, so that both ends of it are checked at compile
// time. A constant of it is the event's documentation:
//
//	const reply socketio.Event[Line] = "reply"
//
// T is usually the type of the first argument. Arguments too many are ignored; a missing one is T's zero value, as it is
// undefined in JavaScript. Some types are special: struct{} wants no argument, a struct that embeds [Tuple], or a pointer
// to one, wants one per field, [Args] takes all as they are, and [Raw] is one that is not decoded.
type Event[T any] string

// Emit sends the event. Safe for concurrent use.
func (e Event[T]) Emit(to Emitter, v T) error { return to.Emit(string(e), v) }

// Call is the name of an event that is acknowledged, with the types of its argument and of the acknowledgement's. What is
// said of [Event] holds for both types.
type Call[T, R any] string

// Ask sends the event to one socket and waits for the acknowledgement, at most until ctx is done or the socket is gone, and
// for Options.AckTimeout where ctx has no deadline. An
// acknowledgement that is no R is an [*ArgError]. Not for [Inline] handlers: it waits. Safe for concurrent use.
func (c Call[T, R]) Ask(ctx context.Context, s *Socket, v T) (R, error) {
	args, err := s.EmitWithAck(ctx, string(c), v)
	if err != nil {
		var zero R
		return zero, err
	}
	r, err := decoderOf[R]()(args)
	if err != nil {
		err = &ArgError{Event: string(c), Err: err}
	}
	return r, err
}

// On registers a handler for an event: on a *Server or *Namespace once for all their sockets, on a *Socket for that one.
// The returned function removes it. The event may be an untyped constant; its type then follows from fn. Arguments that are
// no T never reach fn: Options.OnError gets an [*ArgError]. An acknowledgement that the client asks for is not sent; see
// [OnAck]. Safe for concurrent use.
func On[T any](r Registrar, event Event[T], fn func(ctx context.Context, s *Socket, v T) error, opts ...HandlerOption) (remove func()) {
	return r.register(string(event), newHandler(string(event), fn, opts))
}

// Once is [On] for a handler that is removed before it runs for the first time.
func Once[T any](r Registrar, event Event[T], fn func(ctx context.Context, s *Socket, v T) error, opts ...HandlerOption) (remove func()) {
	h := newHandler(string(event), fn, opts)
	h.once = true
	return r.register(string(event), h)
}

// OnAck registers a handler whose result is the acknowledgement: exactly one, and none if it returns an error, which goes
// to Options.OnError, unless Options.AckError makes a value of it. A result of type struct{} is an acknowledgement without
// arguments, a [Tuple] one with several. Otherwise like [On].
func OnAck[T, R any](r Registrar, call Call[T, R], fn func(ctx context.Context, s *Socket, v T) (R, error), opts ...HandlerOption) (remove func()) {
	decode := decoderOf[T]()
	h := &handler{ack: true, run: func(ctx context.Context, s *Socket, a Args) (any, error) {
		v, err := decode(a)
		if err != nil {
			return nil, &ArgError{Event: string(call), Err: err}
		}
		return fn(ctx, s, v)
	}}
	h.apply(opts)
	return r.register(string(call), h)
}

// newHandler binds fn to its event.
func newHandler[T any](event string, fn func(ctx context.Context, s *Socket, v T) error, opts []HandlerOption) *handler {
	decode := decoderOf[T]()
	h := &handler{run: func(ctx context.Context, s *Socket, a Args) (any, error) {
		v, err := decode(a)
		if err != nil {
			return nil, &ArgError{Event: event, Err: err}
		}
		return nil, fn(ctx, s, v)
	}}
	h.apply(opts)
	return h
}

// decoderOf returns what makes a T of arguments. It is asked once per handler: which way T goes is not decided again for
// each event, and the short ways put no T on the heap.
func decoderOf[T any]() func(Args) (T, error) {
	var short any
	switch any((*T)(nil)).(type) {
	case *struct{}:
		short = func(Args) (struct{}, error) { return struct{}{}, nil }
	case *Args:
		short = func(a Args) (Args, error) { return a, nil }
	case *string:
		short = first(stringOf)
	case *Raw:
		short = first(Args.raw)
	case *[]byte:
		short = first(func(a Args, elem []byte) ([]byte, error) { return a.bytes(elem, nil) })
	case *Binary:
		short = first(func(a Args, elem []byte) (Binary, error) { return a.bytes(elem, nil) })
	default:
		if shapeOf(reflect.TypeFor[T]()).tuple {
			return tupleOf[T]
		}
		return first(planned[T]())
	}
	return short.(func(Args) (T, error))
}

// first applies decode to the first argument, if there is one.
func first[T any](decode func(Args, []byte) (T, error)) func(Args) (T, error) {
	return func(a Args) (v T, err error) {
		list := parser.NewArgList(a.list)
		elem, ok := list.Next()
		if !ok {
			return v, nil
		}
		return decode(a, elem)
	}
}

// stringOf allocates nothing but the string, unless it has escapes.
func stringOf(a Args, elem []byte) (string, error) {
	if s, ok := plainString(elem); ok {
		return s, nil
	}
	return valueOf[string](a, elem)
}

// planned returns valueOf, or what is faster where nothing but encoding/json is asked to
// do what the plan of T does.
func planned[T any]() func(Args, []byte) (T, error) {
	p := planOf(reflect.TypeFor[T]())
	switch any((*T)(nil)).(type) {
	case *int, *int64:
		return valueOf[T] // nothing is shorter
	}
	if p == nil {
		return valueOf[T]
	}
	return func(a Args, elem []byte) (T, error) {
		if _, ok := a.codec.(standardCodec); !ok || len(a.attachments) > 0 {
			return valueOf[T](a, elem)
		}
		at := &struct { // one allocation for both
			v T
			c cursor
		}{c: cursor{b: elem}}
		if p.read(&at.c, reflect.ValueOf(&at.v).Elem()) && at.c.space() == 0 {
			return at.v, nil
		}
		return valueOf[T](a, elem)
	}
}

func valueOf[T any](a Args, elem []byte) (T, error) {
	v := new(T)
	err := a.decode(elem, v)
	return *v, err
}

func tupleOf[T any](a Args) (T, error) {
	v := new(T)
	r := a.reader()
	err := r.into(v)
	return *v, err
}
