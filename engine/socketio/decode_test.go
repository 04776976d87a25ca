package socketio_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// sameAsJSON decodes each text into a T both ways.
func sameAsJSON[T any](t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		var want T
		wantErr := json.Unmarshal([]byte(text), &want)
		var got T
		err := args(text).Decode(&got)
		if (err != nil) != (wantErr != nil) || wantErr == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%s into %T: %v, %v; encoding/json: %v, %v", text, got, got, err, want, wantErr)
		}
		typed, err := socketio.DecoderOf[T]()(args(text))
		if (err != nil) != (wantErr != nil) || wantErr == nil && !reflect.DeepEqual(typed, want) {
			t.Errorf("%s, first %T: %v, %v; encoding/json: %v, %v", text, typed, typed, err, want, wantErr)
		}
	}
}

func TestDecodingAgreesWithEncodingJSON(t *testing.T) {
	values := []string{
		`""`, `"a"`, `"a\"b\u00e9\ud83d\ude00"`, `"é"`, `null`, `true`, `false`, `0`, `-0`, `7`, `-12`, `1.5`, `1e3`, `-1e-3`,
		`123456789012345678`, `1234567890123456789`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775808`,
		`"AQID"`, `"no base64"`, `[1,2,3]`, `[]`, `{}`, `{"A":1}`, `["x"]`, `300`,
	}
	sameAsJSON[string](t, values...)
	sameAsJSON[int](t, values...)
	sameAsJSON[int64](t, values...)
	sameAsJSON[int8](t, values...)
	sameAsJSON[float64](t, values...)
	sameAsJSON[bool](t, values...)
	sameAsJSON[[]byte](t, values...)
	sameAsJSON[socketio.Binary](t, values...)
	sameAsJSON[any](t, values...)
	sameAsJSON[*int](t, values...)
	sameAsJSON[[]int](t, values...)
	sameAsJSON[map[string]int](t, values...)
	sameAsJSON[struct{ A int }](t, values...)
	sameAsJSON[json.RawMessage](t, values...)
	sameAsJSON[json.Number](t, values...)
}

// option is a type that decodes itself, as optional values do.
type option[T any] struct {
	value T
	set   bool
}

func (o *option[T]) UnmarshalJSON(b []byte) error {
	o.set = string(b) != "null"
	return json.Unmarshal(b, &o.value)
}

// upper decodes itself from text.
type upper string

func (u *upper) UnmarshalText(b []byte) error { *u = upper(strings.ToUpper(string(b))); return nil }

func TestAttachmentsGoWhereBytesAreWanted(t *testing.T) {
	A, B := []byte("A"), []byte("B")
	p0, p1 := placeholder(0), placeholder(1)
	for _, tt := range []struct {
		name string
		list string
		want any // what a new value of its type decodes to
	}{
		{"bytes", p0, A},
		{"Binary", p1, socketio.Binary(B)},
		{"named", p0, blob(A)},
		{"octets", p0, []octet("A")},
		{"any", p0, any(A)},
		{"slice", `[` + p1 + `,null,` + p0 + `]`, [][]byte{B, nil, A}},
		{"struct", `{"data":` + p0 + `}`, inner{A}},
		{"pointer", `{"data":` + p0 + `}`, &inner{A}},
		{"embedded", `{"Name":"n","data":` + p0 + `}`, Outer{"n", inner{A}}},
		{"array", `[` + p0 + `,` + p1 + `]`, [2][]byte{A, B}},
		{"map", `{"x":` + p0 + `,"y":"QQ=="}`, map[string][]byte{"x": A, "y": A}},
		{"map of structs", `{"x":{"data":` + p0 + `}}`, map[string]inner{"x": {A}}},
		{"anything", `{"a":[1,{"b":` + p1 + `}],"c":"text","d":` + p0 + `}`, map[string]any{"a": []any{1.0, map[string]any{"b": B}}, "c": "text", "d": A}},
		{"recursive", `{"Data":` + p0 + `,"Next":{"Any":{"x":` + p1 + `}}}`, node{A, &node{Any: map[string]any{"x": B}}, nil}},
		{"unknown field", `{"other":` + p0 + `,"data":` + p1 + `}`, inner{B}},
		{"last key wins", `{"data":` + p0 + `,"data":` + p1 + `}`, inner{B}},
		{"spelled otherwise", `[{ "num":0 , "\u005fplaceholder" : true, "more":[] }]`, []any{A}},
		{"decodes itself", `{"o":` + p0 + `,"b":` + p1 + `}`, struct {
			O option[[]byte]
			B []byte
		}{option[[]byte]{A, true}, B}},
		{"decodes itself beside an unknown", `{"t":"2026-01-02T03:04:05Z","x":` + p0 + `,"b":` + p1 + `}`, struct {
			T time.Time
			B any
		}{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), B}},
		{"text of its own", `[` + p0 + `]`, []upper{"QQ=="}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := reflect.New(reflect.TypeOf(tt.want))
			if err := args(tt.list, A, B).Decode(got.Interface()); err != nil {
				t.Fatal(err)
			}
			if tt.name == "any" {
				var dynamic any
				if err := args(tt.list, A, B).Decode(&dynamic); err != nil || !reflect.DeepEqual(dynamic, tt.want) {
					t.Errorf("got %#v, %v", dynamic, err)
				}
			}
			if !reflect.DeepEqual(got.Elem().Interface(), tt.want) {
				t.Errorf("got  %#v\nwant %#v", got.Elem().Interface(), tt.want)
			}
		})
	}
}

func TestDecodedBytesAreTheAttachment(t *testing.T) {
	A := []byte("A")
	direct, _ := socketio.DecoderOf[[]byte]()(args(placeholder(0), A))
	within, _ := socketio.DecoderOf[inner]()(args(`{"data":`+placeholder(0)+`}`, A))
	if &direct[0] != &A[0] || &within.Data[0] != &A[0] {
		t.Error("copied")
	}
}

func TestAttachmentsWhereSomethingElseIsWanted(t *testing.T) {
	p0 := placeholder(0)
	for _, tt := range []struct {
		list string
		into any
		want error // nil: any error
	}{
		{p0, new(string), socketio.ErrBinaryTarget},
		{p0, new(int), nil},
		{p0, new([3]byte), nil},
		{`{"A":` + p0 + `}`, new(struct{ A string }), socketio.ErrBinaryTarget},
		{`{"A":` + p0 + `}`, new(map[string]string), socketio.ErrBinaryTarget},
		{`["x",` + p0 + `]`, new([]string), socketio.ErrBinaryTarget},
		{`{"A":` + p0 + `}`, new(map[string]bool), nil},
		{`{"Title":` + p0 + `}`, new(Titled), socketio.ErrBinaryTarget},
		{`{"A":[[` + p0 + `]]}`, new(map[string]any2), socketio.ErrBinaryTarget},
		{placeholder(1), new([]byte), socketio.ErrAttachment},
		{placeholder(1), new(any), socketio.ErrAttachment},
		{`[` + p0 + `,` + p0 + `]`, new([][]byte), socketio.ErrAttachment},
		{`{"_placeholder":true,"num":"splice"}`, new([]byte), nil},
		{`{"_placeholder":true,"num":-1}`, new(any), socketio.ErrAttachment},
		{`{"_placeholder":true}`, new(any), socketio.ErrAttachment},
	} {
		err := args(tt.list, []byte("A")).Decode(tt.into)
		if _, ok := errors.AsType[*socketio.ArgError](err); !ok || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s into %T: %v; want %v", tt.list, tt.into, err, tt.want)
		}
	}
}

type (
	title  struct{ Title string }
	Titled struct {
		title
		secret []byte
	}
	any2 [][1]string
)

func TestDecodingLooksPastWhatItCannotSet(t *testing.T) {
	v := Titled{secret: []byte("s")}
	if err := args(`{"Title":"x","b":`+placeholder(0)+`}`, []byte("A")).Decode(&v); err != nil || v.Title != "x" || string(v.secret) != "s" {
		t.Errorf("got %+v, %v", v, err)
	}
	var mixed struct {
		N map[string]int
		F []float64
		M json.RawMessage
		R socketio.Raw
		S fmtStringer
		B []byte
	}
	list := `{"N":{"a":1},"F":[1,2],"M":[1],"R":{"x":2},"B":` + placeholder(0) + `}`
	if err := args(list, []byte("A")).Decode(&mixed); err != nil || string(mixed.B) != "A" || string(mixed.M) != "[1]" || string(mixed.R) != `{"x":2}` || mixed.F[1] != 2 {
		t.Errorf("got %+v, %v", mixed, err)
	}
}

type fmtStringer interface{ String() string }

func TestPlaceholdersWithoutAttachmentsAreObjects(t *testing.T) {
	var v any
	if err := args(placeholder(0)).Decode(&v); err != nil || !reflect.DeepEqual(v, map[string]any{"_placeholder": true, "num": 0.0}) {
		t.Errorf("got %v, %v", v, err)
	}
	var b []byte
	if err := args(placeholder(0)).Decode(&b); err == nil {
		t.Errorf("got %q", b)
	}
}

func TestTargetsThatContainThemselvesAreAnError(t *testing.T) {
	ring := &node{}
	ring.Next = ring
	if err := args(`{"Data":`+placeholder(0)+`}`, []byte("A")).Decode(ring); !errors.Is(err, socketio.ErrCycle) {
		t.Errorf("got %v", err)
	}
}

func TestDecodingUsualArgumentsAllocatesLittle(t *testing.T) {
	hello, picture := args(`"hello, world"`), args(placeholder(0), []byte("A"))
	checkAllocs(t, "string", 1, hello, socketio.DecoderOf[string]())
	checkAllocs(t, "Raw", 0, hello, socketio.DecoderOf[socketio.Raw]())
	checkAllocs(t, "Args", 0, hello, socketio.DecoderOf[socketio.Args]())
	checkAllocs(t, "struct{}", 0, hello, socketio.DecoderOf[struct{}]())
	checkAllocs(t, "[]byte", 0, picture, socketio.DecoderOf[[]byte]())
	checkAllocs(t, "Binary", 0, picture, socketio.DecoderOf[socketio.Binary]())
	checkAllocs(t, "int", 1, args(`1234`), socketio.DecoderOf[int]())
	var (
		s    string
		n    int
		into = []any{&s, &n}
		a    = args(`"x",12`)
	)
	if got := testing.AllocsPerRun(100, func() { _ = a.Decode(into...) }); got > 1 {
		t.Errorf("Decode: %v allocations, want 1", got)
	}
}

func checkAllocs[T any](t *testing.T, name string, want float64, a socketio.Args, decode func(socketio.Args) (T, error)) {
	t.Helper()
	if got := testing.AllocsPerRun(100, func() { _, _ = decode(a) }); got > want {
		t.Errorf("%s: %v allocations, want %v", name, got, want)
	}
}

// reconstruct is what socket.io-parser makes of a decoded value: the oracle.
func reconstruct(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = reconstruct(v[i], attachments)
		}
	case map[string]any:
		if v["_placeholder"] == true {
			return attachments[int(v["num"].(float64))]
		}
		for k := range v {
			v[k] = reconstruct(v[k], attachments)
		}
	}
	return v
}

// FuzzDecodeTokens feeds hostile arguments that the parser lets pass. Each attachment comes out where Node would put it and
// nowhere else, whatever the type of the target is.
func FuzzDecodeTokens(f *testing.F) {
	f.Add(placeholder(0)+`,[`+placeholder(1)+`]`, 2)
	f.Add(`{"_placeholder":true,"num":0,"x":`+placeholder(1)+`}`, 2)
	f.Add(`{"num":1,"_placeholder":true,"_placeholder":false},"`+socketio.TokenLike()+`"`, 1)
	f.Add(`{"data":"`+socketio.TokenLike()+`","Any":"AAAA"},{"\u005fplaceholder":true,"num":0}`, 1)
	f.Add(`{"_placeholder":true,"num":1e0}`, 3)
	f.Fuzz(func(t *testing.T, list string, n int) {
		array := []byte("[" + list + "]")
		attachments := make([][]byte, min(max(n, 0), 4))
		for i := range attachments {
			attachments[i] = []byte{byte(i), 0xa5}
		}
		var want []any
		if json.Unmarshal(array, &want) != nil || parser.CheckPlaceholders(array, len(attachments)) != nil {
			return
		}
		a := socketio.ArgsOf([]byte(list), attachments, nil)
		if a.Len() != len(want) {
			t.Fatalf("%d arguments, want %d", a.Len(), len(want))
		}
		if len(attachments) > 0 {
			want = reconstruct(want, attachments).([]any)
		}
		for i := range want {
			var got any
			if err := a.At(i).Decode(&got); err != nil || !reflect.DeepEqual(got, want[i]) {
				t.Errorf("argument %d: %#v, %v; want %#v", i, got, err, want[i])
			}
			for _, into := range []any{new(string), new([]byte), new(node), new([]node), new(map[string][]byte), new(option[[]byte]), new(moved), new(float64)} {
				_ = a.At(i).Decode(into) // an error or not: no panic
			}
			var raw socketio.Raw
			if err := a.At(i).Decode(&raw); (err == nil) != (len(attachments) == 0 || parser.CheckPlaceholders(a.Raw(i), 0) == nil) {
				t.Errorf("Raw %s: %v", a.Raw(i), err)
			}
		}
		checkRelay(t, a, want)
		var text []string
		if err := a.Decode(&text); err == nil {
			for _, s := range text {
				if strings.Contains(s, "\xa5") {
					t.Errorf("attachment in text %q", s)
				}
			}
		}
	})
}

// checkRelay emits a as it is and decodes that again.
func checkRelay(t *testing.T, a socketio.Args, want []any) {
	t.Helper()
	out, attachments, err := socketio.AppendArgs(nil, nil, []any{a})
	if err != nil {
		t.Errorf("relay: %v", err)
		return
	}
	if len(out) > 0 {
		out = out[1:]
	}
	relayed := socketio.ArgsOf(out, attachments, nil)
	for i := range want {
		var got any
		if err := relayed.At(i).Decode(&got); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("relayed argument %d: %#v, %v; want %#v", i, got, err, want[i])
		}
	}
}

func TestIntegersBeyondTheirTypeAreNotCutOff(t *testing.T) {
	var n int64
	if err := args(`9223372036854775807`).Decode(&n); err != nil || n != math.MaxInt64 {
		t.Errorf("%d, %v", n, err)
	}
	var small int8
	if err := args(`128`).Decode(&small); err == nil {
		t.Errorf("%d", small)
	}
}
