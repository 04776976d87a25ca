package packet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/packet"
)

func byteCount(n int) string { return fmt.Sprintf("%dB", n) }

// read takes a payload apart and copies what it finds.
func read(b []byte) (packets []packet.Packet, err error) {
	p := packet.NewPayload(b)
	for {
		pkt, ok, err := p.Next()
		if !ok {
			return packets, err
		}
		pkt.Data = bytes.Clone(pkt.Data)
		packets = append(packets, pkt)
	}
}

// join writes packets as a payload.
func join(packets []packet.Packet) (b []byte) {
	for i, p := range packets {
		if i > 0 {
			b = append(b, packet.Separator)
		}
		if p.Binary {
			b = packet.AppendBase64(b, p.Data)
		} else {
			b = packet.AppendText(b, p.Type, p.Data)
		}
	}
	return b
}

func samePackets(a, b []packet.Packet) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Type != b[i].Type || a[i].Binary != b[i].Binary || !bytes.Equal(a[i].Data, b[i].Data) {
			return false
		}
	}
	return true
}

func TestPayloadGivesThePacketsInOrder(t *testing.T) {
	// Wire fact 15: a binary event with two attachments over polling.
	const body = `452-["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]` + "\x1ebAQID\x1ebBA=="
	got, err := read([]byte(body))
	want := []packet.Packet{
		{Type: packet.Message, Data: []byte(`52-["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`)},
		{Type: packet.Message, Binary: true, Data: []byte{1, 2, 3}},
		{Type: packet.Message, Binary: true, Data: []byte{4}},
	}
	if err != nil || !samePackets(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if again := join(got); string(again) != body {
		t.Errorf("%q", again)
	}
}

func TestPayloadStopsAtTheFirstWrongPacket(t *testing.T) {
	for _, c := range []struct {
		in   string
		good int // packets before the wrong one
		err  error
	}{
		{"", 0, packet.ErrEmpty},
		{"\x1e", 0, packet.ErrEmpty},
		{"4a\x1e", 1, packet.ErrEmpty},
		{"4a\x1e\x1e4b", 1, packet.ErrEmpty},
		{"4a\x1e4b\x1e9\x1e4c", 2, packet.ErrUnknownType},
		{"4a\x1eb!\x1e4c", 1, packet.ErrBase64},
		{"4a\x1e4\xff\x1e4c", 1, packet.ErrUTF8},
		{"4\xc3\x1e4\xa4", 0, packet.ErrUTF8},
		{"4\xed\xa0\x80", 0, packet.ErrUTF8},
		{"4a\x1e\xff", 1, packet.ErrUnknownType},
		{"4a", 1, nil},
		{"4a\x1e4b", 2, nil},
	} {
		p := packet.NewPayload([]byte(c.in))
		for range c.good {
			if _, ok, err := p.Next(); !ok || err != nil {
				t.Errorf("%q: %v, %v", c.in, ok, err)
			}
		}
		for range 3 { // and stays there
			if _, ok, err := p.Next(); ok || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("%q: %v, %v", c.in, ok, err)
			}
		}
	}
}

func TestPayloadAllocatesNothing(t *testing.T) {
	b := []byte(strings.Repeat("42[\"x\"]\x1ebAQID\x1e", 8) + "2")
	buf := make([]byte, len(b))
	if n := testing.AllocsPerRun(100, func() {
		copy(buf, b)
		p, count := packet.NewPayload(buf), 0
		for _, ok, _ := p.Next(); ok; _, ok, _ = p.Next() {
			count++
		}
		if count != 17 {
			t.Errorf("%d packets", count)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestPayloadsComeBackAsTheyWereSent joins random packets, at every grouping of them into bodies, and takes them apart.
func TestPayloadsComeBackAsTheyWereSent(t *testing.T) {
	text := rapid.String().Filter(func(s string) bool { return !strings.ContainsRune(s, packet.Separator) })
	rapid.Check(t, func(t *rapid.T) {
		var packets []packet.Packet
		for range rapid.IntRange(1, 20).Draw(t, "count") {
			p := packet.Packet{Type: packet.Message, Binary: rapid.Bool().Draw(t, "binary")}
			if p.Binary {
				p.Data = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
			} else {
				p.Type = packet.Type(rapid.IntRange(0, int(packet.Noop)).Draw(t, "type"))
				p.Data = []byte(text.Draw(t, "text"))
			}
			packets = append(packets, p)
		}
		for cut := range len(packets) + 1 {
			var got []packet.Packet
			for _, part := range [][]packet.Packet{packets[:cut], packets[cut:]} {
				if len(part) == 0 {
					continue
				}
				parts, err := read(join(part))
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, parts...)
			}
			if !samePackets(got, packets) {
				t.Fatalf("cut at %d: %+v", cut, got)
			}
		}
	})
}

func FuzzPayload(f *testing.F) {
	for _, s := range []string{"", "\x1e", "0{}", "4a\x1e4b", "4a\x1ebAQID\x1e2", "4a\x1e9\x1e4b", "4\xff", "b\x1eb", "4a\x1e"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		got, err := read(b)
		parts := bytes.Split(in, []byte{packet.Separator})
		if len(got) > len(parts) || err == nil && len(got) != len(parts) {
			t.Fatalf("%q: %d packets, %v", in, len(got), err)
		}
		for i, p := range got { // each is what it would be alone
			alone, err := packet.DecodeText(parts[i])
			if err != nil || !samePackets([]packet.Packet{p}, []packet.Packet{alone}) || !p.Binary && !utf8.Valid(p.Data) {
				t.Fatalf("%q: packet %d is %+v, alone %+v, %v", in, i, p, alone, err)
			}
		}
		if len(got) == 0 {
			return
		}
		again, err := read(join(got))
		if err != nil || !samePackets(got, again) {
			t.Fatalf("%q: %+v became %+v, %v", in, got, again, err)
		}
	})
}

func BenchmarkPayload(b *testing.B) {
	for _, count := range []int{1, 16} {
		for _, size := range []int{32, 206} {
			one := `42["chatMessage","` + strings.Repeat("x", size-20) + `"]`
			body := []byte(strings.Repeat(one+"\x1e", count-1) + one)
			b.Run(fmt.Sprintf("%dpackets/%s", count, byteCount(size)), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					p, n := packet.NewPayload(body), 0
					for _, ok, _ := p.Next(); ok; _, ok, _ = p.Next() {
						n++
					}
					if n != count {
						b.Fatal(n)
					}
				}
			})
		}
	}
}
