package parser_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
	"pgregory.net/rapid"
)

var msgpack parser.Msgpack

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Messages of notepack.io 2.2.0, which the npm package socket.io-msgpack-parser 3.0.2 writes with.
func TestMsgpackOfTheClient(t *testing.T) {
	for _, c := range []struct {
		message     string
		want        parser.Packet
		nsp, data   string
		attachments [][]byte
	}{
		{
			message: "84a47479706502a46461746198a568656c6c6f01ffcb3ff8000000000000c3c0d40000d928" + strings.Repeat("78", 40) +
				"a76f7074696f6e7381a8636f6d7072657373c3a36e7370a12f",
			want: parser.Packet{Type: parser.Event}, nsp: "/",
			data: `["hello",1,-1,1.5,true,null,null,"` + strings.Repeat("x", 40) + `"]`,
		},
		{ // new Date(1700000000123), new Date(-1), new Date(NaN) as it comes, the last Date there is
			message: "84a47479706502a46461746195a164d7000000018bcfe5687bd700ffffffffffffffffd7000000000000000000d700001eb208c2dc0000a36e7370a22f61a2696407",
			want:    parser.Packet{Type: parser.Event, ID: 7, HasID: true}, nsp: "/a",
			data: `["d","2023-11-14T22:13:20.123Z","1969-12-31T23:59:59.999Z","1970-01-01T00:00:00.000Z","+275760-09-13T00:00:00.000Z"]`,
		},
		{ // a Buffer, an object with another, undefined and an ArrayBuffer
			message: "83a47479706502a46461746193a162c402010283a178c400a175d40000a179c7010003a36e7370a12f",
			want:    parser.Packet{Type: parser.BinaryEvent, Attachments: 3}, nsp: "/",
			data:        `["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1},"y":{"_placeholder":true,"num":2}}]`,
			attachments: [][]byte{{1, 2}, {}, {3}},
		},
		{message: "83a47479706500a464617461d40000a36e7370a12f", want: parser.Packet{Type: parser.Connect}, nsp: "/"},
		{
			message: "83a47479706500a46461746181a5746f6b656ea178a36e7370a62f61646d696e",
			want:    parser.Packet{Type: parser.Connect}, nsp: "/admin", data: `{"token":"x"}`,
		},
		{message: "82a47479706501a36e7370a12f", want: parser.Packet{Type: parser.Disconnect}, nsp: "/"},
		{
			message: "84a47479706503a464617461dc0013ccffcd0100cdffffce00010000ceffffffffcf0000000100000000cf001fffffffffffffe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffffd3ffe0000000000001cb3e7ad7f29abcaf48cb3fb999999999999a00a26964cf0000000100000000a36e7370a12f",
			want:    parser.Packet{Type: parser.Ack, ID: 1 << 32, HasID: true}, nsp: "/",
			data: `[255,256,65535,65536,4294967295,4294967296,9007199254740991,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649,-9007199254740991,1e-7,0.1,0]`,
		},
	} {
		c.want.Namespace = []byte(c.nsp)
		if c.data != "" {
			c.want.Data = []byte(c.data)
		}
		got, attachments, err := msgpack.DecodePacket(unhex(t, c.message), true, nil)
		if err != nil || !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(attachments, c.attachments) {
			t.Errorf("%s\n got %+v %q %q, %v\nwant %+v %q", c.message, got, got.Data, attachments, err, c.want, c.want.Data)
		}
	}
}

// What the npm package does not write, but others may.
func TestMsgpackOfOthers(t *testing.T) {
	for value, want := range map[string]string{
		"cf ffffffffffffffff":               `18446744073709551615`,
		"d3 8000000000000000":               `-9223372036854775808`,
		"d0 05":                             `5`,
		"cd 0005":                           `5`,
		"ca 3fc00000":                       `1.5`,
		"cb 7ff8000000000000":               `null`, // NaN
		"cb fff0000000000000":               `null`, // -Infinity
		"cb 8000000000000000":               `0`,    // -0
		"cb 4415af1d78b58c40":               `100000000000000000000`,
		"cb 444b1ae4d6e2ef50":               `1e+21`,
		"c2":                                `false`,
		"80":                                `{}`,
		"90":                                `[]`,
		"de 0001 a161 01":                   `{"a":1}`,
		"df 00000001 a161 01":               `{"a":1}`,
		"dd 00000001 01":                    `[1]`,
		"82 01 02 ff a162":                  `{"1":2,"-1":"b"}`,
		"82 a161 d40000 a162 01":            `{"b":1}`,
		"82 a161 01 a162 d40000":            `{"a":1}`,
		"db 00000001 61":                    `"a"`,
		"da 0003 0a2201":                    `"\n\"\u0001"`,
		"a3 c328ff":                         "\"\uFFFD(\uFFFD\"",
		"d6ff 00000001":                     `"1970-01-01T00:00:01.000Z"`,
		"d7ff 00000000 00000001":            `"1970-01-01T00:00:01.000Z"`,
		"c70cff 3b9ac9ff ffffffffffffffff":  `"1969-12-31T23:59:59.999999999Z"`,
		"c70cff 00000000 7fffffffffffffff":  `null`,
		"d700 8000000000000000":             `null`, // no Date is so old
		"d700 ffffc2f3f5f2c400":             `"-000158-12-28T22:54:18.624Z"`,
		"a0":                                `""`,
		"d9 00":                             `""`,
		"91 91 91 90":                       `[[[[]]]]`,
		"81 ac 5f706c616365686f6c646572 c3": `{"_placeholder":true}`, // as in text, nothing without attachments
		"83 a161 01 a161 02 a0 c0":          `{"a":1,"a":2,"":null}`,
		"dc 0003 d40000 d40000 c0":          `[null,null,null]`,
		"d9 21" + strings.Repeat("61", 33):  `"` + strings.Repeat("a", 33) + `"`,
		"81 d9 03 616263 d9 02 c3a9":        `{"abc":"é"}`,
		"82 cc80 01 d3 ffffffffffffffff c3": `{"128":1,"-1":true}`,
		"ce 7fffffff":                       `2147483647`,
		"d2 ffffffff":                       `-1`,
		"cb 3eb0c6f7a0b5ed8d":               `0.000001`,
		"94 c0 c2 c3 e0":                    `[null,false,true,-32]`,
	} {
		message := unhex(t, "83 a474797065 02 a36e7370 a12f a464617461 92 a178 "+value)
		p, attachments, err := msgpack.DecodePacket(message, true, nil)
		if err != nil || string(p.Data) != `["x",`+want+`]` || attachments != nil || p.Type != parser.Event {
			t.Errorf("%s: %s, %v; want %s", value, p.Data, err, want)
		}
	}
	message := unhex(t, "83 a474797065 02 a36e7370 a12f a464617461 93 a178 d503 0102 c70105ff")
	p, attachments, err := msgpack.DecodePacket(message, true, nil)
	if want := `["x",[3,{"_placeholder":true,"num":0}],[5,{"_placeholder":true,"num":1}]]`; err != nil || string(p.Data) != want ||
		!reflect.DeepEqual(attachments, [][]byte{{1, 2}, {255}}) {
		t.Errorf("foreign extensions: %s %q, %v", p.Data, attachments, err)
	}
}

func TestMsgpackRefuses(t *testing.T) {
	packet := func(parts string) []byte { return unhex(t, parts) }
	const kind, nsp, data = "a474797065 02 ", "a36e7370 a12f ", "a464617461 "
	event := func(value string) []byte { return packet("83" + kind + nsp + data + value) }
	nested := func(n int) string { return strings.Repeat("91", n) + "90" }
	for name, c := range map[string]struct {
		message []byte
		err     error
	}{
		"nothing":                    {nil, parser.ErrMsgpack},
		"no map":                     {packet("93 01 02 03"), parser.ErrMsgpack},
		"empty map":                  {packet("80"), parser.ErrMsgpack},
		"no type":                    {packet("82" + nsp + data + "91 a178"), parser.ErrMsgpack},
		"type 5":                     {packet("83 a474797065 05" + nsp + data + "91 a178"), parser.ErrUnknownType},
		"negative type":              {packet("83 a474797065 ff" + nsp + data + "91 a178"), parser.ErrUnknownType},
		"type as text":               {packet("83 a474797065 a132" + nsp + data + "91 a178"), parser.ErrUnknownType},
		"type as float":              {packet("83 a474797065 cb4000000000000000" + nsp + data + "91 a178"), parser.ErrUnknownType},
		"no namespace":               {packet("82" + kind + data + "91 a178"), parser.ErrNamespace},
		"namespace is a number":      {packet("83" + kind + "a36e7370 01" + data + "91 a178"), parser.ErrMsgpack},
		"empty namespace":            {packet("83" + kind + "a36e7370 a0" + data + "91 a178"), parser.ErrNamespace},
		"namespace without a slash":  {packet("83" + kind + "a36e7370 a161" + data + "91 a178"), parser.ErrNamespace},
		"namespace with a comma":     {packet("83" + kind + "a36e7370 a32f2c61" + data + "91 a178"), parser.ErrNamespace},
		"long namespace":             {packet("83" + kind + "a36e7370 da02012f" + strings.Repeat("61", 512) + data + "91 a178"), parser.ErrNamespace},
		"negative id":                {packet("84" + kind + nsp + data + "91a178 a26964 ff"), parser.ErrID},
		"nil id":                     {packet("84" + kind + nsp + data + "91a178 a26964 c0"), parser.ErrID},
		"id too large":               {packet("84" + kind + nsp + data + "91a178 a26964 cf0020000000000001"), parser.ErrID},
		"trailing byte":              {event("91a178 c0"), parser.ErrMsgpack},
		"event without data":         {packet("82" + kind + nsp), parser.ErrInvalidPayload},
		"event with undefined":       {event("d40000"), parser.ErrInvalidPayload},
		"event with nil":             {event("c0"), parser.ErrInvalidPayload},
		"event with an object":       {event("80"), parser.ErrInvalidPayload},
		"event with nothing":         {event("90"), parser.ErrInvalidPayload},
		"event named nil":            {event("91c0"), parser.ErrInvalidPayload},
		"event named bytes":          {event("91c40161"), parser.ErrInvalidPayload},
		"reserved event":             {event("91a7636f6e6e656374"), parser.ErrReserved},
		"ack without id":             {packet("83 a474797065 03" + nsp + data + "90"), parser.ErrInvalidPayload},
		"disconnect with data":       {packet("83 a474797065 01" + nsp + data + "c0"), parser.ErrInvalidPayload},
		"connect with nil":           {packet("83 a474797065 00" + nsp + data + "c0"), parser.ErrInvalidPayload},
		"connect with an array":      {packet("83 a474797065 00" + nsp + data + "90"), parser.ErrInvalidPayload},
		"connect with bytes":         {packet("83 a474797065 00" + nsp + data + "81 a161 c40161"), parser.ErrInvalidPayload},
		"unused code":                {event("92a178c1"), parser.ErrMsgpack},
		"array that is not there":    {event("dd ffffffff"), parser.ErrMsgpack},
		"map that is not there":      {event("92a178 df ffffffff"), parser.ErrMsgpack},
		"string that is not there":   {event("92a178 db ffffffff"), parser.ErrMsgpack},
		"bytes that are not there":   {event("92a178 c6 ffffffff"), parser.ErrMsgpack},
		"ext that is not there":      {event("92a178 c9 ffffffff 00"), parser.ErrMsgpack},
		"half a map":                 {event("92a178 82 a161 01 a162"), parser.ErrMsgpack},
		"key that is an array":       {event("92a178 81 90 01"), parser.ErrMsgpack},
		"key that is nil":            {event("92a178 81 c0 01"), parser.ErrMsgpack},
		"too deep":                   {event("92a178" + nested(63)), parser.ErrDepth},
		"too deep elsewhere":         {packet("84" + kind + nsp + data + "91a178 a161" + nested(64)), parser.ErrDepth},
		"eleven attachments":         {event("9ca178" + strings.Repeat("c400", 11)), parser.ErrTooManyAttachments},
		"placeholder of its own":     {event("93a178 c400 82 ac5f706c616365686f6c646572 c3 a36e756d 00"), parser.ErrIllegalAttachments},
		"short key":                  {packet("81 a4747970"), parser.ErrMsgpack},
		"many members, none of them": {packet("df 7fffffff"), parser.ErrMsgpack},
	} {
		if p, attachments, err := msgpack.DecodePacket(c.message, true, nil); !errors.Is(err, c.err) || p.Data != nil || attachments != nil {
			t.Errorf("%s: %+v, %v; want %v", name, p, err, c.err)
		}
	}
	if _, _, err := msgpack.DecodePacket(event("91a178"), false, nil); !errors.Is(err, parser.ErrMsgpack) {
		t.Errorf("as text: %v", err)
	}
	if _, _, err := msgpack.DecodePacket(event("92a178"+nested(62)), true, nil); err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
	whole := unhex(t, "84a47479706502a46461746195a164d7000000018bcfe5687bc7010003cb3ff800000000000081a178d9026161a36e7370a22f61a2696407")
	if _, _, err := msgpack.DecodePacket(whole, true, nil); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, _, err := msgpack.DecodePacket(whole[:n:n], true, nil); err == nil {
			t.Errorf("the first %d bytes are taken for a packet", n)
		}
	}
}

// The bytes are those of notepack.io for the same packets of a Node server.
func TestMsgpackWrites(t *testing.T) {
	for _, c := range []struct {
		packet      parser.Packet
		data, want  string
		attachments [][]byte
	}{
		{parser.Packet{Type: parser.Connect}, `{"sid":"x"}`, "83a47479706500a46461746181a3736964a178a36e7370a12f", nil},
		{parser.Packet{Type: parser.Disconnect}, ``, "82a47479706501a36e7370a12f", nil},
		{parser.Packet{Type: parser.ConnectError}, `{"message":"no"}`, "83a47479706504a46461746181a76d657373616765a26e6fa36e7370a12f", nil},
		{
			parser.Packet{Type: parser.Event, ID: 7, HasID: true}, ` [ "e" , {"a" : [ ] , "b" : { } } ] `,
			"84a47479706502a46461746192a16582a16190a16280a2696407a36e7370a12f", nil,
		},
		{
			parser.Packet{Type: parser.BinaryAck, ID: 0, HasID: true}, `[{"num":1,"_placeholder":true},{"x":{"_placeholder":true,"num":0}}]`,
			"84a47479706503a46461746192c4030102ff81a178c400a2696400a36e7370a12f", [][]byte{{}, {1, 2, 255}},
		},
		{
			parser.Packet{Type: parser.Event},
			`["n",255,256,65535,65536,4294967295,4294967296,9007199254740991,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649,-9007199254740991,1e-7,0.1,-0,5.0,1e3]`,
			"83a47479706502a464617461dc0016a16eccffcd0100cdffffce00010000ceffffffffcf0000000100000000cf001fffffffffffffe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffffd3ffe0000000000001cb3e7ad7f29abcaf48cb3fb999999999999a0005cd03e8a36e7370a12f", nil,
		},
		{parser.Packet{Type: parser.Event}, `["\u00e9\n\ud83d\ude00",18446744073709551615,1e400,-1e400]`,
			"83a47479706502a46461746194a7c3a90af09f9880cfffffffffffffffffcb7ff0000000000000cbfff0000000000000a36e7370a12f", nil},
	} {
		c.packet.Namespace = []byte("/")
		c.packet.Data = []byte(c.data)
		got, err := msgpack.AppendPacket([]byte("x"), &c.packet, c.attachments)
		if err != nil || hex.EncodeToString(got[1:]) != c.want || got[0] != 'x' {
			t.Errorf("%s: %x, %v\nwant %s", c.data, got, err, c.want)
		}
	}
}

func TestMsgpackDoesNotWriteWhatIsNoJSON(t *testing.T) {
	for _, data := range []string{
		`[`, `[1`, `[1,`, `[1,]`, `[1 2]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `"`, `"a`, `tru`, `nul`, `fals`,
		`[]]`, `[] 1`, `-`, `01`, `1.`, `x`, ` `, `["` + "\n" + `"]`, strings.Repeat("[", 20_000),
		`[{"_placeholder":true,"num":1}]`, `[{"_placeholder":true}]`, `[{"_placeholder":true,"num":-1}]`,
	} {
		p := &parser.Packet{Type: parser.Event, Namespace: []byte("/"), Data: []byte(data)}
		if got, err := msgpack.AppendPacket([]byte("x"), p, [][]byte{{1}}); err == nil || string(got) != "x" {
			t.Errorf("%q: %x, %v", data, got, err)
		}
	}
}

// Heads change their size at 16, 32, 256 and 65,536.
func TestMsgpackSizes(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 257, 65_535, 65_536, 65_537} {
		list := make([]int, n)
		object := make(map[string]int, n)
		for i := range n {
			object[strings.Repeat("k", i%7)+string(rune('a'+i%26))+json.Number(hex.EncodeToString([]byte{byte(i >> 16), byte(i >> 8), byte(i)})).String()] = i
		}
		value, err := json.Marshal([]any{"x", list, object, strings.Repeat("t", n)})
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, value, [][]byte{})
		data := `["x",{"_placeholder":true,"num":0}]`
		roundTrip(t, []byte(data), [][]byte{bytes.Repeat([]byte{7}, n)})
	}
}

// roundTrip requires that an event comes back as it was.
func roundTrip(t rapid.TB, data []byte, attachments [][]byte) {
	p := parser.Packet{Type: parser.Event, Namespace: []byte("/n"), Data: data, ID: 5, HasID: true}
	message, err := msgpack.AppendPacket(nil, &p, attachments)
	if err != nil {
		t.Fatalf("%.200s: %v", data, err)
	}
	got, back, err := msgpack.DecodePacket(message, true, &parser.Limits{Depth: parser.MaxDepth, Attachments: parser.MaxAttachments})
	if err != nil {
		t.Fatalf("%.200s: %x: %v", data, message, err)
	}
	var want, have any
	if json.Unmarshal(data, &want) != nil || json.Unmarshal(got.Data, &have) != nil || !reflect.DeepEqual(want, have) {
		t.Fatalf("%.200s came back as %.200s", data, got.Data)
	}
	if len(back) != len(attachments) {
		t.Fatalf("%d attachments of %d", len(back), len(attachments))
	}
	for i := range back {
		if !bytes.Equal(back[i], attachments[i]) {
			t.Fatalf("attachment %d: %x", i, back[i])
		}
	}
}

func TestMsgpackRoundTrip(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaves := []*rapid.Generator[any]{
			rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
			rapid.Float64().AsAny(), rapid.Int64Range(-1<<53, 1<<53).AsAny(),
		}
		if depth > 0 {
			leaves = append(leaves, rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 20).AsAny(),
				rapid.MapOfN(rapid.String(), rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 20).AsAny())
		}
		return rapid.OneOf(leaves...)
	}
	rapid.Check(t, func(rt *rapid.T) {
		data, err := json.Marshal([]any{"event", value(3).Draw(rt, "value")})
		if err != nil {
			rt.Skip(err)
		}
		roundTrip(rt, data, nil)
	})
}

// FuzzMsgpack: what is accepted is a packet such as Decode makes, comes back the same when it is written and read again,
// and costs no more memory than a multiple of the message.
func FuzzMsgpack(f *testing.F) {
	for _, seed := range []string{
		"84a47479706502a46461746198a568656c6c6f01ffcb3ff8000000000000c3c0d40000d90178a76f7074696f6e7381a8636f6d7072657373c3a36e7370a12f",
		"84a47479706502a46461746195a164d7000000018bcfe5687bd700ffffffffffffffffd7000000000000000000d700001eb208c2dc0000a36e7370a22f61a2696407",
		"83a47479706502a46461746193a162c402010283a178c400a175d40000a179c7010003a36e7370a12f",
		"83a47479706500a464617461d40000a36e7370a12f",
		"84a47479706503a464617461dc0003ccffcd0100d3ffe0000000000001a2696407a36e7370a12f",
		"83a47479706502a46461746193a178d5030102c70105ffa36e7370a12f",
		"83a47479706502a46461746192a178d6ff00000001a36e7370a12f",
	} {
		f.Add(unhex(f, seed))
	}
	lim := &parser.Limits{}
	f.Fuzz(func(t *testing.T, message []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, attachments, err := msgpack.DecodePacket(message, true, lim)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(16*len(message)+16<<10) {
			t.Fatalf("%d bytes allocated for a message of %d", got, len(message))
		}
		if err != nil {
			return
		}
		if p.Data != nil && !json.Valid(p.Data) {
			t.Fatalf("data %q", p.Data)
		}
		if len(p.Namespace) == 0 || p.Namespace[0] != '/' || p.Attachments != len(attachments) || p.Type.Binary() != (len(attachments) > 0) {
			t.Fatalf("packet %+v", p)
		}
		if err := parser.Scan(p.Data, parser.DefaultDepth); p.Data != nil && err != nil {
			t.Fatalf("data %q: %v", p.Data, err)
		}
		again, err := msgpack.AppendPacket(nil, &p, attachments)
		if err != nil {
			t.Fatalf("%q: %v", p.Data, err)
		}
		q, same, err := msgpack.DecodePacket(again, true, lim)
		if err != nil || !equivalent(p, q) || !reflect.DeepEqual(attachments, same) {
			t.Fatalf("%+v %q\nbecame %+v %q, %v", p, p.Data, q, q.Data, err)
		}
	})
}

// equivalent compares packets, but for the notation of numbers and repeated keys.
func equivalent(p, q parser.Packet) bool {
	var a, b any
	if p.Data != nil && (json.Unmarshal(p.Data, &a) != nil || json.Unmarshal(q.Data, &b) != nil) {
		return false
	}
	p.Data, q.Data = nil, nil
	return reflect.DeepEqual(a, b) && reflect.DeepEqual(p, q)
}

func BenchmarkMsgpack(b *testing.B) {
	data := []byte(`["chatMessage",{"room":"lobby","user":"ada","seq":7,"tags":["a","b"],"at":"2026-01-02T03:04:05Z","text":"` + strings.Repeat("m", 80) + `"}]`)
	p := parser.Packet{Type: parser.Event, Namespace: []byte("/"), Data: data}
	message, err := msgpack.AppendPacket(nil, &p, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := msgpack.DecodePacket(message, true, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst, _ = msgpack.AppendPacket(dst[:0], &p, nil)
		}
	})
}
