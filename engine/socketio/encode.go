package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// appendArgs appends arguments as JSON, a comma before each, and returns the attachments their placeholders refer to, in
// order. Binary is found wherever it stands; see [Binary]. Args and tuples are spread; a struct{} is no argument at all.
// The attachments are the caller's slices, not copies. After an error dst is as it was. A nil codec means the default.
// Safe for concurrent use.
func appendArgs(dst []byte, codec Codec, args []any) (out []byte, attachments [][]byte, err error) {
	e := encoder{dst: dst, codec: orStandard(codec)}
	for i, arg := range args {
		if err := e.argument(arg); err != nil {
			return dst, nil, fmt.Errorf("socketio: argument %d: %w", i+1, err)
		}
	}
	if len(e.attachments) > parser.MaxAttachments {
		return dst, nil, ErrTooManyAttachments
	}
	if e.lookAlikes(len(dst)) {
		return dst, nil, ErrPlaceholder
	}
	return e.dst, e.attachments, nil
}

// encoder writes the arguments of one packet.
type encoder struct {
	dst         []byte
	codec       Codec
	attachments [][]byte

	// While a value is with the codec, tokens stand for its binary parts.
	tokens tokens
	parts  [][]byte // what the tokens stand for; nil once written
	depth  int
}

// argument appends one argument, or those it is spread into.
func (e *encoder) argument(arg any) (err error) {
	switch v := arg.(type) {
	case struct{}, Tuple:
		return nil
	case Args:
		return e.relay(v)
	}
	if arg != nil {
		if s := shapeOf(reflect.TypeOf(arg)); s.tuple {
			if v := reflect.Indirect(reflect.ValueOf(arg)); v.IsValid() {
				return e.spread(v, s.arguments)
			}
		}
	}
	return e.value(arg)
}

// spread appends the fields of a tuple.
func (e *encoder) spread(tuple reflect.Value, fields []int) error {
	for _, i := range fields {
		switch v := tuple.Field(i).Interface().(type) {
		case Args:
			if err := e.relay(v); err != nil {
				return err
			}
		default:
			if err := e.value(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// value appends one argument. The usual types do not need the codec.
func (e *encoder) value(arg any) (err error) {
	e.dst = append(e.dst, ',')
	switch v := arg.(type) {
	case nil:
		e.dst = append(e.dst, "null"...)
	case string:
		e.dst = parser.AppendString(e.dst, v)
	case bool:
		e.dst = strconv.AppendBool(e.dst, v)
	case int:
		e.dst = strconv.AppendInt(e.dst, int64(v), 10)
	case int64:
		e.dst = strconv.AppendInt(e.dst, v, 10)
	case []byte:
		e.binary(v)
	case Binary:
		e.binary(v)
	case Raw:
		e.dst, err = appendRaw(e.dst, v)
	case json.RawMessage:
		e.dst, err = appendRaw(e.dst, v)
	default:
		return e.marshal(arg)
	}
	return err
}

// binary appends the placeholder of an attachment.
func (e *encoder) binary(b []byte) {
	if b == nil {
		e.dst = append(e.dst, "null"...)
		return
	}
	e.dst = parser.AppendPlaceholder(e.dst, len(e.attachments))
	e.attachments = append(e.attachments, b)
}

// relay appends received arguments with the attachments they refer to, which are numbered anew.
func (e *encoder) relay(a Args) (err error) {
	list := parser.NewArgList(a.list)
	if len(a.attachments) == 0 {
		for elem, ok := list.Next(); ok; elem, ok = list.Next() {
			e.dst = append(append(e.dst, ','), elem...)
		}
		return nil
	}
	start := len(e.dst)
	e.draw()
	stand := e.tokens.stand(len(e.parts), len(a.attachments))
	e.parts = append(e.parts, a.attachments...)
	for elem, ok := list.Next(); ok; elem, ok = list.Next() {
		if e.dst, err = parser.AppendInlined(append(e.dst, ','), elem, stand); err != nil {
			return ErrAttachment
		}
	}
	return e.redeem(start)
}

// marshal appends what the codec makes of arg, with attachments in place of the binary in it.
func (e *encoder) marshal(arg any) (err error) {
	start, before := len(e.dst), len(e.parts)
	if shapeOf(reflect.TypeOf(arg)).binary {
		v, changed, err := e.replace(reflect.ValueOf(arg))
		if err != nil {
			return err
		}
		if changed {
			arg = v.Interface()
		}
	}
	if e.dst, err = appendMarshal(e.dst, e.codec, arg); err != nil {
		return err
	}
	if len(e.dst) == start || !utf8.Valid(e.dst[start:]) {
		return ErrJSON
	}
	if len(e.parts) > before {
		return e.redeem(start)
	}
	return nil
}

// draw makes the tokens, at the first need of them.
func (e *encoder) draw() {
	if e.parts == nil {
		e.tokens = newTokens()
	}
}

// redeem turns the tokens behind start into placeholders, and what they stand for into attachments. A token is longer than
// a placeholder, so it is done in place. Parts that the codec has left out, such as shadowed fields, do not count.
func (e *encoder) redeem(start int) error {
	quoted := append([]byte{'"'}, e.tokens.prefix[:]...)
	rest := e.dst[start:]
	e.dst = e.dst[:start]
	for {
		at := bytes.Index(rest, quoted)
		if at < 0 || at+tokenText+2 > len(rest) {
			break
		}
		i, ok := e.tokens.inText(string(rest[at+1 : at+1+tokenText]))
		if !ok || i >= len(e.parts) || e.parts[i] == nil {
			return ErrAttachment
		}
		if len(e.attachments) == parser.MaxAttachments {
			return ErrTooManyAttachments
		}
		e.dst = append(e.dst, rest[:at]...)
		e.binary(e.parts[i])
		e.parts[i] = nil
		rest = rest[at+tokenText+2:]
	}
	e.dst = append(e.dst, rest...)
	return nil
}

// lookAlikes reports whether there are other placeholders behind start than those of the attachments. Each number is taken
// once, so another one is a duplicate or names no attachment.
func (e *encoder) lookAlikes(start int) bool {
	if len(e.attachments) == 0 {
		return false
	}
	e.dst[start] = '[' // the list becomes an array for a moment
	array := append(e.dst, ']')
	err := parser.CheckPlaceholders(array[start:], len(e.attachments))
	e.dst = array[:len(array)-1]
	e.dst[start] = ','
	return err != nil
}

// replace returns v with a token for each binary part. What contains no binary is returned as it is, not changed: only the
// path to a binary part is copied, and the user's value stays untouched. v can be read through Interface.
func (e *encoder) replace(v reflect.Value) (w reflect.Value, changed bool, err error) {
	if !v.IsValid() || isScalar(v.Kind()) || v.Kind() == reflect.String {
		return v, false, nil
	}
	if e.depth++; e.depth > maxNesting {
		return v, false, ErrCycle
	}
	defer func() { e.depth-- }()
	s := shapeOf(v.Type())
	if !s.binary {
		return v, false, nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return e.replace(v.Elem())
	case reflect.Pointer:
		return e.replacePointer(v)
	case reflect.Struct:
		return e.replaceFields(v, s)
	case reflect.Map:
		return e.replaceEntries(v)
	case reflect.Slice:
		if s.bytes {
			return e.replaceBytes(v)
		}
	}
	return e.replaceElements(v)
}

func (e *encoder) replaceBytes(v reflect.Value) (reflect.Value, bool, error) {
	if v.IsNil() {
		return v, false, nil
	}
	e.draw()
	token := reflect.New(v.Type()).Elem()
	token.SetBytes(e.tokens.bytes(len(e.parts)))
	e.parts = append(e.parts, v.Bytes())
	return token, true, nil
}

func (e *encoder) replacePointer(v reflect.Value) (reflect.Value, bool, error) {
	if v.IsNil() {
		return v, false, nil
	}
	w, changed, err := e.replace(v.Elem())
	if !changed || err != nil {
		return v, false, err
	}
	p := reflect.New(v.Type().Elem())
	p.Elem().Set(w)
	return p.Convert(v.Type()), true, nil
}

// replaceElements is for slices and arrays.
func (e *encoder) replaceElements(v reflect.Value) (reflect.Value, bool, error) {
	var c reflect.Value
	for i := range v.Len() {
		w, changed, err := e.replace(v.Index(i))
		if err != nil {
			return v, false, err
		}
		if changed {
			if !c.IsValid() {
				c = copyElements(v)
			}
			c.Index(i).Set(w)
		}
	}
	if !c.IsValid() {
		return v, false, nil
	}
	return c, true, nil
}

func copyElements(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	if v.Kind() == reflect.Array {
		c.Set(v)
		return c
	}
	c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
	reflect.Copy(c, v)
	return c
}

func (e *encoder) replaceEntries(v reflect.Value) (reflect.Value, bool, error) {
	var c reflect.Value
	for it := v.MapRange(); it.Next(); {
		w, changed, err := e.replace(it.Value())
		if err != nil {
			return v, false, err
		}
		if changed {
			if !c.IsValid() {
				c = copyEntries(v)
			}
			c.SetMapIndex(it.Key(), w)
		}
	}
	if !c.IsValid() {
		return v, false, nil
	}
	return c, true, nil
}

func copyEntries(v reflect.Value) reflect.Value {
	c := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		c.SetMapIndex(it.Key(), it.Value())
	}
	return c
}

func (e *encoder) replaceFields(v reflect.Value, s *shape) (reflect.Value, bool, error) {
	if s.embedded && !v.CanAddr() {
		v = copyStruct(v) // or exported could not reach the embedded struct
	}
	var c reflect.Value
	for _, f := range s.fields {
		part := exported(v.Field(f.index))
		if f.leftOut(part) {
			continue
		}
		w, changed, err := e.replace(part)
		if err != nil {
			return v, false, err
		}
		if changed {
			if !c.IsValid() {
				c = copyStruct(v)
			}
			exported(c.Field(f.index)).Set(w)
		}
	}
	if !c.IsValid() {
		return v, false, nil
	}
	return c, true, nil
}

func copyStruct(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// exported lifts the ban that reflection puts on an embedded struct whose type is not exported, although encoding/json
// reads its exported fields. The struct it stands in can be addressed.
func exported(f reflect.Value) reflect.Value {
	if f.CanInterface() {
		return f
	}
	return reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
}

// leftOut reports whether the field's options drop it as it is. With a token in it, it would not be dropped.
func (f field) leftOut(part reflect.Value) bool {
	if f.omitEmpty && part.Kind() == reflect.Slice && part.Len() == 0 {
		return true
	}
	if !f.omitZero || part.Kind() == reflect.Interface || part.Kind() == reflect.Pointer && part.IsNil() {
		return false // of what an interface holds, encoding/json asks no IsZero either
	}
	z, ok := part.Interface().(interface{ IsZero() bool })
	return ok && z.IsZero()
}
