package clienttest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"pgregory.net/rapid"
)

var wide = &parser.Limits{Attachments: parser.MaxAttachments, Depth: parser.MaxDepth}

// The npm parsers write the same packet, and both forms must be the same to us; what we write must be the same to Node.
func TestMsgpackIsThatOfNode(t *testing.T) {
	driver := clienttest.Start(t)
	var packets []any
	generator := packetOf(3)
	for seed := range 1000 {
		packets = append(packets, generator.Example(seed))
	}
	encoded := driver.EncodePackets(t, packets)
	var messages [][]byte
	for i, e := range encoded {
		want, err := parser.Decode([]byte(e.Text), wide)
		if err != nil {
			t.Fatalf("%s: %v", e.Text, err)
		}
		got, attachments, err := parser.Msgpack{}.DecodePacket(e.Message, true, wide)
		if err != nil {
			t.Fatalf("%s: %x: %v", e.Text, e.Message, err)
		}
		if !same(want, got) || !reflect.DeepEqual(bytesOf(e.Attachments), bytesOf(attachments)) {
			t.Fatalf("packet %d: %v\nas text %s\nmsgpack %x\nread as %+v %s", i, packets[i], e.Text, e.Message, got, got.Data)
		}
		message, err := parser.Msgpack{}.AppendPacket(nil, &want, e.Attachments)
		if err != nil {
			t.Fatalf("%s: %v", e.Text, err)
		}
		messages = append(messages, message)
	}
	for i, d := range driver.DecodeMsgpack(t, messages) {
		if d.Error != "" {
			t.Fatalf("%s: %x: Node says %s", encoded[i].Text, messages[i], d.Error)
		}
		want, _ := parser.Decode([]byte(encoded[i].Text), wide)
		got, err := parser.Decode([]byte(d.Text), wide)
		if err != nil || !same(want, got) || !reflect.DeepEqual(bytesOf(encoded[i].Attachments), bytesOf(d.Attachments)) {
			t.Fatalf("we wrote %x\nof %s\nNode reads %s, %v", messages[i], encoded[i].Text, d.Text, err)
		}
	}
}

// same compares packets, but for the notation of their data.
func same(p, q parser.Packet) bool {
	var a, b any
	if p.Data != nil && (json.Unmarshal(p.Data, &a) != nil || json.Unmarshal(q.Data, &b) != nil) {
		return false
	}
	p.Data, q.Data = nil, nil
	return reflect.DeepEqual(a, b) && reflect.DeepEqual(p, q)
}

// bytesOf is the same for none and for nil.
func bytesOf(attachments [][]byte) string { return fmt.Sprintf("%x", attachments) }

// packetOf draws packets for Node to encode.
func packetOf(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		p := map[string]any{"nsp": rapid.SampledFrom([]string{"/", "/room", "/é"}).Draw(t, "namespace")}
		values := rapid.SliceOfN(valueOf(depth), 0, 5).Draw(t, "values")
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			p["type"] = 0
			p["data"] = rapid.MapOf(text, scalar).Draw(t, "auth")
		case 1:
			p["type"], p["data"], p["id"] = 3, values, rapid.IntRange(0, 1<<53).Draw(t, "id")
		case 2:
			p["type"], p["data"], p["id"] = 2, append([]any{"event"}, values...), rapid.IntRange(0, 70_000).Draw(t, "id")
		default:
			p["type"], p["data"] = 2, append([]any{rapid.SampledFrom([]any{"event", "", 7, "é"}).Draw(t, "event")}, values...)
		}
		return p
	})
}

var (
	text = rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "$", "") })

	scalar = rapid.OneOf(
		text.AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil), rapid.Int64Range(-1<<53, 1<<53).AsAny(), rapid.Int16().AsAny(),
		rapid.Map(rapid.Float64Range(-1, 1), func(f float64) any { return f }), // larger ones that are whole overflow in notepack.io
	)
)

func valueOf(depth int) *rapid.Generator[any] {
	binary := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 300), func(b []byte) any { return map[string]any{"$bin": b} })
	date := rapid.Map(rapid.Int64Range(-8.64e15, 8.64e15), func(ms int64) any { return map[string]any{"$date": ms} })
	undefined := rapid.Just[any](map[string]any{"$undefined": true})
	all := []*rapid.Generator[any]{scalar, binary, date, undefined}
	if depth > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[any] { return valueOf(depth - 1) })
		all = append(all, rapid.SliceOfN(inner, 0, 20).AsAny(), rapid.MapOfN(text, inner, 0, 20).AsAny())
	}
	return rapid.OneOf(all...)
}
