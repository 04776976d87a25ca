package socketio

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// decode puts one raw argument into what p points to. The usual types do not need the codec.
func (a Args) decode(elem []byte, p any) (err error) {
	switch p := p.(type) {
	case *string:
		if s, ok := plainString(elem); ok {
			*p = s
			return nil
		}
	case *int:
		if n, ok := plainInt(elem); ok && int64(int(n)) == n {
			*p = int(n)
			return nil
		}
	case *int64:
		if n, ok := plainInt(elem); ok {
			*p = n
			return nil
		}
	case *[]byte:
		*p, err = a.bytes(elem, *p)
		return err
	case *Binary:
		*p, err = a.bytes(elem, *p)
		return err
	case *Raw:
		*p, err = a.raw(elem)
		return err
	}
	return a.unmarshal(elem, p)
}

// plainString returns the text of a string without escapes. That it is UTF-8 has been checked where it came in.
func plainString(elem []byte) (string, bool) {
	if len(elem) < 2 || elem[0] != '"' || bytes.IndexByte(elem, '\\') >= 0 {
		return "", false
	}
	return string(elem[1 : len(elem)-1]), true
}

// plainInt returns an integer that is written as one. Of the others, such as 1e3, the codec knows what to think.
func plainInt(elem []byte) (n int64, ok bool) {
	const most = 18 // digits that fit into an int64, whatever they are
	digits := bytes.TrimPrefix(elem, []byte("-"))
	if len(digits) == 0 || len(digits) > most {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(elem) {
		n = -n
	}
	return n, true
}

// bytes returns the attachment that elem stands for, or what the codec makes of anything else: of a string its base64
// decoding, of null nothing.
func (a Args) bytes(elem, old []byte) ([]byte, error) {
	if len(a.attachments) > 0 {
		if num, ok := parser.Placeholder(elem); ok {
			if num >= len(a.attachments) {
				return old, ErrAttachment
			}
			return a.attachments[num], nil
		}
	}
	b := old // the codec's pointer would put old on the heap for attachments, too
	err := a.codec.Unmarshal(elem, &b)
	return b, err
}

// raw returns elem itself.
func (a Args) raw(elem []byte) (Raw, error) {
	if len(a.attachments) > 0 && hasPlaceholder(elem) {
		return nil, ErrRawBinary
	}
	return Raw(elem), nil
}

// unmarshal has the codec decode elem, and puts the attachments where elem has placeholders.
func (a Args) unmarshal(elem []byte, p any) error {
	if len(a.attachments) == 0 || !hasPlaceholder(elem) {
		return a.codec.Unmarshal(elem, p)
	}
	r := restorer{tokens: newTokens(), attachments: a.attachments, placed: make([]bool, len(a.attachments))}
	if err := r.unmarshal(a.codec, elem, p, r.tokens.stand(0, len(a.attachments))); err != nil {
		return err
	}
	if inlined := r.inlined(elem); inlined != nil {
		reflect.ValueOf(p).Elem().SetZero()
		return r.unmarshal(a.codec, elem, p, inlined)
	}
	return nil
}

// restorer brings attachments back into a decoded value. The codec has seen each placeholder as the base64 of a token;
// where a token has come out, its attachment goes in.
type restorer struct {
	tokens      tokens
	attachments [][]byte
	placed      []bool // which attachments have found their place
	opaque      bool   // some type in the value decodes itself
	depth       int
}

// unmarshal decodes elem with stand, tokens mostly, in place of the attachments.
func (r *restorer) unmarshal(codec Codec, elem []byte, p any, stand [][]byte) error {
	text, err := parser.AppendInlined(nil, elem, stand)
	if err != nil {
		return ErrAttachment
	}
	if err := codec.Unmarshal(text, p); err != nil {
		return err
	}
	return r.restore(reflect.ValueOf(p).Elem())
}

// inlined returns what to decode elem with once more, or nil if there is no need. A type that decodes itself, such as an
// optional value around bytes, has seen a token that nobody can take out of it again. It has to see the bytes themselves,
// in base64, as encoding/json shows them.
func (r *restorer) inlined(elem []byte) [][]byte {
	if !r.opaque {
		return nil
	}
	stand, missing := r.tokens.stand(0, len(r.attachments)), false
	text, err := parser.AppendInlined(nil, elem, stand)
	for i, placed := range r.placed {
		if err == nil && !placed && bytes.Contains(text, r.tokens.text(i)) {
			stand[i], missing = r.attachments[i], true
		}
	}
	if !missing {
		return nil
	}
	return stand
}

// restore puts attachments into v, which can be set, and into all it contains.
func (r *restorer) restore(v reflect.Value) error {
	if r.depth++; r.depth > maxNesting {
		return ErrCycle
	}
	defer func() { r.depth-- }()
	if decodesItself(v.Type()) {
		return r.self(v)
	}
	switch v.Kind() {
	case reflect.String:
		if _, ok := r.tokens.inText(v.String()); ok {
			return ErrBinaryTarget
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return r.restore(v.Elem())
		}
	case reflect.Interface:
		return r.dynamic(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			r.attach(v)
			return nil
		}
		return r.elements(v)
	case reflect.Array:
		return r.elements(v)
	case reflect.Map:
		return r.entries(v)
	case reflect.Struct:
		return r.fields(v)
	}
	return nil
}

// attach puts the attachment into a byte slice that the codec has filled with its token.
func (r *restorer) attach(v reflect.Value) {
	if i, ok := r.tokens.inBytes(v.Bytes()); ok && i < len(r.attachments) {
		v.SetBytes(r.attachments[i])
		r.placed[i] = true
	}
}

// self looks at a value of a type that decodes itself. Raw JSON must not keep a token; others cannot be looked into.
func (r *restorer) self(v reflect.Value) error {
	switch raw := v.Interface().(type) {
	case Raw:
		return r.tokenless(raw)
	case json.RawMessage:
		return r.tokenless(raw)
	}
	r.opaque = true
	return nil
}

func (r *restorer) tokenless(raw []byte) error {
	if bytes.Contains(raw, r.tokens.prefix[:]) {
		return ErrRawBinary
	}
	return nil
}

// dynamic looks at the value in an interface: a string may be a token there, and maps and slices have contents that can be
// set.
func (r *restorer) dynamic(v reflect.Value) error {
	e := v.Elem()
	switch e.Kind() {
	case reflect.String:
		if v.NumMethod() > 0 {
			return nil // no place for a []byte
		}
		if i, ok := r.tokens.inText(e.String()); ok && i < len(r.attachments) {
			v.Set(reflect.ValueOf(r.attachments[i]))
			r.placed[i] = true
		}
	case reflect.Map, reflect.Pointer:
		return r.restore(e)
	case reflect.Slice:
		return r.elements(e)
	}
	return nil
}

func (r *restorer) elements(v reflect.Value) error {
	if isScalar(v.Type().Elem().Kind()) {
		return nil
	}
	for i := range v.Len() {
		if err := r.restore(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// entries goes through the values of a map, which have to be taken out to be changed.
func (r *restorer) entries(v reflect.Value) error {
	if isScalar(v.Type().Elem().Kind()) {
		return nil
	}
	entry := reflect.New(v.Type().Elem()).Elem()
	for it := v.MapRange(); it.Next(); {
		entry.Set(it.Value())
		if err := r.restore(entry); err != nil {
			return err
		}
		v.SetMapIndex(it.Key(), entry)
	}
	return nil
}

// fields goes through what the codec can have set: exported fields, and those of embedded structs.
func (r *restorer) fields(v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.CanSet() {
			if f.Kind() != reflect.Struct || !v.Type().Field(i).Anonymous {
				continue
			}
			if err := r.fields(f); err != nil {
				return err
			}
			continue
		}
		if err := r.restore(f); err != nil {
			return err
		}
	}
	return nil
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decodesItself reports whether encoding/json leaves the decoding of a t to the type's own method.
func decodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return false // what it refers to is asked
	}
	p := reflect.PointerTo(t)
	return p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler)
}

// isScalar reports whether values of a kind can hold neither a token nor anything that does.
func isScalar(k reflect.Kind) bool { return k >= reflect.Bool && k <= reflect.Complex128 }
