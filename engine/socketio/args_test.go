package socketio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func args(list string, attachments ...[]byte) socketio.Args {
	return socketio.ArgsOf([]byte(list), attachments, nil)
}

func TestArgsAreCountedAndReachable(t *testing.T) {
	for _, tt := range []struct {
		list string
		want []string
	}{
		{``, nil},
		{` `, nil},
		{`1`, []string{`1`}},
		{` "a,b" , [1,2] ,{"x":"}"}, null `, []string{`"a,b"`, `[1,2]`, `{"x":"}"}`, `null`}},
		{`"\"",true`, []string{`"\""`, `true`}},
	} {
		a := args(tt.list)
		if a.Len() != len(tt.want) {
			t.Errorf("%s: Len %d, want %d", tt.list, a.Len(), len(tt.want))
		}
		for i, want := range tt.want {
			if got := a.Raw(i); string(got) != want {
				t.Errorf("%s: Raw(%d) = %s", tt.list, i, got)
			}
		}
		if a.Raw(len(tt.want)) != nil || a.Raw(-1) != nil || a.At(len(tt.want)).Len() != 0 {
			t.Errorf("%s: something behind the end", tt.list)
		}
	}
}

func TestDecodeFillsInOrder(t *testing.T) {
	a := args(`"x", 7, {"A":[1,2]}, null, true`)
	var (
		s    string
		n    int
		v    struct{ A []int }
		p    *int
		b    bool
		rest socketio.Args
	)
	if err := a.Decode(&s, &n, &v, &p, &b); err != nil {
		t.Fatal(err)
	}
	if s != "x" || n != 7 || len(v.A) != 2 || p != nil || !b {
		t.Errorf("got %q %d %v %v %v", s, n, v, p, b)
	}
	if err := a.Decode(nil, &n, &rest); err != nil || rest.String() != `[ {"A":[1,2]}, null, true]` || rest.Len() != 3 {
		t.Errorf("rest %s, %v", rest, err)
	}
}

func TestDecodeLeavesTargetsWithoutArgumentsAlone(t *testing.T) {
	s, n, b := "old", 5, []byte("old")
	if err := args(`"new"`).Decode(&s, &n, &b); err != nil || s != "new" || n != 5 || string(b) != "old" {
		t.Errorf("%q %d %q %v", s, n, b, err)
	}
	if err := args(`1,2,3`).Decode(&n); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if err := args(``).Decode(); err != nil {
		t.Error(err)
	}
}

func TestDecodeSaysWhichArgumentIsWrong(t *testing.T) {
	var n, m int
	err := args(`1,"two"`).Decode(&n, &m)
	var wrong *socketio.ArgError
	var typed *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || !errors.As(err, &typed) {
		t.Fatalf("got %v", err)
	}
	if want := "socketio: argument 2: " + typed.Error(); err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	wrong.Event = "chat"
	if want := `socketio: event "chat": argument 2: ` + typed.Error(); wrong.Error() != want {
		t.Errorf("got %q, want %q", wrong, want)
	}
	for _, p := range []any{n, (*int)(nil), (*struct{ X int })(nil)} {
		if args(`1`).Decode(p) == nil {
			t.Errorf("decoded into %T %v", p, p)
		}
	}
}

type moved struct {
	socketio.Tuple
	Piece    string
	From, To int
	hidden   int
	Skipped  int `json:"-"`
}

type said struct {
	socketio.Tuple
	Room string
	Rest socketio.Args
}

func TestTuplesArePositional(t *testing.T) {
	var m moved
	if err := args(`"rook",1,8,"more"`).Decode(&m); err != nil || m != (moved{Piece: "rook", From: 1, To: 8}) {
		t.Errorf("got %+v, %v", m, err)
	}
	m = moved{}
	if err := args(`"rook"`).Decode(&m); err != nil || m != (moved{Piece: "rook"}) {
		t.Errorf("missing arguments: %+v, %v", m, err)
	}
	var before string
	var after int
	if err := args(`"x","rook",1,8,9`).Decode(&before, &m, &after); err != nil || before != "x" || m.To != 8 || after != 9 {
		t.Errorf("between others: %q %+v %d, %v", before, m, after, err)
	}
	if err := args(`"rook",true`).Decode(&m); err == nil || err.Error()[:20] != "socketio: argument 2" {
		t.Errorf("got %v", err)
	}
	for _, bad := range []any{
		struct {
			socketio.Tuple
			C chan int
		}{C: make(chan int)},
		said{Rest: args(placeholder(3), []byte("A"))},
	} {
		if out, _, err := socketio.AppendArgs(nil, nil, []any{bad}); err == nil || out != nil {
			t.Errorf("%T: sent %s", bad, out)
		}
	}
	out, _, err := socketio.AppendArgs(nil, nil, []any{0, moved{Piece: "king", From: 4, To: 5, hidden: 6, Skipped: 7}, 1})
	if err != nil || string(out) != `,0,"king",4,5,1` {
		t.Errorf("sent %s, %v", out, err)
	}
}

func TestATupleTakesTheRestAndGivesItBack(t *testing.T) {
	var s said
	in := `"lobby",1,{"_placeholder":true,"num":0}`
	if err := args(in, []byte("picture")).Decode(&s); err != nil || s.Room != "lobby" || s.Rest.Len() != 2 {
		t.Fatalf("got %+v, %v", s, err)
	}
	out, attachments, err := socketio.AppendArgs(nil, nil, []any{s})
	if err != nil || string(out) != ","+in || len(attachments) != 1 || string(attachments[0]) != "picture" {
		t.Errorf("sent %s %q, %v", out, attachments, err)
	}
}

func TestArgsAreRelayedWithTheirAttachments(t *testing.T) {
	ph := func(n int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, n) }
	A, B, C := []byte("A"), []byte("B"), []byte{}
	for _, tt := range []struct {
		name string
		emit []any
		want string
		with [][]byte
	}{
		{"nothing", []any{args(``)}, ``, nil},
		{"text", []any{args(`1 , "<x>" ,[ 2 ]`)}, `,1,"<x>",[ 2 ]`, nil},
		{"as it came", []any{args(ph(0)+`,{"a":`+ph(1)+`}`, A, B)}, `,` + ph(0) + `,{"a":` + ph(1) + `}`, [][]byte{A, B}},
		{"out of order", []any{args(ph(1)+`,`+ph(0), A, B)}, `,` + ph(0) + `,` + ph(1), [][]byte{B, A}},
		{"behind others", []any{C, args(`["x",`+ph(0)+`]`, A), "y", B}, `,` + ph(0) + `,["x",` + ph(1) + `],"y",` + ph(2), [][]byte{C, A, B}},
		{"twice", []any{args(ph(0), A), args(ph(0), B)}, `,` + ph(0) + `,` + ph(1), [][]byte{A, B}},
		{"one of many", []any{args(`1,`+ph(0)+`,`+ph(1), A, B).At(2)}, `,` + ph(0), [][]byte{B}},
		{"spelled otherwise", []any{args(`{ "num" : 0, "\u005fplaceholder":true }`, A)}, `,` + ph(0), [][]byte{A}},
		{"unused attachment", []any{args(`1`, A)}, `,1`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, attachments, err := socketio.AppendArgs([]byte{}, nil, tt.emit)
			if err != nil || string(out) != tt.want || !reflect.DeepEqual(attachments, tt.with) {
				t.Errorf("got %s %q, %v\nwant %s %q", out, attachments, err, tt.want, tt.with)
			}
		})
	}
}

func TestRelayedArgsCannotShareAnAttachment(t *testing.T) {
	twice := `{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}`
	for _, list := range []string{twice, `[` + twice + `]`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":"splice"}`} {
		if _, _, err := socketio.AppendArgs(nil, nil, []any{args(list, []byte("A"))}); !errors.Is(err, socketio.ErrAttachment) {
			t.Errorf("%s: %v", list, err)
		}
	}
}

func TestClonedArgsOutliveThePacket(t *testing.T) {
	packet := []byte(`"x",{"_placeholder":true,"num":0}`)
	a := socketio.ArgsOf(packet, [][]byte{[]byte("picture")}, nil)
	c := a.Clone()
	clear(packet)
	var s string
	var b []byte
	if err := c.Decode(&s, &b); err != nil || s != "x" || string(b) != "picture" {
		t.Errorf("%q %q %v", s, b, err)
	}
}

func TestArgsInsideOfAValueAreAnArray(t *testing.T) {
	type logged struct{ Args socketio.Args }
	out, _, err := socketio.AppendArgs(nil, nil, []any{logged{args(`1, "a"`)}, logged{}})
	if err != nil || string(out) != `,{"Args":[1,"a"]},{"Args":[]}` {
		t.Errorf("got %s, %v", out, err)
	}
	if _, _, err := socketio.AppendArgs(nil, nil, []any{logged{args(`1`, []byte{1})}}); !errors.Is(err, socketio.ErrRawBinary) {
		t.Errorf("got %v", err)
	}
}
