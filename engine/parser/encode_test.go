package parser_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/parser"
)

func TestAppendHeaderWritesNodesHeaders(t *testing.T) {
	for _, c := range []struct {
		t     parser.Type
		count int
		nsp   string
		id    uint64
		hasID bool
		want  string
	}{
		{parser.Connect, 0, "/", 0, false, `0`},
		{parser.Connect, 0, "", 0, false, `0`},
		{parser.Connect, 0, "/admin", 0, false, `0/admin,`},
		{parser.Disconnect, 0, "/admin", 0, false, `1/admin,`},
		{parser.Event, 0, "/", 0, true, `20`},
		{parser.Event, 3, "/", 0, false, `2`},
		{parser.Ack, 0, "/admin", 12, true, `3/admin,12`},
		{parser.ConnectError, 0, "/nope", 0, false, `4/nope,`},
		{parser.BinaryEvent, 2, "/", 0, false, `52-`},
		{parser.BinaryAck, 1, "/a", 7, true, `61-/a,7`},
	} {
		if got := string(parser.AppendHeader([]byte(">"), c.t, c.count, c.nsp, c.id, c.hasID)); got != ">"+c.want {
			t.Errorf("%v: %s, want %s", c.t, got, c.want)
		}
	}
}

func TestAppendEventAndAckChooseTheBinaryTypeByTheAttachments(t *testing.T) {
	array := []byte(`["x",1]`)
	for _, c := range []struct{ got, want string }{
		{string(parser.AppendEvent(nil, "/", 0, false, 0, array)), `2["x",1]`},
		{string(parser.AppendEvent(nil, "/admin", 3, true, 0, array)), `2/admin,3["x",1]`},
		{string(parser.AppendEvent(nil, "/", 0, false, 2, array)), `52-["x",1]`},
		{string(parser.AppendAck(nil, "/", 3, 0, array)), `33["x",1]`},
		{string(parser.AppendAck(nil, "/admin", 3, 1, array)), `61-/admin,3["x",1]`},
		{string(parser.AppendPlaceholder(nil, 12)), `{"_placeholder":true,"num":12}`},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

func TestAppendStringEscapesAsJavaScriptDoes(t *testing.T) {
	for in, want := range map[string]string{
		``:                   `""`,
		`chatMessage`:        `"chatMessage"`,
		`a"b\c/d`:            `"a\"b\\c/d"`,
		"\b\t\n\f\r\x00\x1f": `"\b\t\n\f\r\u0000\u001f"`,
		"\x7f<>&'":           "\"\x7f<>&'\"",
		"\u2028\u2029é😀":     "\"\u2028\u2029é😀\"",
		"a\xffb\xc3":         "\"a\uFFFDb\uFFFD\"",
		"\xed\xa0\x80":       "\"\uFFFD\uFFFD\uFFFD\"",
		"\uFFFD":             "\"\uFFFD\"",
	} {
		if got := string(parser.AppendString(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestEncodingAllocatesNothingIntoABufferLargeEnough(t *testing.T) {
	dst, array := make([]byte, 0, 256), []byte(`["x",1]`)
	if n := testing.AllocsPerRun(100, func() {
		_ = parser.AppendEvent(dst, "/admin", 12, true, 1, array)
		_ = parser.AppendAck(dst, "/admin", 12, 0, array)
		_ = parser.AppendPlaceholder(dst, 1)
		_ = parser.AppendString(dst, "tab\there")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTypesHaveNodesNames(t *testing.T) {
	var names []string
	for p := parser.Connect; p <= parser.BinaryAck+1; p++ {
		names = append(names, p.String())
	}
	const want = "CONNECT DISCONNECT EVENT ACK CONNECT_ERROR BINARY_EVENT BINARY_ACK unknown"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s", got)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\x00\x1f\x7f", "é\u2028😀", "\xff\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := parser.AppendString(nil, s)
		if !utf8.Valid(b) || parser.Scan(b, 1) != nil {
			t.Fatalf("%q: %q is not JSON", s, b)
		}
		var again string
		if err := json.Unmarshal(b, &again); err != nil || again != string([]rune(s)) {
			t.Fatalf("%q became %q, %v", s, again, err)
		}
		name, _, err := parser.EventName([]byte("[" + string(b) + "]"))
		if err != nil || string(name) != again {
			t.Fatalf("%q: read as %q, %v", s, name, err)
		}
	})
}

func BenchmarkAppendString(b *testing.B) {
	for name, s := range map[string]string{"ascii": strings.Repeat("lorem ip", 16), "unicode": strings.Repeat("Zoë 😀", 16)} {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, 512)
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				_ = parser.AppendString(dst, s)
			}
		})
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	for _, size := range []int{32, 125, 1024, 65536} {
		array := chatEvent(size)[1:]
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			dst := make([]byte, 0, size+32)
			b.SetBytes(int64(len(array)))
			b.ReportAllocs()
			for b.Loop() {
				_ = parser.AppendEvent(dst, "/", 7, true, 0, array)
			}
		})
	}
}
