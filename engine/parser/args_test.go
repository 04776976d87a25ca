package parser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

func collect(a parser.Args) (elems []string) {
	for e, ok := a.Next(); ok; e, ok = a.Next() {
		elems = append(elems, string(e))
	}
	return elems
}

// sameElements compares what the iterator gives with what the standard library read.
func sameElements(t *testing.T, a parser.Args, want []json.RawMessage) {
	t.Helper()
	got := collect(a)
	if len(got) != len(want) {
		t.Fatalf("%d elements %q, want %d %q", len(got), got, len(want), want)
	}
	for i := range got {
		if got[i] != string(want[i]) {
			t.Fatalf("element %d: %q, want %q", i, got[i], want[i])
		}
	}
}

var arrays = []string{
	`[]`, `[ ]`, `[1]`, `[1,2,3]`, ` [ 1 , "a,b]" , [2,[3,"]"]] , {"k":"}","l":[{}]} , null ] `, `["\"","\\",""]`, `[[],[],{}]`,
	`[-1.5e3,true,false,null]`, `["x",{"_placeholder":true,"num":0}]`, `[[[[["deep"]]]],{"a":{"b":{"c":[1]}}}]`, `["\u005d\u007d"]`,
}

func TestArgsAreTheElements(t *testing.T) {
	for _, in := range arrays {
		var want []json.RawMessage
		if err := json.Unmarshal([]byte(in), &want); err != nil {
			t.Fatal(err)
		}
		sameElements(t, parser.NewArgs([]byte(in)), want)
		if n := parser.CountArgs([]byte(in)); n != len(want) {
			t.Errorf("%q: counted %d", in, n)
		}
	}
}

func TestArgsRestIsWhatHasNotBeenRead(t *testing.T) {
	a := parser.NewArgs([]byte(`["x",{"a":[1,2]},3]`))
	for _, want := range []string{`"x",{"a":[1,2]},3`, `{"a":[1,2]},3`, `3`, ``} {
		if got := string(a.Rest()); got != want {
			t.Fatalf("rest %q, want %q", got, want)
		}
		if list := parser.NewArgList(a.Rest()); len(want) > 0 {
			if first, ok := list.Next(); !ok || !bytes.HasPrefix([]byte(want), first) {
				t.Fatalf("first of %q is %q", want, first)
			}
		}
		a.Next()
	}
	if _, ok := a.Next(); ok {
		t.Error("an element behind the end")
	}
}

func TestArgsElementsCannotBeGrownIntoTheirNeighbours(t *testing.T) {
	in := []byte(`["x","y"]`)
	a := parser.NewArgs(in)
	e, _ := a.Next()
	_ = append(e, '!')
	if string(in) != `["x","y"]` {
		t.Errorf("overwritten: %s", in)
	}
}

func TestArgsStopsAtWhatIsNoArray(t *testing.T) {
	for _, in := range []string{``, `[`, `]`, `{}`, `"x"`, `1`, ` `, `[,]`, `[,1]`} {
		if got := collect(parser.NewArgs([]byte(in))); got != nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestEventNameIsTheFirstElement(t *testing.T) {
	for _, c := range []struct{ in, name, rest string }{
		{`["x"]`, `x`, ``},
		{`["chatMessage","hi",1]`, `chatMessage`, `"hi",1`},
		{`[ "x" , 1 ]`, `x`, ` 1 `},
		{`[""]`, ``, ``},
		{`[5,1]`, `5`, `1`},
		{`[-1.50]`, `-1.50`, ``},
		{`["a\"b\\\/\b\f\n\r\t"]`, "a\"b\\/\b\f\n\r\t", ``},
		{`["\u00e9\uD83D\ude00\u0041"]`, "é😀A", ``},
		{`["\ud800","\udc00"]`, "\uFFFD", `"\udc00"`},
		{`["\ud800\ud83d\ude00\ud800x"]`, "\uFFFD😀\uFFFDx", ``},
		{`["Zoë"]`, "Zoë", ``},
	} {
		name, rest, err := parser.EventName([]byte(c.in))
		if err != nil || string(name) != c.name || string(rest) != c.rest {
			t.Errorf("%s: %q, %q, %v", c.in, name, rest, err)
		}
	}
	for _, in := range []string{`[]`, `[null]`, `[[1]]`, `[{}]`, `[true]`, `{}`, ``, `["`, `["]`} {
		if name, _, err := parser.EventName([]byte(in)); !errors.Is(err, parser.ErrInvalidPayload) {
			t.Errorf("%s: %q, %v", in, name, err)
		}
	}
}

func TestReadingArgumentsAllocatesNothing(t *testing.T) {
	b := chatEvent(206)[1:]
	if n := testing.AllocsPerRun(100, func() {
		_, rest, _ := parser.EventName(b)
		a := parser.NewArgList(rest)
		for e, ok := a.Next(); ok; e, ok = a.Next() {
			_, _ = parser.Placeholder(e)
		}
		_ = parser.CountArgs(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzArgs(f *testing.F) {
	for _, s := range arrays {
		f.Add([]byte(s))
	}
	for _, s := range jsonTexts {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := parser.CountArgs(b) // must not fail on anything
		_, _, _ = parser.EventName(b)
		var want []json.RawMessage
		if json.Unmarshal(b, &want) != nil || want == nil {
			return
		}
		if n != len(want) {
			t.Fatalf("%q: counted %d of %d", b, n, len(want))
		}
		sameElements(t, parser.NewArgs(b), want)
	})
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{`a`, `\n`, `\u0041`, `\ud83d\ude00`, `\ud83d\u0041`, `\ud83d`, `\\u0041`, `\u004`, `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := parser.AppendUnescaped(nil, []byte(s)) // must not fail on anything
		if len(got) > len(s) {
			t.Fatalf("%q grew to %q", s, got)
		}
		var want string
		if json.Unmarshal([]byte(`"`+s+`"`), &want) == nil && !sameText(got, want) {
			t.Fatalf("%q: %q, want %q", s, got, want)
		}
	})
}

func BenchmarkEventName(b *testing.B) {
	for _, size := range []int{32, 206, 4096} {
		data := chatEvent(size)[1:]
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := parser.EventName(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkArgs(b *testing.B) {
	for _, size := range []int{32, 206, 4096} {
		data := chatEvent(size)[1:]
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if parser.CountArgs(data) != 2 {
					b.Fatal("miscounted")
				}
			}
		})
	}
}
