package packet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/packet"
)

// readV3 takes a payload apart and copies what it finds.
func readV3(b []byte, binary bool) (packets []packet.Packet, err error) {
	p := packet.NewPayloadV3(b, binary)
	for {
		pkt, ok, err := p.Next()
		if !ok {
			return packets, err
		}
		pkt.Data = bytes.Clone(pkt.Data)
		packets = append(packets, pkt)
	}
}

// joinV3 writes packets as a payload.
func joinV3(packets []packet.Packet, binary bool) (b []byte) {
	for _, p := range packets {
		text := packet.AppendText(nil, p.Type, p.Data)
		switch {
		case binary && p.Binary:
			b = packet.AppendBinaryPayloadDataV3(b, p.Data)
		case binary:
			b = packet.AppendBinaryPayloadTextV3(b, text)
		case p.Binary:
			b = packet.AppendPayloadBase64V3(b, p.Data)
		default:
			b = packet.AppendPayloadTextV3(b, text)
		}
	}
	return b
}

func TestPayloadV3GivesThePacketsInOrder(t *testing.T) {
	bytes123 := packet.Packet{Type: packet.Message, Binary: true, Data: []byte{1, 2, 3}}
	text := func(s string) packet.Packet { return packet.Packet{Type: packet.Message, Data: []byte(s)} }
	for _, c := range []struct {
		in     string
		binary bool
		want   []packet.Packet
	}{
		{"0:", false, nil},
		{"", true, nil},
		{"1:2", false, []packet.Packet{{Type: packet.Ping}}},
		{"6:4hello2:4€", false, []packet.Packet{text("hello"), text("€")}}, // the vectors of the protocol's text
		{"10:b4AQIDBA==2:4x", false, []packet.Packet{{Type: packet.Message, Binary: true, Data: []byte{1, 2, 3, 4}}, text("x")}},
		{"3:4😀3:4𝒳", false, []packet.Packet{text("😀"), text("𝒳")}}, // a surrogate pair counts two
		{"2:4\uFFFD", false, []packet.Packet{text("\uFFFD")}},      // what is left of a lone surrogate
		{"0:1:30:1:1", false, []packet.Packet{{Type: packet.Pong}, {Type: packet.Close}}},
		{"\x00\x04\xff4€\x01\x04\xff\x04\x01\x02\x03", true, []packet.Packet{text("€"), bytes123}},
		{"\x00\x05\xff4😀\x00\x06\xffb4AQID", true, []packet.Packet{text("😀"), bytes123}},
		{"\x00\x01\x01\xff4" + strings.Repeat("a", 10), true, []packet.Packet{text(strings.Repeat("a", 10))}},
	} {
		got, err := readV3([]byte(c.in), c.binary)
		if err != nil || !samePackets(got, c.want) {
			t.Errorf("%q: %+v, %v", c.in, got, err)
		}
	}
}

func TestPayloadV3StopsAtTheFirstWrongPacket(t *testing.T) {
	for _, c := range []struct {
		in     string
		binary bool
		good   int // packets before the wrong one
		err    error
	}{
		{"", false, 0, packet.ErrEmpty},
		{"2:4a", false, 1, nil},
		{"4a", false, 0, packet.ErrLength},
		{":4a", false, 0, packet.ErrLength},
		{"2:4a2", false, 1, packet.ErrLength},
		{"2:4a3:4b", false, 1, packet.ErrLength},
		{"2:4a-1:4b", false, 1, packet.ErrLength},
		{"2.0:4a", false, 0, packet.ErrLength},
		{" 2:4a", false, 0, packet.ErrLength},
		{"0x2:4a", false, 0, packet.ErrLength},
		{"1e0:2", false, 0, packet.ErrLength},
		{"999999999:4a", false, 0, packet.ErrLength},
		{"99999999999999999999:4a", false, 0, packet.ErrLength},
		{"00:2:4a", false, 0, packet.ErrEmpty},
		{"2:4😀", false, 0, packet.ErrLength}, // the middle of a pair
		{"4:4😀", false, 0, packet.ErrLength},
		{"2:4\xff", false, 0, packet.ErrUTF8},
		{"2:4\xed\xa0\xbd", false, 0, packet.ErrUTF8}, // a surrogate as utf8.js writes it in strict mode
		{"2:4a2:9b2:4c", false, 1, packet.ErrUnknownType},
		{"3:b4!", false, 0, packet.ErrBase64},
		{"1:b", false, 0, packet.ErrUnknownType},
		{"6:b2AQID", false, 0, packet.ErrUnknownType},
		{"5:bAQID", false, 0, packet.ErrUnknownType}, // as revision 4 writes it
		{"\x02\x02\xff4a", true, 0, packet.ErrUnknownType},
		{"\x00", true, 0, packet.ErrLength},
		{"\x00\xff4a", true, 0, packet.ErrLength},
		{"\x00\x0a\xff4a", true, 0, packet.ErrLength},
		{"\x00\x02", true, 0, packet.ErrLength},
		{"\x00\x02\xff4", true, 0, packet.ErrLength},
		{"\x00\x02\xff4a\x01\x03\xff\x04", true, 1, packet.ErrLength},
		{"\x00\x00\xff", true, 0, packet.ErrEmpty},
		{"\x01\x00\xff", true, 0, packet.ErrEmpty},
		{"\x01\x01\xff\x02", true, 0, packet.ErrUnknownType},
		{"\x01\x01\xff4", true, 0, packet.ErrUnknownType}, // a digit where a number belongs
		{"\x00\x02\xff4\xff", true, 0, packet.ErrUTF8},
	} {
		p := packet.NewPayloadV3([]byte(c.in), c.binary)
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

func TestBinaryPacketsV3HaveAType(t *testing.T) {
	if got := string(packet.AppendBinaryV3([]byte(">"), []byte{1, 2})); got != ">\x04\x01\x02" {
		t.Errorf("%q", got)
	}
	if got := string(packet.AppendBase64V3([]byte(">"), []byte{1, 2, 3})); got != ">b4AQID" {
		t.Errorf("%q", got)
	}
	b := []byte{4, 9, 8}
	p, err := packet.DecodeBinaryV3(b)
	if err != nil || !p.Binary || p.Type != packet.Message || &p.Data[0] != &b[1] || len(p.Data) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	for in, want := range map[string]error{"": packet.ErrEmpty, "4": packet.ErrUnknownType, "\x02": packet.ErrUnknownType, "\xff": packet.ErrUnknownType} {
		if p, err := packet.DecodeBinaryV3([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %+v, %v", in, p, err)
		}
	}
}

func TestPayloadV3AllocatesNothing(t *testing.T) {
	for _, binary := range []bool{false, true} {
		var packets []packet.Packet
		for range 8 {
			packets = append(packets,
				packet.Packet{Type: packet.Message, Data: []byte(`2["x","€😀"]`)},
				packet.Packet{Type: packet.Message, Binary: true, Data: []byte{1, 2, 3}})
		}
		b := joinV3(packets, binary)
		buf := make([]byte, len(b))
		if n := testing.AllocsPerRun(100, func() {
			copy(buf, b)
			p, count := packet.NewPayloadV3(buf, binary), 0
			for _, ok, _ := p.Next(); ok; _, ok, _ = p.Next() {
				count++
			}
			if count != len(packets) {
				t.Errorf("%d packets", count)
			}
		}); n != 0 {
			t.Errorf("binary %v: %v allocations", binary, n)
		}
	}
}

// anyPackets draws packets of all kinds.
func anyPackets(t *rapid.T) (packets []packet.Packet) {
	for range rapid.IntRange(1, 20).Draw(t, "count") {
		p := packet.Packet{Type: packet.Message, Binary: rapid.Bool().Draw(t, "binary")}
		if p.Binary {
			p.Data = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		} else {
			p.Type = packet.Type(rapid.IntRange(0, int(packet.Noop)).Draw(t, "type"))
			p.Data = []byte(rapid.String().Draw(t, "text"))
		}
		packets = append(packets, p)
	}
	return packets
}

// TestPayloadsV3ComeBackAsTheyWereSent joins random packets, at every grouping of them into bodies, and takes them apart.
func TestPayloadsV3ComeBackAsTheyWereSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packets, binary := anyPackets(t), rapid.Bool().Draw(t, "payload")
		for cut := range len(packets) + 1 {
			var got []packet.Packet
			for _, part := range [][]packet.Packet{packets[:cut], packets[cut:]} {
				if len(part) == 0 {
					continue
				}
				parts, err := readV3(joinV3(part, binary), binary)
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

func FuzzPayloadV3(f *testing.F) {
	for _, s := range []string{"", "0:", "1:2", "6:4hello2:4€", "6:b4AQID2:4x", "3:4😀", "2:4😀", "2:4\xff", "2:4a9", "99:4",
		"\x00\x02\xff4a\x01\x02\xff\x04z", "\x00\x05\xff4😀", "\x01\x01\xff\x02", "\x00\x09\xff4", "\x02"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, binary bool) {
		in := bytes.Clone(b)
		got, err := readV3(b, binary)
		for _, p := range got {
			if p.Type > packet.Noop || p.Binary && p.Type != packet.Message || !p.Binary && !utf8.Valid(p.Data) {
				t.Fatalf("%q: %+v", in, p)
			}
		}
		if len(got) == 0 {
			return
		}
		again, againErr := readV3(joinV3(got, binary), binary)
		if againErr != nil || !samePackets(got, again) {
			t.Fatalf("%q: %+v became %+v, %v", in, got, again, againErr)
		}
		if err == nil { // what stands behind a payload does not change it
			more, err := readV3(append(bytes.Clone(in), joinV3(got, binary)...), binary)
			if err != nil || !samePackets(more, append(got, got...)) {
				t.Fatalf("%q twice: %+v, %v", in, more, err)
			}
		}
	})
}

func BenchmarkPayloadV3(b *testing.B) {
	for _, size := range []int{32, 206, 65536} {
		body := packet.AppendPayloadTextV3(nil, []byte(`42["chatMessage","`+strings.Repeat("x", size-20)+`"]`))
		b.Run(byteCount(size), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				p := packet.NewPayloadV3(body, false)
				if _, ok, err := p.Next(); !ok {
					b.Fatal(err)
				}
			}
		})
	}
}
