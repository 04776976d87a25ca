package api

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rawField is a field that takes its JSON as it stands, valid until the request is answered.
type rawField interface{ setRaw(value []byte) error }

// decodeBody reads a JSON object into the struct that into points to. It is strict: names
// are those of the json tags to the letter, each at most once, and nothing stands behind.
func decodeBody(body []byte, into any) error {
	if !utf8.Valid(body) {
		return Invalid("the body is not UTF-8")
	}
	if err := syntax(body); err != nil {
		return err
	}
	return decodeObject(body, into)
}

// syntax says what is wrong with JSON, and where.
func syntax(body []byte) error {
	if len(body) == 0 {
		return Invalid("there is no body: send a JSON object")
	}
	if json.Valid(body) {
		return nil
	}
	var nothing json.RawMessage
	err := json.Unmarshal(body, &nothing)
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return Invalid("the body is not JSON: %s, at byte %d", s.Error(), s.Offset)
	}
	return Invalid("the body is not JSON")
}

// decodeObject reads an object that is known to be valid JSON.
func decodeObject(object []byte, into any) error {
	i, ok := opening(object, '{')
	if !ok {
		return Invalid("want a JSON object")
	}
	v := reflect.ValueOf(into).Elem()
	var seen uint64
	for {
		key, value, next, more := member(object, i, true)
		if !more {
			return nil
		}
		i = next
		var name string
		if err := json.Unmarshal(key, &name); err != nil {
			return Invalid("a field's name is no string")
		}
		f := fieldNamed(v.Type(), name)
		if f < 0 {
			return Invalid("unknown field %s", strconv.Quote(name))
		}
		if seen&(1<<f) != 0 {
			return Invalid("field %s stands there twice", strconv.Quote(name))
		}
		seen |= 1 << f
		if err := decodeField(v.Field(f), name, value); err != nil {
			return err
		}
	}
}

// fieldNamed returns the index of the field with this json tag; -1 for none.
func fieldNamed(t reflect.Type, name string) int {
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name && name != "" {
			return i
		}
	}
	return -1
}

func decodeField(field reflect.Value, name string, value []byte) error {
	if string(value) == "null" {
		return Invalid("%s is null: leave it out", name)
	}
	if raw, ok := field.Addr().Interface().(rawField); ok {
		return inField(name, raw.setRaw(value))
	}
	if err := json.Unmarshal(value, field.Addr().Interface()); err != nil {
		return Invalid("%s: want %s", name, wanted(field.Type()))
	}
	if list, ok := field.Interface().([]string); ok && list == nil {
		field.Set(reflect.ValueOf([]string{}))
	}
	return nil
}

// inField puts the field's name in front of what is wrong with its value.
func inField(name string, err error) error {
	if p, ok := errors.AsType[*Problem](err); ok {
		return &Problem{p.Status, p.Code, name + ": " + p.Message}
	}
	return err
}

// wanted is how people call the JSON of a type.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "an integer"
	case reflect.Slice:
		return "an array of strings"
	}
	return "something else"
}

// decodeQuery reads the parameters of a URL into the struct that into points to, as
// strictly. A parameter that stands there several times is an array.
func decodeQuery(query url.Values, into any) error {
	v := reflect.ValueOf(into).Elem()
	for name, values := range query {
		f := fieldNamed(v.Type(), name)
		if f < 0 {
			return Invalid("unknown parameter %s", strconv.Quote(name))
		}
		if slices.ContainsFunc(values, func(s string) bool { return !utf8.ValidString(s) }) {
			return Invalid("%s is not UTF-8", name)
		}
		if err := setParameter(v.Field(f), name, values); err != nil {
			return err
		}
	}
	return nil
}

func setParameter(field reflect.Value, name string, values []string) error {
	if field.Kind() == reflect.Slice {
		field.Set(reflect.ValueOf(values))
		return nil
	}
	if len(values) > 1 {
		return Invalid("parameter %s stands there twice", strconv.Quote(name))
	}
	if field.Kind() == reflect.String {
		field.SetString(values[0])
		return nil
	}
	n, err := strconv.Atoi(values[0])
	if err != nil {
		return Invalid("%s: want an integer", name)
	}
	field.SetInt(int64(n))
	return nil
}
