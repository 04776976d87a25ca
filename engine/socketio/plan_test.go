package socketio_test

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// everything has a field of each kind that a plan reads.
type everything struct {
	S       string         `json:"s"`
	Named   named          `json:"named,omitempty"`
	B       bool           `json:"b"`
	I       int            `json:"i"`
	I8      int8           `json:"i8"`
	U       uint           `json:"u"`
	U16     uint16         `json:"u16"`
	F       float64        `json:"f"`
	F32     float32        `json:"f32"`
	Any     any            `json:"any"`
	P       *int           `json:"p"`
	PP      **string       `json:"pp"`
	L       []int          `json:"l"`
	Texts   []string       `json:"texts"`
	Nested  []inside       `json:"nested"`
	Next    *everything    `json:"next"`
	M       map[string]int `json:"m"`
	Keyed   map[named]any  `json:"keyed"`
	At      time.Time      `json:"at"`
	Since   *time.Time     `json:"since"`
	Raw     socketio.Raw   `json:"raw"`
	Plain   string
	Hidden  string `json:"-"`
	private string //nolint:unused // it is here not to be found
}

type named string

type inside struct {
	A int `json:"a"`
	C struct {
		D []any `json:"d"`
	} `json:"c"`
}

// shapes that are left to encoding/json, and must come out the same all the same.
type (
	embedding struct {
		inside
		E int `json:"e"`
	}
	quoted struct {
		N int `json:"n,string"`
	}
	folding struct {
		A int `json:"key"`
		B int `json:"KEY"`
	}
	odd struct {
		Bytes [4]byte     `json:"bytes"`
		Blob  []byte      `json:"blob"`
		N     json.Number `json:"n"`
		Big   complexKey  `json:"big"`
	}
	complexKey map[int]string
)

// likeJSON requires that a handler for T is given what encoding/json makes of the text.
func likeJSON[T any](t *testing.T, text string) {
	t.Helper()
	var want T
	wantErr := json.Unmarshal([]byte(text), &want)
	got, err := socketio.DecoderOf[T]()(socketio.ArgsOf([]byte(text), nil, nil))
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("%s as %T: %v; encoding/json: %v", text, got, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%s as %T:\n%+v\nencoding/json:\n%+v", text, got, got, want)
	}
}

func likeJSONEach(t *testing.T, text string) {
	t.Helper()
	likeJSON[everything](t, text)
	likeJSON[*everything](t, text)
	likeJSON[map[string]everything](t, text)
	likeJSON[[]everything](t, text)
	likeJSON[inside](t, text)
	likeJSON[[]string](t, text)
	likeJSON[map[string][]float64](t, text)
	likeJSON[any](t, text)
	likeJSON[float64](t, text)
	likeJSON[uint8](t, text)
	likeJSON[int64](t, text)
	likeJSON[bool](t, text)
	likeJSON[named](t, text)
	likeJSON[time.Time](t, text)
	likeJSON[embedding](t, text)
	likeJSON[quoted](t, text)
	likeJSON[folding](t, text)
	likeJSON[odd](t, text)
}

// planTexts are where encoding/json has rules of its own.
var planTexts = []string{
	`{}`, `[]`, `null`, `true`, `""`, `0`, `-0`, `1e3`, `-1`, `1.5`, `256`, `9223372036854775808`, `1e400`, `"\ud800"`, `"\ud83d\ude00\n\"\\"`, `"\\"`, `"a\\\""`,
	`{"s":"x","named":"y","b":true,"i":-5,"i8":127,"u":7,"u16":65535,"f":1e-7,"f32":0.1,"any":[1,"a",{"b":null}],"p":3,"pp":"z"}`,
	`{"l":[1,2,3],"texts":["a","",null],"nested":[{"a":1,"c":{"d":[true,1.5]}},null,{}],"m":{"x":1,"":2,"x":3},"keyed":{"k":[]}}`,
	`{"next":{"next":{"s":"deep","next":null}},"at":"2026-01-02T03:04:05Z","since":null,"raw": {"a" : 1} }`,
	`{"S":"other letters"}`, `{"s":"a","S":"b"}`, `{"s":"a","s":"b"}`, `{"\u0073":"escaped key"}`, `{"plain":1}`, `{"Plain":"y","hidden":"x","-":"x","private":"x"}`,
	`{"unknown":{"a":[1,{"b":"}]"}],"c":"\"]"},"s":"after"}`, `{"ſ":"long s folds to s"}`, `{"i":"5"}`, `{"i":1.0}`, `{"i8":128}`, `{"u":-1}`, `{"f":"1"}`, `{"f32":1e39}`, `{"b":1}`,
	`{"s":5}`, `{"l":{}}`, `{"m":[]}`, `{"nested":5}`, `{"at":"yesterday"}`, `{"at":null}`, `{"p":null,"pp":null,"any":null,"l":null,"m":null,"nested":null,"b":null,"i":null,"u":null,"f":null,"s":null}`,
	`{"l":[]}`, `{"l":[],"l":[1]}`, `{"m":{"a":null}}`, `{"keyed":{"\u006b":1}}`, ` { "s" : "x" , "l" : [ 1 , 2 ] , "m" : { "a" : 1 } } `,
	`{"any":{"a":1,"a":{"b":2}}}`, `{"n":"5"}`, `{"n":5}`, `{"key":1,"KEY":2,"Key":3}`, `{"a":1,"e":2}`, `{"bytes":[1,2],"blob":"AQI=","big":{"1":"x"}}`,
	`[{"s":"a"},{"i":1},null]`, `{"a":{"s":"x"},"b":null}`, `["a",null,"b"]`, `{"x":[1,2.5],"y":null,"z":[]}`, `"2026-01-02T03:04:05Z"`, `255`,
	strings.Repeat("[", 60) + strings.Repeat("]", 60), `{"s":"` + strings.Repeat(`\\`, 50) + `"}`,
}

func TestPlansDoWhatEncodingJSONDoes(t *testing.T) {
	for _, text := range planTexts {
		likeJSONEach(t, text)
	}
	likeJSON[everything](t, `{"f":`+json.Number("1.7976931348623157e308").String()+`,"i":9223372036854775807,"u":18446744073709551615}`)
	likeJSON[[]float64](t, `[0.1,1e21,4.9e-324,-0.0]`)
	if v, err := socketio.DecoderOf[float64]()(socketio.ArgsOf([]byte("-0"), nil, nil)); err != nil || !math.Signbit(v) {
		t.Errorf("-0: %v, %v", v, err)
	}
}

// A codec of the application's own is asked for everything that it was asked before.
func TestPlansAreForEncodingJSONOnly(t *testing.T) {
	codec := &countingCodec{}
	v, err := socketio.DecoderOf[inside]()(socketio.ArgsOf([]byte(`{"a":1}`), nil, codec))
	if err != nil || v.A != 1 || codec.n != 1 {
		t.Errorf("%+v, %v, asked %d times", v, err, codec.n)
	}
}

type countingCodec struct{ n int }

func (c *countingCodec) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

func (c *countingCodec) Unmarshal(data []byte, v any) error {
	c.n++
	return json.Unmarshal(data, v)
}

func TestTypedCallsAllocateNoMoreThanEncodingJSON(t *testing.T) {
	text := []byte(chatEvent())
	var desk socketio.Desk
	socketio.On(&desk, "event", func(context.Context, *socketio.Socket, chatLine) error { return nil })
	a := socketio.ArgsOf(text, nil, nil)
	calls := testing.AllocsPerRun(100, func() { _, _ = desk.Run("event", a) })
	alone := testing.AllocsPerRun(100, func() {
		v := new(chatLine)
		_ = json.Unmarshal(text, v)
	})
	if calls > alone {
		t.Errorf("%v allocations, encoding/json %v", calls, alone)
	}
}

// FuzzPlan: whatever JSON comes, a handler is given what encoding/json makes of it.
func FuzzPlan(f *testing.F) {
	for _, text := range planTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Trim(text, " \t\r\n") // the list is split from it already
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return
		}
		likeJSONEach(t, text)
	})
}
