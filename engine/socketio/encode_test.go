package socketio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// placeholder is what stands for attachment n on the wire.
func placeholder(n int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, n) }

func TestArgumentsWithoutBinary(t *testing.T) {
	for _, tt := range []struct {
		args []any
		want string
	}{
		{nil, ``},
		{[]any{"a\"\\\n<é>\u2028"}, ",\"a\\\"\\\\\\n<é>\u2028\""},
		{[]any{nil, true, false, -7, int64(1) << 60, uint8(3), 1.5}, `,null,true,false,-7,1152921504606846976,3,1.5`},
		{[]any{struct{}{}, socketio.Tuple{}, 1}, `,1`},
		{[]any{map[string]any{"b": []any{1, "x", nil}, "a": map[int]bool{2: true, 1: false}}}, `,{"a":{"1":false,"2":true},"b":[1,"x",null]}`},
		{[]any{[3]byte{1, 2, 3}, []int(nil), []byte(nil), socketio.Binary(nil)}, `,[1,2,3],null,null,null`},
		{[]any{json.RawMessage(`{"x" : 1}`), struct{ R json.RawMessage }{json.RawMessage(`{"x" : 1}`)}}, `,{"x" : 1},{"R":{"x":1}}`},
		{[]any{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Second}, `,"2026-01-02T03:04:05Z",1000000000`},
		{[]any{map[string]any{"_placeholder": true, "num": 0}}, `,{"_placeholder":true,"num":0}`},
	} {
		out, attachments, err := socketio.AppendArgs([]byte("["), nil, tt.args)
		if err != nil || string(out) != "["+tt.want || attachments != nil {
			t.Errorf("%v: got %s %q, %v; want %s", tt.args, out, attachments, err, tt.want)
		}
	}
}

type (
	blob  []byte
	octet uint8
	inner struct {
		Data []byte `json:"data"`
	}
	Outer struct {
		Name string
		inner
	}
	byPointer struct {
		*inner
		N int
	}
	tagged struct {
		Empty   []byte `json:"empty,omitempty"`
		Full    []byte `json:"full,omitempty"`
		Zero    []byte `json:"zero,omitzero"`
		Blank   shy    `json:"blank,omitzero"`
		Off     []byte `json:"-"`
		Dash    []byte `json:"-,"` //nolint:staticcheck // SA5008 takes a field named "-" for a mistake; here it is the case to test
		hidden  []byte
		Count   int             `json:"count,string"`
		Message json.RawMessage `json:"message"`
	}
	shy    []byte
	self   struct{ b []byte }
	shadow struct {
		Data []byte `json:"data"` // wins over that of inner
		inner
	}
	node struct {
		Data []byte
		Next *node
		Any  any
	}
)

func (s shy) IsZero() bool { return len(s) == 0 }

func (s self) MarshalJSON() ([]byte, error) { return json.Marshal(map[string][]byte{"self": s.b}) }

func TestBinaryIsFoundWhereverItStands(t *testing.T) {
	A, B, C := []byte("A"), []byte("B"), []byte("C")
	p0, p1, p2 := placeholder(0), placeholder(1), placeholder(2)
	var null *inner
	for _, tt := range []struct {
		name string
		args []any
		want string
		with [][]byte
	}{
		{"arguments", []any{A, 1, socketio.Binary(B)}, `,` + p0 + `,1,` + p1, [][]byte{A, B}},
		{"empty", []any{[]byte{}, map[string][]byte{"x": {}}}, `,` + p0 + `,{"x":` + p1 + `}`, [][]byte{{}, {}}},
		{"struct", []any{inner{A}}, `,{"data":` + p0 + `}`, [][]byte{A}},
		{"pointer", []any{&inner{A}, null}, `,{"data":` + p0 + `},null`, [][]byte{A}},
		{"slice", []any{[][]byte{A, nil, B}}, `,[` + p0 + `,null,` + p1 + `]`, [][]byte{A, B}},
		{"array", []any{[2]any{A, 1}}, `,[` + p0 + `,1]`, [][]byte{A}},
		{"map in order of keys", []any{map[string]any{"z": A, "a": B, "m": []any{C}}}, `,{"a":` + p0 + `,"m":[` + p1 + `],"z":` + p2 + `}`, [][]byte{B, C, A}},
		{"depth first", []any{[]any{[]any{A}, B}, C}, `,[[` + p0 + `],` + p1 + `],` + p2, [][]byte{A, B, C}},
		{"embedded", []any{Outer{"n", inner{A}}}, `,{"Name":"n","data":` + p0 + `}`, [][]byte{A}},
		{"embedded pointer", []any{byPointer{&inner{A}, 2}, &byPointer{N: 3}}, `,{"data":` + p0 + `,"N":2},{"N":3}`, [][]byte{A}},
		{"embedded in a map", []any{map[int]Outer{1: {"n", inner{A}}}}, `,{"1":{"Name":"n","data":` + p0 + `}}`, [][]byte{A}},
		{"shadowed", []any{shadow{A, inner{B}}}, `,{"data":` + p0 + `}`, [][]byte{A}},
		{"named types", []any{blob(A), []octet("B"), []blob{C}}, `,` + p0 + `,` + p1 + `,[` + p2 + `]`, [][]byte{A, B, C}},
		{"recursive type", []any{node{A, &node{B, nil, C}, nil}}, `,{"Data":` + p0 + `,"Next":{"Data":` + p1 + `,"Next":null,"Any":` + p2 + `},"Any":null}`, [][]byte{A, B, C}},
		{"encodes itself", []any{self{A}, []any{self{B}}}, `,{"self":"QQ=="},[{"self":"Qg=="}]`, nil},
		{"twice the same", []any{[][]byte{A, A}}, `,[` + p0 + `,` + p1 + `]`, [][]byte{A, A}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, attachments, err := socketio.AppendArgs([]byte{}, nil, tt.args)
			if err != nil || string(out) != tt.want || !reflect.DeepEqual(attachments, tt.with) {
				t.Errorf("got  %s %q, %v\nwant %s %q", out, attachments, err, tt.want, tt.with)
			}
		})
	}
}

func TestTagsAreThoseOfEncodingJSON(t *testing.T) {
	v := tagged{
		Empty: []byte{}, Full: []byte("f"), Zero: []byte{}, Blank: shy{}, Off: []byte("off"), Dash: []byte("d"),
		hidden: []byte("h"), Count: 5, Message: json.RawMessage(`[1]`),
	}
	out, attachments, err := socketio.AppendArgs(nil, nil, []any{v})
	want := `,{"full":` + placeholder(0) + `,"zero":` + placeholder(1) + `,"-":` + placeholder(2) + `,"count":"5","message":[1]}`
	if err != nil || string(out) != want || len(attachments) != 3 {
		t.Errorf("got  %s %q, %v\nwant %s", out, attachments, err, want)
	}
}

func TestEncodingLeavesTheValueAlone(t *testing.T) {
	build := func() []any {
		return []any{
			&node{[]byte("A"), &node{Any: map[string]any{"x": []byte("B"), "y": []any{[]byte("C"), 1}}}, [2][]byte{{1}, {2}}},
			byPointer{&inner{[]byte("D")}, 1},
			map[string]*inner{"k": {[]byte("E")}},
		}
	}
	v := build()
	if _, attachments, err := socketio.AppendArgs(nil, nil, v); err != nil || len(attachments) != 7 {
		t.Fatalf("%d attachments, %v", len(attachments), err)
	}
	if !reflect.DeepEqual(v, build()) {
		t.Errorf("changed into %+v", v)
	}
}

func TestAttachmentsAreTheCallersSlices(t *testing.T) {
	b := []byte("bytes")
	_, attachments, err := socketio.AppendArgs(nil, nil, []any{b, inner{b}})
	if err != nil || &attachments[0][0] != &b[0] || &attachments[1][0] != &b[0] {
		t.Errorf("copied, or %v", err)
	}
}

func TestValuesThatContainThemselvesAreAnError(t *testing.T) {
	ring := &node{Data: []byte("A")}
	ring.Next = ring
	fork := &node{}
	fork.Next, fork.Any = fork, fork
	list := []any{nil}
	list[0] = list
	table := map[string]any{}
	table["x"] = table
	for _, v := range []any{ring, fork, list, table} {
		if _, _, err := socketio.AppendArgs(nil, nil, []any{v}); !errors.Is(err, socketio.ErrCycle) {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestLookAlikesAreRefusedBesideAttachments(t *testing.T) {
	fake := func(n any) map[string]any { return map[string]any{"_placeholder": true, "num": n} }
	around := fake(0)
	around["data"] = []byte("A")
	text := args(placeholder(0)) // no attachments: the client sent this object as text
	for _, list := range [][]any{
		{[]byte("A"), fake(0)},
		{fake(0), []byte("A")},
		{[]any{fake(1)}, []byte("A")},
		{fake("x"), inner{[]byte("A")}},
		{around},
		{text, []byte("A")},
		{args(placeholder(0), []byte("A")), text},
	} {
		if _, _, err := socketio.AppendArgs(nil, nil, list); !errors.Is(err, socketio.ErrPlaceholder) {
			t.Errorf("%v: %v", list, err)
		}
	}
	for _, list := range [][]any{
		{[]byte("A"), map[string]any{"_placeholder": "true", "num": 0}},
		{[]byte("A"), `{"_placeholder":true,"num":0}`},
		{text, fake(5)},
	} {
		if _, _, err := socketio.AppendArgs(nil, nil, list); err != nil {
			t.Errorf("%v: %v", list, err)
		}
	}
}

func TestThousandsOfAttachmentsAreRefused(t *testing.T) {
	many := make([][]byte, 2000)
	list := make([]any, len(many))
	for i := range many {
		many[i] = []byte{byte(i)}
		list[i] = many[i]
	}
	for _, v := range [][]any{{many}, list} {
		if _, _, err := socketio.AppendArgs(nil, nil, v); !errors.Is(err, socketio.ErrTooManyAttachments) {
			t.Errorf("got %v", err)
		}
	}
	out, attachments, err := socketio.AppendArgs(nil, nil, []any{many[:1024]})
	if err != nil || len(attachments) != 1024 || !strings.HasSuffix(string(out), placeholder(1023)+"]") {
		t.Errorf("1024: %d, %v", len(attachments), err)
	}
	for i, a := range attachments {
		if a[0] != byte(i) {
			t.Fatalf("attachment %d is number %d", i, a[0])
		}
	}
}

func TestTokenLookAlikesInTextStayText(t *testing.T) {
	text := socketio.TokenLike()
	out, attachments, err := socketio.AppendArgs(nil, nil, []any{map[string]any{"t": text, "b": []byte("A")}})
	if err != nil || string(out) != `,{"b":`+placeholder(0)+`,"t":"`+text+`"}` || len(attachments) != 1 {
		t.Errorf("got %s %q, %v", out, attachments, err)
	}
}

func TestEncodingUsualArgumentsAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1024)
	relayed := args(`"x",{"y":[1,2]}`)
	for _, list := range [][]any{{"a chat message"}, {1, true, nil, int64(5)}, {socketio.Raw(`{"x":1}`)}, {relayed}} {
		got := testing.AllocsPerRun(100, func() {
			if _, _, err := socketio.AppendArgs(dst, nil, list); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%v: %v allocations", list, got)
		}
	}
	picture := []any{make([]byte, 100)}
	if got := testing.AllocsPerRun(100, func() { _, _, _ = socketio.AppendArgs(dst, nil, picture) }); got != 1 {
		t.Errorf("binary: %v allocations, want 1 for the list of attachments", got)
	}
}

type chatLine struct {
	Room string    `json:"room"`
	User string    `json:"user"`
	Text string    `json:"text"`
	Seq  int       `json:"seq"`
	Tags []string  `json:"tags"`
	At   time.Time `json:"at"`
}

func BenchmarkAppendArgs(b *testing.B) {
	line := chatLine{"lobby", "ada", strings.Repeat("m", 100), 7, []string{"a", "b"}, time.Unix(1e9, 0).UTC()}
	type picture struct {
		Name string
		Data []byte
	}
	for _, size := range []int{16, 125, 1 << 10, 64 << 10} {
		text, data := strings.Repeat("x", size), make([]byte, size)
		for _, bm := range []struct {
			name string
			arg  any
		}{
			{"string", text},
			{"binary", data},
			{"binaryInStruct", picture{"a.png", data}},
			{"binaryInMap", map[string]any{"name": "a.png", "data": data}},
		} {
			b.Run(fmt.Sprintf("%s/%d", bm.name, size), func(b *testing.B) {
				benchmarkAppend(b, size, bm.arg)
			})
		}
	}
	b.Run("struct", func(b *testing.B) { benchmarkAppend(b, 200, line) })
	b.Run("structAlone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(line); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("relay", func(b *testing.B) { benchmarkAppend(b, 0, args(`{"x":`+placeholder(0)+`}`, []byte("A"))) })
}

func benchmarkAppend(b *testing.B, size int, arg any) {
	b.ReportAllocs()
	b.SetBytes(int64(size))
	dst, list := make([]byte, 0, 128<<10), []any{arg}
	for b.Loop() {
		if _, _, err := socketio.AppendArgs(dst, nil, list); err != nil {
			b.Fatal(err)
		}
	}
}

type move struct {
	socketio.Tuple
	Piece    string
	From, To int
	Rest     socketio.Args
}

func TestPointersToTuplesAreTuples(t *testing.T) {
	t.Parallel()
	m := move{Piece: "rook", From: 1, To: 8}
	for name, arg := range map[string]any{"value": m, "pointer": &m} {
		out, _, err := socketio.AppendArgs(nil, nil, []any{arg, true})
		if got := string(out); err != nil || got != `,"rook",1,8,true` {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if out, _, err := socketio.AppendArgs(nil, nil, []any{(*move)(nil)}); err != nil || string(out) != ",null" {
		t.Errorf("nil: %s, %v", out, err)
	}
	args := socketio.ArgsOf([]byte(`"rook",1,8,true`), nil, nil)
	got, err := socketio.DecoderOf[*move]()(args)
	if err != nil || got == nil || got.Piece != m.Piece || got.From != 1 || got.To != 8 || got.Rest.String() != "[true]" {
		t.Errorf("decoded %+v, %v", got, err)
	}
	var p *move
	var after bool
	args = socketio.ArgsOf([]byte(`"rook",1,8`), nil, nil)
	if err := args.Decode(&p, &after); err != nil || p == nil || p.To != 8 {
		t.Errorf("Decode: %+v, %v", p, err)
	}
}

// encoding/json asks no IsZero of what is in an interface.
func TestOmitZeroOfAnInterface(t *testing.T) {
	t.Parallel()
	type holder struct {
		V any `json:"v,omitzero"`
	}
	for _, v := range []any{nil, (*time.Time)(nil), time.Time{}, &time.Time{}, shy{}, shy("x"), 0, (*inner)(nil), &inner{}} {
		want, err := json.Marshal(holder{v})
		if err != nil {
			t.Fatal(err)
		}
		out, attachments, err := socketio.AppendArgs(nil, nil, []any{holder{v}})
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		if len(attachments) == 0 && string(out[1:]) != string(want) {
			t.Errorf("%T: %s, encoding/json has %s", v, out[1:], want)
		}
	}
}
