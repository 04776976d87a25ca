package socketio

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// What can be wrong with arguments. Each is wrapped by an [ArgError] when it comes from decoding.
var (
	// ErrJSON is returned by Emit for a Raw, or a codec's output, that is not valid JSON in UTF-8.
	ErrJSON = errors.New("socketio: invalid JSON")
	// ErrPlaceholder is returned by Emit for a value that a receiver would take for the placeholder of an attachment: an
	// object whose "_placeholder" is true. Sent beside real attachments it could show one client the bytes of another.
	ErrPlaceholder = errors.New("socketio: value looks like the placeholder of an attachment")
	// ErrRawBinary is returned for a Raw, or a json.RawMessage, that should take a value with attachments. [Args] can.
	ErrRawBinary = errors.New("socketio: raw JSON cannot hold attachments")
	// ErrBinaryTarget is returned for an attachment where the target wants a string.
	ErrBinaryTarget = errors.New("socketio: attachment where a string is wanted")
	// ErrAttachment is returned for a placeholder that names no attachment of its packet, or one twice.
	ErrAttachment = errors.New("socketio: placeholder without attachment")
	// ErrTooManyAttachments is returned by Emit for more than Options.MaxAttachments attachments in one packet.
	ErrTooManyAttachments = errors.New("socketio: too many attachments")
	// ErrCycle is returned for a value with binary in it that is nested deeper than 1,000 levels, which is what a value
	// that contains itself looks like.
	ErrCycle = errors.New("socketio: value nested too deep, or containing itself")
)

// ArgError says that the arguments of an event, or of an acknowledgement, are not what their handler wants. The handler did
// not run; Options.OnError gets this error. Err is the codec's error or one of this package's.
type ArgError struct {
	Event string // empty for Args.Decode, which does not know it
	Err   error
}

// Error names the event and the reason.
func (e *ArgError) Error() string {
	if e.Event == "" {
		return "socketio: " + e.Err.Error()
	}
	return fmt.Sprintf("socketio: event %q: %v", e.Event, e.Err)
}

// Unwrap returns Err.
func (e *ArgError) Unwrap() error { return e.Err }

// Args are the arguments of one event or acknowledgement as they came: raw JSON, decoded on demand, and the attachments they
// refer to. An Args given to Emit, alone or among others, stands for all its arguments and takes its attachments along:
// that is how an event is relayed without decoding it.
//
// The Args a handler gets are valid until the handler returns; see [Args.Clone]. Safe for concurrent use: nothing in it is
// ever changed.
type Args struct {
	list        []byte // valid JSON values, commas between them, no brackets
	attachments [][]byte
	codec       Codec
}

// newArgs returns the arguments of a packet that the parser has validated, placeholders included. list has no brackets. A
// nil codec means the default.
func newArgs(list []byte, attachments [][]byte, codec Codec) Args {
	return Args{list: list, attachments: attachments, codec: orStandard(codec)}
}

// size is what the arguments count for, in bytes.
func (a Args) size() int {
	n := len(a.list)
	for _, b := range a.attachments {
		n += len(b)
	}
	return n
}

// Len returns the number of arguments. It counts them.
func (a Args) Len() int {
	n, list := 0, parser.NewArgList(a.list)
	for _, ok := list.Next(); ok; _, ok = list.Next() {
		n++
	}
	return n
}

// Decode puts the arguments into what ptrs point to, in order. Arguments too many are ignored, and where arguments are
// missing the target stays as it is, as in JavaScript. A nil skips one argument; an *Args takes all that are left; a struct
// that embeds [Tuple] takes one per field. The error is an *ArgError: a handler may return it, and OnError learns of which
// event it is.
func (a Args) Decode(ptrs ...any) error {
	r := a.reader()
	for _, p := range ptrs {
		if v := reflect.ValueOf(p); p != nil && (v.Kind() != reflect.Pointer || v.IsNil()) {
			return &ArgError{Err: &json.InvalidUnmarshalError{Type: v.Type()}}
		}
		if err := r.into(p); err != nil {
			return &ArgError{Err: err}
		}
	}
	return nil
}

// Raw returns argument i, counted from 0, and nil if there is none. It is the JSON of the packet: an attachment is seen as
// its placeholder, which Emit will refuse. See [Args.At] for an argument to relay.
func (a Args) Raw(i int) Raw {
	list := parser.NewArgList(a.list)
	for ; i > 0; i-- {
		list.Next()
	}
	elem, ok := list.Next()
	if !ok || i < 0 {
		return nil
	}
	return Raw(elem)
}

// At returns argument i, counted from 0, with the attachments it refers to; no arguments if there is none.
func (a Args) At(i int) Args {
	return Args{list: a.Raw(i), attachments: a.attachments, codec: a.codec}
}

// Attachments returns what the placeholders refer to, by number: for those who carry the
// arguments elsewhere, with String. They must not be changed.
func (a Args) Attachments() [][]byte { return a.attachments }

// Clone returns arguments that may be kept. The attachments are shared: they belong to the packet, whose memory is not used
// again.
func (a Args) Clone() Args {
	a.list = append([]byte(nil), a.list...)
	return a
}

// String returns the arguments as a JSON array with placeholders in place of attachments, for logs.
func (a Args) String() string { return "[" + string(a.list) + "]" }

// MarshalJSON returns the arguments as a JSON array, for an Args that stands inside of a value. There it cannot take
// attachments along, and returns [ErrRawBinary] if it has any.
func (a Args) MarshalJSON() ([]byte, error) {
	if len(a.attachments) > 0 {
		return nil, ErrRawBinary
	}
	return []byte(a.String()), nil
}

// Tuple is embedded in a struct whose exported fields are the positional arguments of one event, first to last:
//
//	type Moved struct {
//		socketio.Tuple
//		Piece    string
//		From, To int
//	}
//
// Such a struct is what the handler of emit("moved", "rook", 1, 8) takes, and what Emit, a reply and [Event.Emit] spread
// into three arguments; a pointer to one does the same. Fields tagged `json:"-"` are left out. A last field of type Args takes, and gives, the rest.
type Tuple struct{}

// reader takes one argument after the other.
type reader struct {
	args Args
	list parser.Args
	n    int // arguments asked for so far
}

func (a Args) reader() reader { return reader{args: a, list: parser.NewArgList(a.list)} }

// into puts the next argument, or as many as the target takes, into what p points to. p is nil or a pointer that is not.
func (r *reader) into(p any) error {
	if rest, ok := p.(*Args); ok {
		*rest = Args{list: r.list.Rest(), attachments: r.args.attachments, codec: r.args.codec}
		r.list = parser.Args{}
		return nil
	}
	if p != nil {
		if s := shapeOf(reflect.TypeOf(p).Elem()); s.tuple {
			return r.fields(settable(reflect.ValueOf(p).Elem()), s.arguments)
		}
	}
	return r.one(p)
}

// settable returns v, or what v points to, made if it is nil.
func settable(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

// fields puts one argument into each of a tuple's fields.
func (r *reader) fields(tuple reflect.Value, fields []int) error {
	for _, i := range fields {
		p := tuple.Field(i).Addr().Interface()
		if _, ok := p.(*Args); ok {
			return r.into(p)
		}
		if err := r.one(p); err != nil {
			return err
		}
	}
	return nil
}

// one puts the next argument into what p points to.
func (r *reader) one(p any) error {
	r.n++
	elem, ok := r.list.Next()
	if !ok || p == nil {
		return nil
	}
	if err := r.args.decode(elem, p); err != nil {
		return fmt.Errorf("argument %d: %w", r.n, err)
	}
	return nil
}
