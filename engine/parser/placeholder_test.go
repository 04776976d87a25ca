package parser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

var placeholderTexts = []struct {
	in string
	n  int
	ok bool
}{
	{`["x"]`, 1, true},
	{`["x",{"_placeholder":true,"num":0}]`, 1, true},
	{`["x",{"_placeholder":true,"num":0}]`, 0, false},
	{`["x",{"_placeholder":true,"num":1}]`, 1, false},
	{`["x",{"_placeholder":true,"num":1},{"a":[{"_placeholder":true,"num":0}]}]`, 2, true},
	{`["x",{ "num" : 0 , "_placeholder" : true }]`, 1, true},
	{`["x",{"_placeholder":true,"num":0,"more":[{}]}]`, 1, true},
	// CVE-2022-2421: what Node used as an index as it came
	{`["x",{"_placeholder":true,"num":"splice"}]`, 10, false},
	{`["x",{"_placeholder":true,"num":"0"}]`, 10, false},
	{`["x",{"_placeholder":true,"num":-1}]`, 10, false},
	{`["x",{"_placeholder":true,"num":-0}]`, 10, false},
	{`["x",{"_placeholder":true,"num":1.5}]`, 10, false},
	{`["x",{"_placeholder":true,"num":1.0}]`, 10, false},
	{`["x",{"_placeholder":true,"num":1e0}]`, 10, false},
	{`["x",{"_placeholder":true,"num":10}]`, 10, false},
	{`["x",{"_placeholder":true,"num":1e9}]`, 10, false},
	{`["x",{"_placeholder":true,"num":99999999999999999999}]`, 10, false},
	{`["x",{"_placeholder":true,"num":null}]`, 10, false},
	{`["x",{"_placeholder":true,"num":[0]}]`, 10, false},
	{`["x",{"_placeholder":true,"num":{}}]`, 10, false},
	{`["x",{"_placeholder":true}]`, 10, false},
	{`["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, 10, false},
	// Not placeholders
	{`["x",{"_placeholder":false,"num":99}]`, 1, true},
	{`["x",{"_placeholder":"true","num":99}]`, 1, true},
	{`["x",{"_placeholder":1,"num":99}]`, 1, true},
	{`["x",{"_placeholder":[true],"num":99}]`, 1, true},
	{`["x","_placeholder",true,"num",99]`, 1, true},
	{`["x",{"__placeholder":true,"num":99}]`, 1, true},
	{`["x","{\"_placeholder\":true,\"num\":99}"]`, 1, true},
	// The last of repeated keys counts
	{`["x",{"_placeholder":true,"_placeholder":false,"num":99}]`, 1, true},
	{`["x",{"_placeholder":false,"_placeholder":true,"num":99}]`, 1, false},
	{`["x",{"_placeholder":true,"num":99,"num":0}]`, 1, true},
	{`["x",{"_placeholder":true,"num":0,"num":99}]`, 1, false},
	// Keys with escapes
	{`["x",{"\u005fplaceholder":true,"num":99}]`, 1, false},
	{`["x",{"\u005fplaceholder":true,"n\u0075m":0}]`, 1, true},
	{`["x",{"_placeholder":true,"num":0,"\u006e\u0075\u006d":99}]`, 1, false},
	{`["x",{"\u005f\u0070\u006c\u0061\u0063\u0065\u0068\u006f\u006c\u0064\u0065\u0072":true,"num":99}]`, 1, false},
	{`["x",{"_placeholder\u0000":true,"num":99}]`, 1, true},
	// Stricter than Node: values that no one reads are judged too
	{`["x",{"_placeholder":true,"num":0,"more":{"_placeholder":true,"num":99}}]`, 1, false},
	{`["x",{"a":{"_placeholder":true,"num":99},"a":1}]`, 1, false},
}

func TestCheckPlaceholdersRefusesWhatWasNotAnnounced(t *testing.T) {
	for _, c := range placeholderTexts {
		err := parser.CheckPlaceholders([]byte(c.in), c.n)
		if c.ok && err != nil || !c.ok && !errors.Is(err, parser.ErrIllegalAttachments) {
			t.Errorf("%s with %d: %v", c.in, c.n, err)
		}
	}
}

func TestCheckPlaceholdersGoesAsDeepAsThePacket(t *testing.T) {
	for _, level := range []string{`[]`, `{"a":}`} {
		nested := func(n int) []byte {
			return []byte(strings.Repeat(level[:len(level)-1], n) + `{"_placeholder":true,"num":7}` + strings.Repeat(level[len(level)-1:], n))
		}
		if err := parser.CheckPlaceholders(nested(parser.MaxDepth-1), 8); err != nil {
			t.Errorf("deepest: %v", err)
		}
		if err := parser.CheckPlaceholders(nested(parser.MaxDepth-1), 7); !errors.Is(err, parser.ErrIllegalAttachments) {
			t.Errorf("deepest and wrong: %v", err)
		}
		if err := parser.CheckPlaceholders(nested(1_000_000), 8); !errors.Is(err, parser.ErrDepth) {
			t.Errorf("too deep: %v", err)
		}
	}
}

func TestCheckPlaceholdersTakesAsManyAsThereCanBe(t *testing.T) {
	b := []byte("[")
	for n := range parser.MaxAttachments {
		b = append(parser.AppendPlaceholder(b, n), ',')
	}
	b[len(b)-1] = ']'
	if err := parser.CheckPlaceholders(b, parser.MaxAttachments); err != nil {
		t.Error(err)
	}
	over := parser.AppendPlaceholder(nil, parser.MaxAttachments)
	if err := parser.CheckPlaceholders(over, parser.MaxAttachments*2); !errors.Is(err, parser.ErrIllegalAttachments) {
		t.Error(err)
	}
}

func TestPlaceholderTellsTheIndex(t *testing.T) {
	for _, c := range []struct {
		in  string
		num int
		ok  bool
	}{
		{`{"_placeholder":true,"num":0}`, 0, true},
		{`{"_placeholder":true,"num":1023}`, 1023, true},
		{`{"num": 3, "_placeholder": true}`, 3, true},
		{`{"_placeholder":true,"num":3,"more":"}"}`, 3, true},
		{`{"\u005fplaceholder":true,"num":3}`, 3, true},
		{`{"_placeholder":true,"num":1,"num":2}`, 2, true},
		{`{"_placeholder":true,"num":1024}`, 0, false},
		{`{"_placeholder":true,"num":01}`, 0, false},
		{`{"_placeholder":true,"num":}`, 0, false},
		{`{"_placeholder":true,"num":-1}`, 0, false},
		{`{"_placeholder":false,"num":1}`, 0, false},
		{`{"a":{"_placeholder":true,"num":1}}`, 0, false},
		{`[{"_placeholder":true,"num":1}]`, 0, false},
		{`"_placeholder"`, 0, false}, {`{}`, 0, false}, {`1`, 0, false}, {``, 0, false}, {`{`, 0, false},
	} {
		if num, ok := parser.Placeholder([]byte(c.in)); num != c.num || ok != c.ok {
			t.Errorf("%s: %d, %v", c.in, num, ok)
		}
	}
}

func TestAppendInlinedPutsTheAttachmentsInTheirPlaces(t *testing.T) {
	atts := [][]byte{{1, 2, 3}, {}, []byte("hi")}
	for _, c := range []struct{ in, want string }{
		{`["x",1]`, `["x",1]`},
		{`["\n",1]`, `["\n",1]`},
		{`["x",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":2}} , {"num":1,"_placeholder":true}]`,
			`["x","AQID",{"a":"aGk="} , ""]`},
		{`{"_placeholder":true,"num":2}`, `"aGk="`},
		{`["x",{"a":{"_placeholder":true,"num":0},"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]`, `["x","","aGk="]`},
	} {
		got, err := parser.AppendInlined([]byte(">"), []byte(c.in), atts)
		if err != nil || string(got) != ">"+c.want {
			t.Errorf("%s: %s, %v", c.in, got, err)
		}
	}
	if got, err := parser.AppendInlined([]byte(">"), []byte(`{"_placeholder":true,"num":3}`), atts); err == nil || string(got) != ">" {
		t.Errorf("an attachment that is not there: %s, %v", got, err)
	}
	var v struct{ Data []byte }
	b, _ := parser.AppendInlined(nil, []byte(`{"data":{"_placeholder":true,"num":0}}`), atts)
	if err := json.Unmarshal(b, &v); err != nil || !bytes.Equal(v.Data, atts[0]) {
		t.Errorf("decoded as %v, %v", v.Data, err)
	}
}

func TestCheckPlaceholdersAllocatesNothing(t *testing.T) {
	b := []byte(`["bin",{"_placeholder":true,"num":0},{"a":{"\u005fplaceholder":true,"num":1}}]`)
	if n := testing.AllocsPerRun(100, func() { _ = parser.CheckPlaceholders(b, 2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// placeholdersOracle reads valid JSON with the standard library's tokens and judges it by the rules of CheckPlaceholders.
type placeholdersOracle struct {
	d    *json.Decoder
	n    int
	seen map[int]bool
	bad  bool
}

func newPlaceholdersOracle(b []byte, n int) *placeholdersOracle {
	o := &placeholdersOracle{d: json.NewDecoder(bytes.NewReader(b)), n: n, seen: map[int]bool{}}
	o.d.UseNumber()
	return o
}

// value reads one value and returns it if it is a scalar.
func (o *placeholdersOracle) value() json.Token {
	tok, _ := o.d.Token()
	switch tok {
	case json.Delim('['):
		for o.d.More() {
			o.value()
		}
	case json.Delim('{'):
		var mark, num json.Token
		for o.d.More() {
			key, _ := o.d.Token()
			v := o.value()
			switch key {
			case "_placeholder":
				mark = v
			case "num":
				num = v
			}
		}
		if mark == true {
			o.claim(num)
		}
	default:
		return tok
	}
	_, _ = o.d.Token() // the closing bracket
	return nil
}

func (o *placeholdersOracle) claim(num json.Token) {
	text, _ := num.(json.Number)
	v, err := strconv.ParseUint(text.String(), 10, 16)
	if err != nil || int(v) >= o.n || o.seen[int(v)] {
		o.bad = true
	}
	o.seen[int(v)] = true
}

func FuzzPlaceholders(f *testing.F) {
	for _, c := range placeholderTexts {
		f.Add([]byte(c.in), c.n)
	}
	for _, s := range jsonTexts {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = min(max(n, 0), parser.MaxAttachments)
		err := parser.CheckPlaceholders(b, n) // must not fail on anything
		_, _ = parser.Placeholder(b)
		if parser.Scan(b, parser.MaxDepth-1) != nil {
			return
		}
		o := newPlaceholdersOracle(b, n)
		if o.value(); o.bad != (err != nil) {
			t.Fatalf("%q with %d: %v, the oracle says %v", b, n, err, o.bad)
		}
		inlined, err := parser.AppendInlined(nil, b, make([][]byte, n))
		if (err != nil) != o.bad || err == nil && !json.Valid(inlined) {
			t.Fatalf("%q with %d: inlined %q, %v", b, n, inlined, err)
		}
		if err == nil && parser.CheckPlaceholders(inlined, 0) != nil {
			t.Fatalf("%q with %d: a placeholder is left in %q", b, n, inlined)
		}
	})
}

func BenchmarkCheckPlaceholders(b *testing.B) {
	for _, size := range []int{0, 1000} {
		data := []byte(`["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1},"text":"` + strings.Repeat("x", size) + `"}]`)
		b.Run(fmt.Sprintf("%dB", len(data)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if parser.CheckPlaceholders(data, 2) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}
