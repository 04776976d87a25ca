package socketio

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// shape is what has to be known of a type in order to encode it. Immutable.
type shape struct {
	tuple     bool  // embeds Tuple, or points to what does
	arguments []int // of a tuple: the fields that are arguments

	binary   bool    // a value may contain binary
	bytes    bool    // a value is binary
	fields   []field // of a struct: those that may contain binary
	embedded bool    // one of them is embedded, and of a type that is not exported
}

// field is a struct field that may contain binary.
type field struct {
	index               int
	omitEmpty, omitZero bool
}

var shapes sync.Map // reflect.Type -> *shape; one entry per type that was ever emitted

// shapeOf returns the shape of t. Safe for concurrent use.
func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s, _ := shapes.LoadOrStore(t, newShape(t))
	return s.(*shape)
}

func newShape(t reflect.Type) *shape {
	s := &shape{bytes: isBytes(t), binary: mayHoldBinary(t, map[reflect.Type]bool{})}
	if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		p := shapeOf(t.Elem())
		s.tuple, s.arguments = p.tuple, p.arguments
	}
	if t.Kind() != reflect.Struct {
		return s
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type == reflect.TypeFor[Tuple]() {
			s.tuple = true
			continue
		}
		if f.IsExported() && f.Tag.Get("json") != "-" {
			s.arguments = append(s.arguments, i)
		}
		if s.binary && isEncoded(f) && mayHoldBinary(f.Type, map[reflect.Type]bool{}) {
			_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			options = "," + options + ","
			s.fields = append(s.fields, field{
				index:     i,
				omitEmpty: strings.Contains(options, ",omitempty,"),
				omitZero:  strings.Contains(options, ",omitzero,"),
			})
			s.embedded = s.embedded || !f.IsExported()
		}
	}
	return s
}

// mayHoldBinary reports whether byte slices, or interfaces that may hold some, are within reach of a t. Types in seen are
// being looked at already.
func mayHoldBinary(t reflect.Type, seen map[reflect.Type]bool) bool {
	if isBytes(t) {
		return true
	}
	if encodesItself(t) || seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return mayHoldBinary(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); isEncoded(f) && mayHoldBinary(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// isBytes reports whether encoding/json writes a t as a base64 string.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !encodesItself(t) && !encodesItself(t.Elem())
}

// isEncoded reports whether encoding/json looks at a field: an exported one, or an embedded struct, whose exported fields
// count as those of the outer one.
func isEncoded(f reflect.StructField) bool {
	if f.Tag.Get("json") == "-" {
		return false
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.IsExported() || f.Anonymous && t.Kind() == reflect.Struct
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// encodesItself reports whether the encoding of a t is up to its own method.
func encodesItself(t reflect.Type) bool {
	if t.Implements(jsonMarshaler) || t.Implements(textMarshaler) {
		return true
	}
	p := reflect.PointerTo(t)
	return p.Implements(jsonMarshaler) || p.Implements(textMarshaler)
}
