package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// node is one value of openapi.yaml.
type node = map[string]any

func readDescription(t *testing.T) node {
	t.Helper()
	var d node
	if err := yaml.Unmarshal(openapi, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows keys down, and references.
func at(t *testing.T, d node, from any, keys ...string) node {
	t.Helper()
	n, ok := from.(node)
	for _, key := range slices.Concat(keys, []string{""}) {
		if !ok {
			t.Fatalf("nothing at %q", keys)
		}
		if ref, is := n["$ref"].(string); is {
			target := at(t, d, d, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			beside := maps.Clone(n)
			delete(beside, "$ref")
			n = maps.Clone(target)
			maps.Copy(n, beside)
		}
		if key != "" {
			n, ok = n[key].(node)
		}
	}
	return n
}

// Every path, field, parameter and status of the file is there, and the other way round.
func TestTheDescriptionIsWhatTheCodeDoes(t *testing.T) {
	d := readDescription(t)
	if d["openapi"] != "3.1.0" {
		t.Error("not OpenAPI 3.1.0")
	}
	paths := slices.Sorted(maps.Keys(d["paths"].(node)))
	have := []string{descriptionPath}
	for i := range endpoints {
		e := &endpoints[i]
		have = append(have, e.path)
		operation := at(t, d, d, "paths", e.path, strings.ToLower(e.method))
		if methods := d["paths"].(node)[e.path].(node); len(methods) != 1 {
			t.Errorf("%s has more methods than %s", e.path, e.method)
		}
		if e.method == http.MethodPost {
			compare(t, d, e.path+" request", e.takes, at(t, d, operation, "requestBody", "content", "application/json", "schema"))
		} else {
			compare(t, d, e.path+" parameters", e.takes, parameters(t, d, operation))
		}
		compare(t, d, e.path+" answer", e.gives, at(t, d, operation, "responses", "200", "content", "application/json", "schema"))
		for code, response := range operation["responses"].(node) {
			if status, err := strconv.Atoi(code); err != nil || !slices.Contains(statuses[:], status) || at(t, d, response)["description"] == nil {
				t.Errorf("%s: status %s", e.path, code)
			}
		}
		for _, status := range []string{"400", "401", "405", "500", "503"} {
			if operation["responses"].(node)[status] == nil {
				t.Errorf("%s does not describe status %s", e.path, status)
			}
		}
	}
	slices.Sort(have)
	if !slices.Equal(have, paths) {
		t.Errorf("paths in the code %q, in the file %q", have, paths)
	}
	for _, ref := range regexp.MustCompile(`#/[A-Za-z/]+`).FindAllString(string(openapi), -1) {
		at(t, d, d, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	for name := range at(t, d, d, "components", "schemas") {
		if !bytes.Contains(openapi, []byte("#/components/schemas/"+name+"'")) {
			t.Errorf("schema %s is used nowhere", name)
		}
	}
}

// parameters are those of the query, as if they were the properties of an object.
func parameters(t *testing.T, d, operation node) node {
	properties := node{}
	for _, p := range operation["parameters"].([]any) {
		if p := at(t, d, p); p["in"] == "query" {
			properties[p["name"].(string)] = p["schema"]
		}
	}
	return node{"type": "object", "properties": properties, "additionalProperties": false}
}

// compare fails the test unless the schema describes the Go type.
func compare(t *testing.T, d node, where string, typ reflect.Type, schema node) {
	t.Helper()
	schema = at(t, d, schema)
	kind := schema["type"]
	fail := func() { t.Errorf("%s: %v is described as %v", where, typ, kind) }
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[arguments](), typ == reflect.TypeFor[json.RawMessage]():
		if kind != "array" {
			fail()
		}
	case typ == reflect.TypeFor[batch]():
		compare(t, d, where, reflect.TypeFor[[]emitRequest](), schema)
	case typ == reflect.TypeFor[time.Time]():
		if kind != "string" || schema["format"] != "date-time" {
			fail()
		}
	case typ.Kind() == reflect.Struct:
		compareFields(t, d, where, typ, schema)
	case typ.Kind() == reflect.Slice:
		if kind != "array" {
			fail()
			return
		}
		compare(t, d, where+"[]", typ.Elem(), at(t, d, schema, "items"))
	default:
		want := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer"}[typ.Kind()]
		if kind != want {
			fail()
		}
	}
}

func compareFields(t *testing.T, d node, where string, typ reflect.Type, schema node) {
	t.Helper()
	if schema["type"] != "object" || schema["additionalProperties"] != false {
		t.Errorf("%s: %v is no closed object", where, typ)
		return
	}
	properties, _ := schema["properties"].(node)
	var fields, required []string
	for _, f := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "-" {
			continue
		}
		fields = append(fields, name)
		if options != "omitempty" {
			required = append(required, name)
		}
		if properties[name] == nil {
			t.Errorf("%s: %s is not described", where, name)
			continue
		}
		compare(t, d, where+" "+name, f.Type, at(t, d, properties[name]))
	}
	for name := range properties {
		if !slices.Contains(fields, name) {
			t.Errorf("%s: there is no %s", where, name)
		}
	}
	if !strings.HasSuffix(where, "answer") {
		return
	}
	var said []string
	list, _ := schema["required"].([]any)
	for _, name := range list {
		said = append(said, name.(string))
	}
	slices.Sort(said)
	slices.Sort(required)
	if !slices.Equal(said, required) {
		t.Errorf("%s: always there are %q, described as required are %q", where, required, said)
	}
}

func TestTheExamplesAreWhatTheDescriptionSays(t *testing.T) {
	d := readDescription(t)
	seen := 0
	for i := range endpoints {
		e := &endpoints[i]
		operation := at(t, d, d, "paths", e.path, strings.ToLower(e.method))
		contents := []node{at(t, d, operation, "responses", "200", "content", "application/json")}
		if e.method == http.MethodPost {
			contents = append(contents, at(t, d, operation, "requestBody", "content", "application/json"))
		}
		for j, content := range contents {
			examples, _ := content["examples"].(node)
			if len(examples) == 0 {
				t.Errorf("%s has no examples", e.path)
			}
			for name, example := range examples {
				seen++
				value := example.(node)["value"]
				if why := fault(t, d, at(t, d, content, "schema"), value); why != "" {
					t.Errorf("%s, example %s: %s", e.path, name, why)
				}
				if j == 1 {
					decodes(t, e, name, value)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d examples", seen)
	}
}

// decodes fails the test unless the endpoint's decoder takes the example.
func decodes(t *testing.T, e *endpoint, name string, value any) {
	t.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := decodeBody(body, reflect.New(e.takes).Interface()); err != nil {
		t.Errorf("%s, example %s: %v", e.path, name, err)
	}
}

// fault says why a value is not what a schema wants. It knows the words that the file
// uses, and fails the test at any other.
func fault(t *testing.T, d, schema node, value any) string {
	t.Helper()
	schema = at(t, d, schema)
	for word := range schema {
		if !slices.Contains([]string{
			"type", "properties", "required", "additionalProperties", "items", "enum", "format", "minimum", "maximum",
			"minLength", "maxLength", "minItems", "maxItems", "description", "default",
		}, word) {
			t.Fatalf("a schema has the word %q, which this test does not know", word)
		}
	}
	if list, ok := schema["enum"].([]any); ok && !slices.Contains(list, value) {
		return fmt.Sprintf("%v is none of %v", value, list)
	}
	outside := func(n int, least, most string) string {
		if low, ok := schema[least].(int); ok && n < low {
			return fmt.Sprintf("%v is less than %s %d", value, least, low)
		}
		if high, ok := schema[most].(int); ok && n > high {
			return fmt.Sprintf("%v is more than %s %d", value, most, high)
		}
		return ""
	}
	switch v := value.(type) {
	case string:
		if schema["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, v); err != nil {
				return err.Error()
			}
		}
		return typed(schema, "string", outside(len(v), "minLength", "maxLength"))
	case bool:
		return typed(schema, "boolean", "")
	case int:
		return typed(schema, "integer", outside(v, "minimum", "maximum"))
	case time.Time: // a timestamp of YAML
		return typed(schema, "string", "")
	case []any:
		why := typed(schema, "array", outside(len(v), "minItems", "maxItems"))
		for _, item := range v {
			if of, _ := schema["items"].(node); why == "" && len(of) > 0 {
				why = fault(t, d, of, item)
			}
		}
		return why
	case node:
		return objectFault(t, d, schema, v)
	}
	return fmt.Sprintf("%T", value)
}

func typed(schema node, want, why string) string {
	if schema["type"] != nil && schema["type"] != want {
		return fmt.Sprintf("%s where %s is wanted", want, schema["type"])
	}
	return why
}

func objectFault(t *testing.T, d, schema, value node) string {
	t.Helper()
	if why := typed(schema, "object", ""); why != "" {
		return why
	}
	list, _ := schema["required"].([]any)
	for _, name := range list {
		if _, ok := value[name.(string)]; !ok {
			return fmt.Sprintf("%s is missing", name)
		}
	}
	properties, _ := schema["properties"].(node)
	for name, v := range value {
		of, ok := properties[name].(node)
		if !ok {
			return fmt.Sprintf("%s is too much", name)
		}
		if why := fault(t, d, of, v); why != "" {
			return name + ": " + why
		}
	}
	return ""
}

// The examples of answers are what the code can say: they come back as they were.
func TestTheExamplesOfAnswersFitTheAnswers(t *testing.T) {
	d := readDescription(t)
	for i := range endpoints {
		e := &endpoints[i]
		content := at(t, d, d, "paths", e.path, strings.ToLower(e.method), "responses", "200", "content", "application/json")
		for name, example := range content["examples"].(node) {
			text, err := json.Marshal(example.(node)["value"])
			if err != nil {
				t.Fatal(err)
			}
			answer := reflect.New(e.gives).Interface()
			dec := json.NewDecoder(bytes.NewReader(text))
			dec.DisallowUnknownFields()
			if err := dec.Decode(answer); err != nil {
				t.Errorf("%s, example %s: %v", e.path, name, err)
				continue
			}
			again, err := encode(answer)
			if err != nil {
				t.Fatal(err)
			}
			var want, have any
			_, _ = json.Unmarshal(text, &want), json.Unmarshal(again, &have)
			if !reflect.DeepEqual(want, have) {
				t.Errorf("%s, example %s: read and written it is %s", e.path, name, again)
			}
		}
	}
}

// The bounds in the file are those of the defaults.
func TestTheDescriptionHasTheBounds(t *testing.T) {
	d, o := readDescription(t), Options{}.withDefaults()
	for _, b := range []struct {
		want any
		path []string
	}{
		{o.MaxPage, []string{"parameters", "Limit", "schema", "maximum"}},
		{o.MaxNames, []string{"schemas", "Rooms", "maxItems"}},
		{o.MaxBatch, []string{"schemas", "BroadcastRequest", "properties", "emits", "maxItems"}},
		{int(o.MaxAckTimeout.Milliseconds()), []string{"schemas", "EmitRequest", "properties", "ack_timeout_ms", "maximum"}},
		{maxText, []string{"schemas", "MessageRequest", "properties", "text", "maxLength"}},
		{maxName, []string{"schemas", "MessageRequest", "properties", "name", "maxLength"}},
		{maxUser, []string{"schemas", "MessageRequest", "properties", "user", "maxLength"}},
		{maxIdempotencyKey, []string{"parameters", "IdempotencyKey", "schema", "maxLength"}},
	} {
		last := len(b.path) - 1
		if have := at(t, d, at(t, d, d, "components"), b.path[:last]...)[b.path[last]]; have != b.want {
			t.Errorf("%q is %v, want %v", b.path, have, b.want)
		}
	}
}

func TestTheDescriptionIsServedToEverybody(t *testing.T) {
	s := &Server{stats: make([]endpointStats, len(endpoints)+1)}
	s.options.Logger = Options{}.withDefaults().Logger
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.yaml", nil))
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), openapi) || w.Header().Get("Content-Type") != "application/yaml" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
