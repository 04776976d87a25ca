package packet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/packet"
)

func TestDecodeTextReadsTypeAndData(t *testing.T) {
	for _, c := range []struct {
		in     string
		want   packet.Type
		binary bool
		data   string
	}{
		{`0{}`, packet.Open, false, `{}`},
		{`1`, packet.Close, false, ``},
		{`2`, packet.Ping, false, ``},
		{`2probe`, packet.Ping, false, `probe`},
		{`3probe`, packet.Pong, false, `probe`},
		{`4`, packet.Message, false, ``},
		{`42["hello","wörld"]`, packet.Message, false, `2["hello","wörld"]`},
		{"4a\x1eb", packet.Message, false, "a\x1eb"}, // on WebSocket the separator is a character like any other
		{`5`, packet.Upgrade, false, ``},
		{`6`, packet.Noop, false, ``},
		{`b`, packet.Message, true, ""},
		{`bAQID`, packet.Message, true, "\x01\x02\x03"},
		{`bBA==`, packet.Message, true, "\x04"},
		{`bBA`, packet.Message, true, "\x04"}, // padding may be missing
		{`b+/+/`, packet.Message, true, "\xfb\xff\xbf"},
	} {
		p, err := packet.DecodeText([]byte(c.in))
		if err != nil || p.Type != c.want || p.Binary != c.binary || string(p.Data) != c.data || p.Data == nil {
			t.Errorf("%q: %+v, %v", c.in, p, err)
		}
	}
}

func TestDecodeTextRefusesOtherThings(t *testing.T) {
	for in, want := range map[string]error{
		"":           packet.ErrEmpty,
		"7":          packet.ErrUnknownType,
		"9":          packet.ErrUnknownType,
		"/":          packet.ErrUnknownType,
		":":          packet.ErrUnknownType,
		"a":          packet.ErrUnknownType,
		"B":          packet.ErrUnknownType,
		" 4":         packet.ErrUnknownType,
		"\x00":       packet.ErrUnknownType,
		"\xff":       packet.ErrUnknownType,
		"b!":         packet.ErrBase64,
		"bA":         packet.ErrBase64,
		"bAAAAA":     packet.ErrBase64,
		"b=":         packet.ErrBase64,
		"b====":      packet.ErrBase64,
		"bA===":      packet.ErrBase64,
		"bAA=":       packet.ErrBase64,
		"bAA==AAAA":  packet.ErrBase64,
		"bAQ\nID":    packet.ErrBase64,
		"bAQID\n":    packet.ErrBase64,
		"bAQ-_":      packet.ErrBase64,
		"bAQI\x80":   packet.ErrBase64,
		"b4AAAA bad": packet.ErrBase64,
	} {
		if p, err := packet.DecodeText([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %+v, %v", in, p, err)
		}
	}
}

func TestDecodeTextDataIsAPartOfTheInput(t *testing.T) {
	b := []byte("4hello;")
	p, err := packet.DecodeText(b[:6])
	if err != nil || &p.Data[0] != &b[1] {
		t.Fatalf("%+v, %v", p, err)
	}
	if _ = append(p.Data, '!'); b[6] != ';' {
		t.Error("the data can be grown into what follows them")
	}
	b = []byte("bAQID;")
	p, err = packet.DecodeText(b[:5])
	if err != nil || &p.Data[0] != &b[0] {
		t.Fatalf("%+v, %v", p, err)
	}
	if _ = append(p.Data, '!'); string(b) != "\x01\x02\x03ID;" {
		t.Errorf("left behind: %q", b)
	}
}

func TestBase64ComesBackAtEveryLength(t *testing.T) {
	data := make([]byte, 0, 300)
	for n := range 300 {
		data = append(data, byte(n*167+n>>3))
		text := packet.AppendBase64([]byte(">"), data)
		if want := ">b" + base64.StdEncoding.EncodeToString(data); string(text) != want {
			t.Fatalf("%q, want %q", text, want)
		}
		for _, b := range [][]byte{text[1:], bytes.TrimRight(bytes.Clone(text[1:]), "=")} {
			if p, err := packet.DecodeText(b); err != nil || !p.Binary || !bytes.Equal(p.Data, data) {
				t.Fatalf("%d bytes: %+v, %v", len(data), p, err)
			}
		}
	}
}

func TestTypesHaveNodesNames(t *testing.T) {
	var names []string
	for p := packet.Open; p <= packet.Noop+1; p++ {
		names = append(names, p.String())
	}
	if got := strings.Join(names, " "); got != "open close ping pong message upgrade noop unknown" {
		t.Error(got)
	}
}

func TestAppendOpenIsNodesOpenPacket(t *testing.T) {
	o := &packet.OpenData{SID: "abcdefghijklmnopqrst", Upgrades: []string{"websocket"},
		PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, MaxPayload: 1_000_000}
	const want = `0{"sid":"abcdefghijklmnopqrst","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	got := string(packet.AppendOpen(nil, o))
	if got != want || len(got) != 118 { // socket.io 4.8 prints 118 bytes for a 20-character sid
		t.Errorf("%d bytes: %s", len(got), got)
	}
	o.Upgrades = nil
	if got := string(packet.AppendOpen([]byte(">"), o)); got != ">"+strings.Replace(want, `"websocket"`, "", 1) {
		t.Errorf("%s", got)
	}
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { packet.AppendOpen(buf, o) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppendOpenIsJSONWhateverTheIDs(t *testing.T) {
	o := &packet.OpenData{SID: "a\"b\\c\n\x00é\u2028", Upgrades: []string{"websocket", "web\"transport"}, PingInterval: 1500 * time.Microsecond}
	var got struct {
		SID          string
		Upgrades     []string
		PingInterval int
	}
	if err := json.Unmarshal(packet.AppendOpen(nil, o)[1:], &got); err != nil {
		t.Fatal(err)
	}
	if got.SID != o.SID || strings.Join(got.Upgrades, " ") != strings.Join(o.Upgrades, " ") || got.PingInterval != 1 {
		t.Errorf("%+v", got)
	}
}

func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{"", "0{}", "2probe", "3", "42[\"x\"]", "6", "7", "b", "bAQID", "bBA==", "bBA=", "b=", "b AQ", "b\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		p, err := packet.DecodeText(b)
		if len(in) > 0 && in[0] == 'b' {
			checkBase64Oracle(t, string(in[1:]), p, err)
		}
		if err != nil {
			return
		}
		if p.Type > packet.Noop || p.Binary && p.Type != packet.Message {
			t.Fatalf("%q: %+v", in, p)
		}
		again := packet.AppendText(nil, p.Type, p.Data)
		if p.Binary {
			again = packet.AppendBase64(nil, p.Data)
		} else if !bytes.Equal(again, in) {
			t.Fatalf("%q became %q", in, again)
		}
		q, err := packet.DecodeText(again)
		if err != nil || q.Type != p.Type || q.Binary != p.Binary || !bytes.Equal(q.Data, p.Data) {
			t.Fatalf("%q: %+v became %+v, %v", in, p, q, err)
		}
	})
}

// checkBase64Oracle compares with the standard library, which takes line breaks that are refused here.
func checkBase64Oracle(t *testing.T, text string, p packet.Packet, err error) {
	want, wantErr := base64.StdEncoding.DecodeString(text)
	if wantErr != nil {
		want, wantErr = base64.RawStdEncoding.DecodeString(text)
	}
	if strings.ContainsAny(text, "\r\n") {
		wantErr = packet.ErrBase64
	}
	if (err != nil) != (wantErr != nil) || err == nil && !bytes.Equal(p.Data, want) {
		t.Fatalf("%q: %q, %v; the standard library says %q, %v", text, p.Data, err, want, wantErr)
	}
}

func BenchmarkBase64(b *testing.B) {
	for _, size := range []int{16, 1024, 65536} {
		text := packet.AppendBase64(nil, make([]byte, size))
		buf := make([]byte, len(text))
		b.Run(byteCount(size), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, text) // decoding overwrites it
				if _, err := packet.DecodeText(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkText(b *testing.B) {
	for _, size := range []int{16, 125, 1024, 65536} {
		data := bytes.Repeat([]byte("x"), size)
		b.Run(byteCount(size), func(b *testing.B) {
			dst := make([]byte, 0, size+1)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				p, err := packet.DecodeText(packet.AppendText(dst, packet.Message, data))
				if err != nil || len(p.Data) != size {
					b.Fatal(p, err)
				}
			}
		})
	}
}
