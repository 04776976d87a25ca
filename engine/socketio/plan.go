package socketio

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// plan is how a value of one type is read from JSON, worked out once per type. It does
// what encoding/json does for the usual types, in one walk: received arguments have been
// proved to be JSON, and encoding/json would prove it again before it begins. Whatever
// is out of the ordinary (a key in other letters, a key that comes twice, a number that
// does not fit, a value of another kind) is none of its business: it gives up, and
// encoding/json has the last word, and its own errors. A fuzz test holds it to that.
//
// A plan reads into zero values only. Immutable once it is made.
type plan struct {
	read func(c *cursor, v reflect.Value) bool // false gives up; v is then in no particular state
}

var plans sync.Map // reflect.Type -> *plan, nil for types that are left to encoding/json

// planOf returns the plan of t, nil if there is none. Safe for concurrent use.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	making := make(map[reflect.Type]*plan)
	p := newPlan(t, making)
	if p != nil {
		p, _ := plans.LoadOrStore(t, p)
		return p.(*plan)
	}
	plans.Store(t, p)
	return nil
}

// newPlan works out the plan of t. making has those that are being worked out, for types
// that contain themselves; one that fails takes all that need it with it.
func newPlan(t reflect.Type, making map[reflect.Type]*plan) *plan {
	if p, ok := making[t]; ok {
		return p
	}
	p := new(plan)
	making[t] = p
	if p.read = reading(t, making); p.read == nil {
		return nil
	}
	return p
}

func reading(t reflect.Type, making map[reflect.Type]*plan) func(*cursor, reflect.Value) bool {
	if t == reflect.TypeFor[json.Number]() {
		return nil
	}
	if decodesItself(t) {
		if t.Name() != "" && reflect.PointerTo(t).Implements(jsonUnmarshaler) {
			return readItself
		}
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		return readString
	case reflect.Bool:
		return readBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return readInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return readUint
	case reflect.Float32, reflect.Float64:
		return readFloat
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return readAny
		}
	case reflect.Pointer:
		return pointers(t, making)
	case reflect.Slice:
		return slicesOf(t, making)
	case reflect.Map:
		return mapsOf(t, making)
	case reflect.Struct:
		return structs(t, making)
	}
	return nil
}

func readString(c *cursor, v reflect.Value) bool {
	if c.null() {
		return true
	}
	s, ok := c.text()
	if ok {
		v.SetString(s)
	}
	return ok
}

func readBool(c *cursor, v reflect.Value) bool {
	if c.null() || c.word("false") {
		return true
	}
	if !c.word("true") {
		return false
	}
	v.SetBool(true)
	return true
}

func readInt(c *cursor, v reflect.Value) bool {
	if c.null() {
		return true
	}
	n, ok := plainInt(c.number())
	if !ok || v.OverflowInt(n) {
		return false
	}
	v.SetInt(n)
	return true
}

func readUint(c *cursor, v reflect.Value) bool {
	if c.null() {
		return true
	}
	text := c.number()
	n, ok := plainInt(text)
	if !ok || text[0] == '-' || v.OverflowUint(uint64(n)) {
		return false
	}
	v.SetUint(uint64(n))
	return true
}

func readFloat(c *cursor, v reflect.Value) bool {
	if c.null() {
		return true
	}
	f, err := strconv.ParseFloat(string(c.number()), v.Type().Bits())
	if err != nil {
		return false
	}
	v.SetFloat(f)
	return true
}

func readAny(c *cursor, v reflect.Value) bool {
	x, ok := c.any()
	if ok && x != nil {
		v.Set(reflect.ValueOf(x))
	}
	return ok
}

// readItself is for types with an UnmarshalJSON of their own, which is told of null, too.
func readItself(c *cursor, v reflect.Value) bool {
	c.space()
	start := c.i
	if !c.skip() {
		return false
	}
	return v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(c.b[start:c.i:c.i]) == nil
}

func pointers(t reflect.Type, making map[reflect.Type]*plan) func(*cursor, reflect.Value) bool {
	elem := newPlan(t.Elem(), making)
	if elem == nil {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		if c.null() {
			return true
		}
		v.Set(reflect.New(t.Elem()))
		return elem.read(c, v.Elem())
	}
}

func slicesOf(t reflect.Type, making map[reflect.Type]*plan) func(*cursor, reflect.Value) bool {
	if t.Elem().Kind() == reflect.Uint8 {
		return nil // base64
	}
	elem := newPlan(t.Elem(), making)
	if elem == nil {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		if c.null() {
			return true
		}
		n := 0
		ok := c.within('[', ']', func() bool {
			if n == v.Cap() {
				v.Grow(1)
			}
			v.SetLen(n + 1)
			n++
			return elem.read(c, v.Index(n-1))
		})
		if n == 0 {
			v.Set(reflect.MakeSlice(t, 0, 0))
		}
		return ok
	}
}

func mapsOf(t reflect.Type, making map[reflect.Type]*plan) func(*cursor, reflect.Value) bool {
	if t.Key().Kind() != reflect.String || decodesItself(t.Key()) {
		return nil
	}
	elem := newPlan(t.Elem(), making)
	if elem == nil {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		if c.null() {
			return true
		}
		v.Set(reflect.MakeMap(t))
		value := reflect.New(t.Elem()).Elem()
		return c.within('{', '}', func() bool {
			key, ok := c.text()
			value.SetZero()
			if !ok || !c.colon() || !elem.read(c, value) {
				return false
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), value)
			return true
		})
	}
}

// member is a field of a struct.
type member struct {
	name  []byte
	index int
	plan  *plan
}

func structs(t reflect.Type, making map[reflect.Type]*plan) func(*cursor, reflect.Value) bool {
	members, ok := membersOf(t, making)
	if !ok {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		if c.null() {
			return true
		}
		seen, next := uint64(0), 0 // fields by bit; the one that is expected, since keys tend to keep their order
		return c.within('{', '}', func() bool {
			key, ok := c.key()
			if !ok || !c.colon() {
				return false
			}
			at, ok := find(members, key, next)
			if !ok {
				return !folds(members, key) && c.skip()
			}
			if seen&(1<<at) != 0 {
				return false
			}
			seen |= 1 << at
			next = at + 1
			return members[at].plan.read(c, v.Field(members[at].index))
		})
	}
}

// membersOf returns the fields that encoding/json reads, and false where that is not
// plain to see: fields of embedded structs, options that change the form, names that
// collide, or more fields than there are bits.
func membersOf(t reflect.Type, making map[reflect.Type]*plan) (members []member, ok bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if f.Anonymous {
			return nil, false
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		if strings.Contains(options, "string") || !isPlainName(name) || folds(members, []byte(name)) || len(members) == 64 {
			return nil, false
		}
		p := newPlan(f.Type, making)
		if p == nil {
			return nil, false
		}
		members = append(members, member{[]byte(name), i, p})
	}
	return members, true
}

// isPlainName reports whether encoding/json takes a tag's name as it is.
func isPlainName(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

// find returns the member of that name, looking at number next first.
func find(members []member, name []byte, next int) (at int, ok bool) {
	if next < len(members) && string(members[next].name) == string(name) {
		return next, true
	}
	for i := range members {
		if string(members[i].name) == string(name) {
			return i, true
		}
	}
	return 0, false
}

// folds reports whether a name is that of a member but for upper and lower case.
func folds(members []member, name []byte) bool {
	for i := range members {
		if bytes.EqualFold(members[i].name, name) {
			return true
		}
	}
	return false
}
