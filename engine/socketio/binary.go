package socketio

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
)

// Binary is bytes that travel as an attachment of their own behind the JSON of their packet, where a browser sees an
// ArrayBuffer and Node a Buffer. A []byte travels in the same way; the name is for those who like to say so.
//
// Wherever Binary, []byte or another type of byte slice stands in a value, it becomes an attachment: as an argument, in
// fields of structs, in slices, maps, pointers and interfaces. Not so: arrays of bytes (numbers in JSON), nil (null), Raw
// and json.RawMessage, and what is inside of a type that encodes itself (MarshalJSON, MarshalText).
//
// In the other direction an attachment goes into a byte slice or into an interface, there as a []byte. A base64 string goes
// into a byte slice, too, as in encoding/json. An attachment where a string is wanted is [ErrBinaryTarget]; a type that
// decodes itself sees a base64 string. Received bytes are the handler's: they may be kept, and are not copied again.
//
// Receivers refuse more than 10 attachments per packet unless told otherwise (socket.io-parser, maxAttachments).
type Binary []byte

// maxNesting bounds the depth of values that are searched for binary, in levels of pointers, interfaces, slices, maps and
// structs. encoding/json begins to look for cycles at the same depth.
const maxNesting = 1000

// tokens stand for attachments while a value is in the hands of the codec, which writes and reads bytes as base64. A token
// is bytes whose base64 is recognisable: a random prefix and an index in decimal digits. The prefix is new for each packet,
// so nobody can write it in advance.
type tokens struct {
	prefix [prefixText]byte  // of the base64
	head   [prefixBytes]byte // the same, decoded
}

const (
	prefixText  = 24 // characters of 5 random bits each
	prefixBytes = prefixText * 3 / 4
	indexText   = 8 // decimal digits
	indexBytes  = indexText * 3 / 4
	tokenText   = prefixText + indexText
	tokenBytes  = prefixBytes + indexBytes
)

// newTokens draws a prefix.
func newTokens() (t tokens) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567" // nothing that a codec might escape
	low, high := rand.Uint64(), rand.Uint64()
	for i := range t.prefix {
		if i == prefixText/2 {
			low = high
		}
		t.prefix[i] = alphabet[low&31]
		low >>= 5
	}
	decode64(t.head[:], t.prefix[:])
	return t
}

// text returns the base64 of token i.
func (t *tokens) text(i int) []byte {
	b := append(make([]byte, 0, tokenText), t.prefix[:]...)
	for unit := 10_000_000; unit > 0; unit /= 10 {
		b = append(b, '0'+byte(i/unit%10))
	}
	return b
}

// bytes returns token i.
func (t *tokens) bytes(i int) []byte {
	b := make([]byte, tokenBytes)
	decode64(b, t.text(i))
	return b
}

// stand returns n tokens from index first on.
func (t *tokens) stand(first, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = t.bytes(first + i)
	}
	return all
}

// inText returns the index of the token whose base64 s is.
func (t *tokens) inText(s string) (i int, ok bool) {
	if len(s) != tokenText || s[:prefixText] != string(t.prefix[:]) {
		return 0, false
	}
	for _, c := range []byte(s[prefixText:]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		i = i*10 + int(c-'0')
	}
	return i, true
}

// inBytes returns the index of the token that b is.
func (t *tokens) inBytes(b []byte) (i int, ok bool) {
	if len(b) != tokenBytes || [prefixBytes]byte(b) != t.head {
		return 0, false
	}
	return t.inText(base64.StdEncoding.EncodeToString(b))
}

// decode64 decodes base64 of our own making into dst.
func decode64(dst, text []byte) {
	if _, err := base64.StdEncoding.Decode(dst, text); err != nil {
		panic(err) // a mistake in this file
	}
}

// shape is what has to be known of a type in order to encode it. Immutable.
type shape struct {
	tuple     bool  // embeds Tuple
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
