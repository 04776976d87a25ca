package parser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// chatEvent returns an event packet of exactly size bytes (at least 32), as a chat sends them.
func chatEvent(size int) []byte {
	head, tail := `2["chatMessage","`, `"]`
	if size >= 128 {
		head = `2["chatMessage",{"room":"lobby","seq":184467,"from":{"id":"u-4711","name":"Zoë"},"mentions":["u-1","u-2"],"text":"`
		tail = `","at":1764000000123}]`
	}
	fill := bytes.Repeat([]byte("lorem ipsum dolor sit amet, "), size/28+1)
	b := append([]byte(head), fill[:size-len(head)-len(tail)]...)
	return append(b, tail...)
}

// accepted are packets that Decode must take apart so.
var accepted = []struct {
	in        string
	want      parser.Type
	nsp       string
	id        int64 // -1: none
	count     int
	data      string
	canonical bool // what AppendHeader makes of it is in
}{
	// CONNECT (fact 41, 43)
	{`0`, parser.Connect, "/", -1, 0, ``, true},
	{`0{}`, parser.Connect, "/", -1, 0, `{}`, true},
	{`0{"token":"x"}`, parser.Connect, "/", -1, 0, `{"token":"x"}`, true},
	{`0/,`, parser.Connect, "/", -1, 0, ``, false},
	{`0/admin`, parser.Connect, "/admin", -1, 0, ``, false},
	{`0/admin,`, parser.Connect, "/admin", -1, 0, ``, true},
	{`0/admin,{"a":[1,2]}`, parser.Connect, "/admin", -1, 0, `{"a":[1,2]}`, true},
	{`0/admin?x=1,`, parser.Connect, "/admin?x=1", -1, 0, ``, true},
	{`0/ädmin,{}`, parser.Connect, "/ädmin", -1, 0, `{}`, true},
	{`0{"a":1} ` + "\n", parser.Connect, "/", -1, 0, `{"a":1}`, false},
	// DISCONNECT (fact 49)
	{`1`, parser.Disconnect, "/", -1, 0, ``, true},
	{`1/admin,`, parser.Disconnect, "/admin", -1, 0, ``, true},
	// EVENT (fact 50, 55)
	{`2["hello"]`, parser.Event, "/", -1, 0, `["hello"]`, true},
	{`2[ "hello" , 1 ]`, parser.Event, "/", -1, 0, `[ "hello" , 1 ]`, true},
	{`2["hello",1,{"a":null}]`, parser.Event, "/", -1, 0, `["hello",1,{"a":null}]`, true},
	{`2[""]`, parser.Event, "/", -1, 0, `[""]`, true},
	{`2[5,1]`, parser.Event, "/", -1, 0, `[5,1]`, true},
	{`2[-1.5e3]`, parser.Event, "/", -1, 0, `[-1.5e3]`, true},
	{`20["x"]`, parser.Event, "/", 0, 0, `["x"]`, true},
	{`2/admin,12["x"]`, parser.Event, "/admin", 12, 0, `["x"]`, true},
	{`29007199254740992["x"]`, parser.Event, "/", 1 << 53, 0, `["x"]`, true},
	{`2007["x"]`, parser.Event, "/", 7, 0, `["x"]`, false},
	{`2["error"]`, parser.Event, "/", -1, 0, `["error"]`, true},
	{`2["__proto__",{"constructor":1}]`, parser.Event, "/", -1, 0, `["__proto__",{"constructor":1}]`, true},
	{`2["Connect"]`, parser.Event, "/", -1, 0, `["Connect"]`, true},
	{`2["x",{"_placeholder":true,"num":9}]`, parser.Event, "/", -1, 0, `["x",{"_placeholder":true,"num":9}]`, true},
	// ACK
	{`312[]`, parser.Ack, "/", 12, 0, `[]`, true},
	{`3/admin,12[1,"connect"]`, parser.Ack, "/admin", 12, 0, `[1,"connect"]`, true},
	// CONNECT_ERROR
	{`4`, parser.ConnectError, "/", -1, 0, ``, true},
	{`4/nope,{"message":"Invalid namespace"}`, parser.ConnectError, "/nope", -1, 0, `{"message":"Invalid namespace"}`, true},
	{`4"old"`, parser.ConnectError, "/", -1, 0, `"old"`, true},
	// BINARY_EVENT, BINARY_ACK (fact 51)
	{`52-["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`, parser.BinaryEvent, "/", -1, 2,
		`["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`, true},
	{`52-["bin",{"_placeholder":true,"num":1},{"num":0,"_placeholder":true}]`, parser.BinaryEvent, "/", -1, 2,
		`["bin",{"_placeholder":true,"num":1},{"num":0,"_placeholder":true}]`, true},
	{`51-/admin,7["x",1]`, parser.BinaryEvent, "/admin", 7, 1, `["x",1]`, true},
	{`510-["x"]`, parser.BinaryEvent, "/", -1, 10, `["x"]`, true},
	{`61-7[{"_placeholder":true,"num":0}]`, parser.BinaryAck, "/", 7, 1, `[{"_placeholder":true,"num":0}]`, true},
}

func TestDecodeTakesPacketsApart(t *testing.T) {
	for _, c := range accepted {
		p, err := parser.Decode([]byte(c.in), nil)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		id := int64(p.ID)
		if !p.HasID {
			id = -1
		}
		if p.Type != c.want || string(p.Namespace) != c.nsp || id != c.id || p.Attachments != c.count || string(p.Data) != c.data {
			t.Errorf("%q: %v %q id %d, %d attachments, %q", c.in, p.Type, p.Namespace, id, p.Attachments, p.Data)
		}
		if (p.Data == nil) != (c.data == "") {
			t.Errorf("%q: data nil is %v", c.in, p.Data == nil)
		}
		if again := string(encode(p)); c.canonical && again != c.in {
			t.Errorf("%q: encoded again %q", c.in, again)
		}
	}
}

// encode writes p as a server would.
func encode(p parser.Packet) []byte {
	b := parser.AppendHeader(nil, p.Type, p.Attachments, string(p.Namespace), p.ID, p.HasID)
	return append(b, p.Data...)
}

// refused are packets that end a connection.
var refused = []struct {
	in   string
	want error
}{
	{``, parser.ErrEmpty},
	{` `, parser.ErrUnknownType}, {`7`, parser.ErrUnknownType}, {`9["x"]`, parser.ErrUnknownType}, {`x`, parser.ErrUnknownType},
	{`["x"]`, parser.ErrUnknownType}, {"\x00", parser.ErrUnknownType}, {"\xff", parser.ErrUnknownType},
	// Shape by type (fact 42, 49, 55; CVE-2023-32695)
	{`0[1]`, parser.ErrInvalidPayload}, {`0"x"`, parser.ErrInvalidPayload}, {`0null`, parser.ErrInvalidPayload},
	{"0\x00", parser.ErrInvalidPayload}, {"0 ", parser.ErrInvalidPayload}, {`0,`, parser.ErrInvalidPayload},
	{`1{}`, parser.ErrInvalidPayload}, {`1[]`, parser.ErrInvalidPayload}, {`1/admin,{}`, parser.ErrInvalidPayload}, {`1 `, parser.ErrInvalidPayload},
	{`2[]`, parser.ErrInvalidPayload}, {`2[ ]`, parser.ErrInvalidPayload}, {`2{"a":1}`, parser.ErrInvalidPayload}, {`2{}`, parser.ErrInvalidPayload},
	{`2"x"`, parser.ErrInvalidPayload}, {`2null`, parser.ErrInvalidPayload}, {`2 ["x"]`, parser.ErrInvalidPayload}, {`2-1["x"]`, parser.ErrInvalidPayload},
	{`2[null]`, parser.ErrInvalidPayload}, {`2[true]`, parser.ErrInvalidPayload}, {`2[["a"]]`, parser.ErrInvalidPayload},
	{`2[{"toString":"foo"}]`, parser.ErrInvalidPayload},
	{`3["x"]`, parser.ErrInvalidPayload}, {`312`, parser.ErrInvalidPayload}, {`312{}`, parser.ErrInvalidPayload},
	{`4[1]`, parser.ErrInvalidPayload},
	{`51-`, parser.ErrInvalidPayload}, {`51-{}`, parser.ErrInvalidPayload}, {`51-[]`, parser.ErrInvalidPayload}, {`51-[null]`, parser.ErrInvalidPayload},
	{`61-["x"]`, parser.ErrInvalidPayload}, {`61-7`, parser.ErrInvalidPayload},
	// Reserved names, however they are spelled
	{`2["connect"]`, parser.ErrReserved}, {`2["connect_error"]`, parser.ErrReserved}, {`2["disconnect"]`, parser.ErrReserved},
	{`2["disconnecting"]`, parser.ErrReserved}, {`2["newListener"]`, parser.ErrReserved}, {`2["removeListener"]`, parser.ErrReserved},
	{`2/admin,7[ "disconnect" ,1]`, parser.ErrReserved}, {`51-["connect"]`, parser.ErrReserved}, {`2["\u0063onnect"]`, parser.ErrReserved},
	{`2["\u0072\u0065\u006d\u006F\u0076\u0065\u004c\u0069\u0073\u0074\u0065\u006e\u0065\u0072"]`, parser.ErrReserved},
	// JSON
	{`0{`, parser.ErrJSON}, {`0{"a":1}x`, parser.ErrJSON}, {`2["x"`, parser.ErrJSON}, {`2["x",]`, parser.ErrJSON}, {`2["x"]]`, parser.ErrJSON},
	{`2["x",undefined]`, parser.ErrJSON}, {"2[\"a\nb\"]", parser.ErrJSON}, {`2['x']`, parser.ErrJSON}, {`2[01]`, parser.ErrJSON},
	{`4"x`, parser.ErrJSON}, {`312[`, parser.ErrJSON},
	{`2["x",` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `]`, parser.ErrDepth},
	{`0` + strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat("}", 65), parser.ErrDepth},
	// Attachment counts (fact 53, 54; CVE-2026-33151)
	{`5`, parser.ErrIllegalAttachments}, {`5["x"]`, parser.ErrIllegalAttachments}, {`5-["x"]`, parser.ErrIllegalAttachments},
	{`50-["x"]`, parser.ErrIllegalAttachments}, {`501-["x"]`, parser.ErrIllegalAttachments}, {`51["x"]`, parser.ErrIllegalAttachments},
	{`51`, parser.ErrIllegalAttachments}, {`5-1-["x"]`, parser.ErrIllegalAttachments}, {`51.0-["x"]`, parser.ErrIllegalAttachments},
	{`51e0-["x"]`, parser.ErrIllegalAttachments}, {`5 1-["x"]`, parser.ErrIllegalAttachments}, {`5x-["x"]`, parser.ErrIllegalAttachments},
	{`511-["x"]`, parser.ErrTooManyAttachments}, {`5999999999-["x"]`, parser.ErrTooManyAttachments},
	{`599999999999999999999-["x"]`, parser.ErrIllegalAttachments},
	// Placeholders (CVE-2022-2421)
	{`51-["x",{"_placeholder":true,"num":"splice"}]`, parser.ErrIllegalAttachments},
	{`51-["x",{"_placeholder":true,"num":1}]`, parser.ErrIllegalAttachments},
	{`61-7[{"_placeholder":true}]`, parser.ErrIllegalAttachments},
	// Limits of the header
	{`2/` + strings.Repeat("a", 512) + `,["x"]`, parser.ErrNamespace}, {`0/` + strings.Repeat("a", 512), parser.ErrNamespace},
	{`29007199254740993["x"]`, parser.ErrID}, {`200000000000000001["x"]`, parser.ErrID}, {`2` + strings.Repeat("9", 1000), parser.ErrID},
}

func TestDecodeRefusesWhatNodeRefuses(t *testing.T) {
	for _, c := range refused {
		p, err := parser.Decode([]byte(c.in), nil)
		if !errors.Is(err, c.want) {
			t.Errorf("%.80q: %v, want %v", c.in, err, c.want)
		}
		if p.Namespace != nil || p.Data != nil || p.HasID || p.Attachments != 0 {
			t.Errorf("%.80q: a packet came with the error: %+v", c.in, p)
		}
	}
}

func TestDecodeIgnoresAnEventWithoutPayload(t *testing.T) {
	for in, nsp := range map[string]string{`2`: "/", `212`: "/", `2/admin,`: "/admin", `2/admin,12`: "/admin", `2/["x"]`: `/["x"]`} {
		p, err := parser.Decode([]byte(in), nil)
		if !errors.Is(err, parser.ErrIgnore) || p.Type != parser.Event || string(p.Namespace) != nsp || p.Data != nil {
			t.Errorf("%q: %+v, %v", in, p, err)
		}
	}
}

func TestDecodeKeepsToTheLimitsItIsGiven(t *testing.T) {
	lim := &parser.Limits{Attachments: 2, Depth: 2, Namespace: 3}
	for in, want := range map[string]error{
		`52-["x"]`:            nil,
		`53-["x"]`:            parser.ErrTooManyAttachments,
		`2["x",[1]]`:          nil,
		`2["x",[[]]]`:         parser.ErrDepth,
		`0/ab,`:               nil,
		`0/ab`:                nil,
		`0/abc,`:              parser.ErrNamespace,
		`0/abc`:               parser.ErrNamespace,
		`2/ab,["a,b,c,d,e"]`:  nil,
		`2/äb,["namespaces"]`: parser.ErrNamespace, // bytes, not characters
	} {
		if _, err := parser.Decode([]byte(in), lim); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
	huge := &parser.Limits{Attachments: 1 << 30, Depth: 1 << 30, Namespace: 1 << 30}
	if _, err := parser.Decode([]byte(`51025-["x"]`), huge); !errors.Is(err, parser.ErrTooManyAttachments) {
		t.Errorf("above MaxAttachments: %v", err)
	}
	deep := strings.Repeat("[", parser.MaxDepth)
	if _, err := parser.Decode([]byte(`2["x",`+deep), huge); !errors.Is(err, parser.ErrDepth) {
		t.Errorf("above MaxDepth: %v", err)
	}
}

func TestDecodeAcceptsNoBeginningOfAnEvent(t *testing.T) {
	whole := []byte(`52-/admin,17["bin",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0},-1.5e3,"\u00e9\n"]`)
	if _, err := parser.Decode(whole, nil); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if p, err := parser.Decode(whole[:n], nil); err == nil {
			t.Errorf("%q: %+v", whole[:n], p)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	lim := &parser.Limits{}
	for _, in := range []string{
		string(chatEvent(32)), string(chatEvent(4096)), `2/admin,12["x",{"a":[1,2,3]}]`, `0{"token":"x"}`, `2["\u0063onnect"]`, `2`,
		`52-["bin",{"_placeholder":true,"num":0},{"a":{"\u005fplaceholder":true,"num":1}}]`, `312[{}]`, `1`,
	} {
		b := []byte(in)
		if n := testing.AllocsPerRun(100, func() { _, _ = parser.Decode(b, lim) }); n != 0 {
			t.Errorf("%.60q: %v allocations", in, n)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = parser.Decode(b, nil) }); n != 0 {
			t.Errorf("%.60q without limits: %v allocations", in, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range accepted {
		f.Add([]byte(c.in))
	}
	for _, c := range refused {
		f.Add([]byte(c.in))
	}
	f.Add(chatEvent(206))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parser.Decode(b, nil)
		if err != nil {
			return
		}
		if p.Data != nil && !json.Valid(p.Data) {
			t.Fatalf("%q: data are not JSON", b)
		}
		again, err := parser.Decode(encode(p), nil)
		if err != nil {
			t.Fatalf("%q: encoded again %q: %v", b, encode(p), err)
		}
		if !samePacket(p, again) {
			t.Fatalf("%q: %+v became %+v", b, p, again)
		}
		checkEventOracle(t, p)
	})
}

func samePacket(a, b parser.Packet) bool {
	return a.Type == b.Type && bytes.Equal(a.Namespace, b.Namespace) && a.ID == b.ID && a.HasID == b.HasID &&
		a.Attachments == b.Attachments && bytes.Equal(a.Data, b.Data)
}

// checkEventOracle compares an event's name and arguments with what the standard library reads.
func checkEventOracle(t *testing.T, p parser.Packet) {
	if p.Type != parser.Event && p.Type != parser.BinaryEvent {
		return
	}
	name, rest, err := parser.EventName(p.Data)
	if err != nil || parser.ReservedName(name) {
		t.Fatalf("%q: name %q, %v", p.Data, name, err)
	}
	var want []json.RawMessage
	if err := json.Unmarshal(p.Data, &want); err != nil {
		t.Fatal(err)
	}
	var text string
	if json.Unmarshal(want[0], &text) != nil {
		text = string(want[0]) // a number
	}
	if !sameText(name, text) {
		t.Fatalf("%q: name %q, want %q", p.Data, name, text)
	}
	sameElements(t, parser.NewArgList(rest), want[1:])
}

// sameText compares without what stands for invalid text: the standard library puts U+FFFD there, this package leaves raw
// bytes alone.
func sameText(name []byte, want string) bool {
	drop := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\uFFFD", "") }
	return drop(string(name)) == drop(want)
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{32, 125, 206, 1024, 65536} {
		data := chatEvent(size)
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			lim := &parser.Limits{}
			for b.Loop() {
				if _, err := parser.Decode(data, lim); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
