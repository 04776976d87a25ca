package parser_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

func TestMembers(t *testing.T) {
	for object, want := range map[string]string{
		`{}`:                                 "",
		` { "a" : 1 , "b" : [ 1,{"x":2}] } `: `a=1;b=[ 1,{"x":2}];`,
		`{"a\"b":"x,y","\u0061":null}`:       `a"b="x,y";a=null;`,
		`[1]`:                                "",
		``:                                   "",
		`{"a":`:                              "",
		`{"a":1 "b":2}`:                      `a=1;`,
	} {
		var got strings.Builder
		m := parser.NewMembers([]byte(object))
		for k, v, ok := m.Next(); ok; k, v, ok = m.Next() {
			fmt.Fprintf(&got, "%s=%s;", k, v)
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", object, got.String(), want)
		}
	}
}

func TestCheckEvent(t *testing.T) {
	for array, n := range map[string]int{`["a"]`: 0, `[1,{"_placeholder":true,"num":1}] `: 2} {
		if err := parser.CheckEvent([]byte(array), n, nil); err != nil {
			t.Errorf("%s: %v", array, err)
		}
	}
	for _, array := range []string{"", "{}", "[]", `[null]`, `["connect"]`, `["a"`, "[\"\xff\"]", `["a"]["b"]`} {
		if err := parser.CheckEvent([]byte(array), 0, nil); err == nil {
			t.Errorf("%s was taken", array)
		}
	}
	if err := parser.CheckEvent([]byte(`["a",{"_placeholder":true,"num":1}]`), 1, nil); err == nil {
		t.Error("an attachment that is not there was taken")
	}
}

func TestRenumbered(t *testing.T) {
	three := [][]byte{{0}, {1}, {2}}
	out, used, err := parser.AppendRenumbered([]byte("x"), []byte(`[{"_placeholder":true,"num":2},{ "num":1, "_placeholder":true}]`), three)
	want := `x[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`
	if err != nil || string(out) != want || len(used) != 2 || !slices.Equal(used[0], three[2]) || !slices.Equal(used[1], three[1]) {
		t.Errorf("%s, %v, %v", out, used, err)
	}
	if out, used, err := parser.AppendRenumbered(nil, []byte(`"\u005f"`), three); err != nil || string(out) != `"\u005f"` || used != nil {
		t.Errorf("%s, %v, %v", out, used, err)
	}
	if _, _, err := parser.AppendRenumbered(nil, []byte(`[{"_placeholder":true,"num":3}]`), three); err == nil {
		t.Error("an attachment that is not there was found")
	}
}
