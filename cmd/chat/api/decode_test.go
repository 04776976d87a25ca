package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// The walk over JSON sees what encoding/json sees, and decoding is strict where that is lax.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"event":"a"}`, `{"event":"a","args":[1,"x",{"$binary":"AAEC"},{"a":{"$binary":"AA=="}}],"rooms":["r"]}`,
		` { "event" : "\u0061" , "args" : [ { "$binary" : "AA\u003d\u003d" } , [ ] , { } , "\\\"" ] , "count" : true } `,
		`{"event":"a","args":[{"$binary":"AA==","x":1},{"x":1,"$binary":"AA=="},{"$binary":1},{"\u0024binary":"AA=="}]}`,
		`{"args":[{"_placeholder":true,"num":0},{"$binary":""}],"event":"e"}`,
		`{"emits":[{"event":"a"},{"event":"b","args":[[[]]]},null,1,"x"]}`,
		`{"event":"a","ack_timeout_ms":1e2,"volatile":false,"rooms":[]}`, `{}`, `[]`, `{"":1}`, `{"event":"a","event":"b"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var one emitRequest
		var many broadcastRequest
		oneErr, manyErr := decodeBody(body, &one), decodeBody(body, &many)
		if !json.Valid(body) || !utf8.Valid(body) {
			if oneErr == nil || manyErr == nil {
				t.Fatalf("accepted: %q", body)
			}
			return
		}
		checkMembers(t, body)
		if manyErr == nil {
			for _, item := range many.Emits {
				if !json.Valid(item) {
					t.Fatalf("cut wrongly: %q in %q", item, body)
				}
				_ = decodeObject(item, new(emitRequest))
			}
		}
		if oneErr == nil {
			checkArguments(t, &one)
		}
	})
}

// checkMembers compares the members of an object with what encoding/json finds.
func checkMembers(t *testing.T, object []byte) {
	t.Helper()
	i, ok := opening(object, '{')
	var want map[string]json.RawMessage
	if err := json.Unmarshal(object, &want); !ok || err != nil {
		if ok {
			t.Fatalf("%q: %v", object, err)
		}
		return
	}
	have := make(map[string]json.RawMessage)
	for {
		key, value, next, more := member(object, i, true)
		if !more {
			break
		}
		i = next
		var name string
		if err := json.Unmarshal(key, &name); err != nil {
			t.Fatalf("key %q of %q: %v", key, object, err)
		}
		have[name] = value
	}
	if len(have) != len(want) {
		t.Fatalf("%d members of %q, want %d", len(have), object, len(want))
	}
	for name, value := range want {
		if !bytes.Equal(have[name], value) {
			t.Fatalf("%q of %q is %q, want %q", name, object, have[name], value)
		}
	}
}

// checkArguments has the arguments go to Socket.IO's form and back.
func checkArguments(t *testing.T, q *emitRequest) {
	t.Helper()
	args, err := q.Args.parse()
	if err != nil || q.Args.array == nil {
		return
	}
	for _, b := range args.Attachments() {
		if len(b) > len(q.Args.array) {
			t.Fatal("an attachment out of nowhere")
		}
	}
	back := attach(args)
	again, err := (&arguments{array: back}).parse()
	if err != nil {
		t.Fatalf("%q came back as %q: %v", q.Args.array, back, err)
	}
	if !sameArgs(again, args) {
		t.Fatalf("%q came back as %q", q.Args.array, back)
	}
	if len(args.Attachments()) == 0 && !bytes.Equal(bytes.TrimSpace(trimBrackets(back)), bytes.TrimSpace(trimBrackets(q.Args.array))) {
		t.Fatalf("%q was changed to %q", q.Args.array, back)
	}
}

func trimBrackets(b []byte) []byte {
	b = bytes.TrimSpace(b)
	return b[1 : len(b)-1]
}

func sameArgs(a, b socketio.Args) bool {
	if a.String() != b.String() || len(a.Attachments()) != len(b.Attachments()) {
		return false
	}
	for i, x := range a.Attachments() {
		if !bytes.Equal(x, b.Attachments()[i]) {
			return false
		}
	}
	return true
}

func FuzzQuery(f *testing.F) {
	f.Add("namespace", "/", "rooms", "a")
	f.Add("limit", "10", "limit", "x")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		var q socketsRequest
		values := map[string][]string{name1: {value1}}
		values[name2] = append(values[name2], value2)
		if decodeQuery(values, &q) != nil {
			return
		}
		for name := range values {
			if fieldNamed(reflect.TypeOf(q), name) < 0 {
				t.Fatalf("%q was accepted", name)
			}
		}
	})
}

// What is nested deep or long costs what its bytes cost.
func TestHostileBodiesAreReadInTheirLength(t *testing.T) {
	for name, body := range map[string]string{
		"nested":   `{"event":"a","args":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}`,
		"binaries": `{"event":"a","args":[` + strings.Repeat(`{"$binary":`, 3000) + `""` + strings.Repeat(`}`, 3000) + `]}`,
		"members":  `{"event":"a","args":[{` + strings.Repeat(`"$binary":"AA==",`, 30_000) + `"x":1}]}`,
		"commas":   `{"event":"a","args":[` + strings.Repeat(`[],`, 200_000) + `1]}`,
	} {
		var q emitRequest
		if err := decodeBody([]byte(body), &q); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		begin := time.Now()
		_, _ = q.Args.parse() // some are refused
		cost := time.Since(begin).Nanoseconds() / int64(len(body))
		if cost > 2000 { // ns per byte; some 10 where nothing is wrong
			t.Errorf("%s: %d ns per byte", name, cost)
		}
	}
}
