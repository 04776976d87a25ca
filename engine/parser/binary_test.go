package parser_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/parser"
)

const binaryHeader = `52-/admin,7["bin",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`

func decode(t interface{ Fatal(...any) }, b []byte) parser.Packet {
	p, err := parser.Decode(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBinaryOwnsWhatItCollects(t *testing.T) {
	header := []byte(binaryHeader)
	want := decode(t, []byte(binaryHeader))
	b := parser.NewBinary(decode(t, header))
	clear(header)

	attachment := []byte{1, 2, 3}
	if complete, err := b.Add(attachment); complete || err != nil {
		t.Fatal(complete, err)
	}
	clear(attachment)
	if complete, err := b.Add(nil); !complete || err != nil {
		t.Fatal(complete, err)
	}
	p, atts := b.Packet()
	if !samePacket(p, want) {
		t.Errorf("packet %+v", p)
	}
	if len(atts) != 2 || !bytes.Equal(atts[0], []byte{1, 2, 3}) || atts[1] == nil || len(atts[1]) != 0 {
		t.Errorf("attachments %v", atts)
	}
}

func TestBinaryTakesNoMoreThanAnnounced(t *testing.T) {
	b := parser.NewBinary(decode(t, []byte(`51-["x"]`)))
	if complete, err := b.Add([]byte("one")); !complete || err != nil {
		t.Fatal(complete, err)
	}
	if _, err := b.Add([]byte("two")); !errors.Is(err, parser.ErrStrayBinary) {
		t.Errorf("one too many: %v", err)
	}
	var none parser.Binary
	if _, err := none.Add([]byte("one")); !errors.Is(err, parser.ErrStrayBinary) {
		t.Errorf("nothing announced: %v", err)
	}
}

func TestBinaryBoundsTheBytesTogether(t *testing.T) {
	for _, c := range []struct {
		most        int64
		first, next int
		err         error
	}{
		{5, 3, 2, nil}, {5, 3, 3, parser.ErrBinaryTooLarge}, {5, 5, 0, nil}, {5, 5, 1, parser.ErrBinaryTooLarge},
		{0, parser.DefaultBinaryBytes - 1, 1, nil}, {0, parser.DefaultBinaryBytes - 1, 2, parser.ErrBinaryTooLarge},
	} {
		b := parser.NewBinary(decode(t, []byte(`52-["x"]`)))
		b.MaxBytes = c.most
		if _, err := b.Add(make([]byte, c.first)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Add(make([]byte, c.next)); !errors.Is(err, c.err) {
			t.Errorf("%d + %d of %d: %v", c.first, c.next, c.most, err)
		}
	}
}

func TestBinaryErrorsSayWhatNodeSays(t *testing.T) {
	for err, want := range map[error]string{
		parser.ErrPlaintext:   "parser: got plaintext data when reconstructing a packet",
		parser.ErrStrayBinary: "parser: got binary data when not reconstructing a packet",
	} {
		if err.Error() != want {
			t.Errorf("%q", err)
		}
	}
}

// TestPacketsComeBackAsTheyWereSent encodes random packets, decodes them, collects their attachments and compares.
func TestPacketsComeBackAsTheyWereSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nsp := rapid.SampledFrom([]string{"/", "/admin", "/a/b?x=1", "/ü"}).Draw(t, "nsp")
		id, hasID := rapid.Uint64Range(0, 1<<53).Draw(t, "id"), rapid.Bool().Draw(t, "hasID")
		name := rapid.String().Filter(func(s string) bool { return !parser.ReservedName([]byte(s)) }).Draw(t, "name")
		atts := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 0, 10).Draw(t, "attachments")

		array := append(parser.AppendString([]byte("["), name), `,{"nested":[`...)
		for n := range atts {
			if n > 0 {
				array = append(array, ',')
			}
			array = parser.AppendPlaceholder(array, n)
		}
		array = append(array, "]}]"...)

		p := decode(t, parser.AppendEvent(nil, nsp, id, hasID, len(atts), array))
		if p.Type.Binary() != (len(atts) > 0) || p.Attachments != len(atts) || string(p.Namespace) != nsp ||
			p.HasID != hasID || hasID && p.ID != id || !bytes.Equal(p.Data, array) {
			t.Fatalf("%+v", p)
		}
		if got, _, err := parser.EventName(p.Data); err != nil || string(got) != name {
			t.Fatalf("name %q, %v", got, err)
		}
		collector := parser.NewBinary(p)
		for n, att := range atts {
			if complete, err := collector.Add(att); err != nil || complete != (n == len(atts)-1) {
				t.Fatalf("attachment %d: %v, %v", n, complete, err)
			}
		}
		_, got := collector.Packet()
		for n := range atts {
			if !bytes.Equal(got[n], atts[n]) {
				t.Fatalf("attachment %d: %v", n, got[n])
			}
		}
	})
}

func BenchmarkBinary(b *testing.B) {
	p, err := parser.Decode([]byte(`51-["bin",{"_placeholder":true,"num":0}]`), nil)
	if err != nil {
		b.Fatal(err)
	}
	att := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if complete, err := parser.NewBinary(p).Add(att); !complete || err != nil {
			b.Fatal(err)
		}
	}
}
