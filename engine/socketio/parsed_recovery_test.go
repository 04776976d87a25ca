package socketio_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Recovery with msgpack, on the wire: the offset is where stock clients look for it, and
// what was missed comes in front of the CONNECT answer.
func TestRecoveryWithMsgpackOnTheWire(t *testing.T) {
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		w := recoveringWith(t, socketio.Options{Parser: socketio.Msgpack{}, ConnectionStateRecovery: &socketio.Recovery{}})
		var c wire
		read := func() parser.Packet {
			t.Helper()
			p, _, err := parser.Msgpack{}.DecodePacket([]byte(strings.TrimPrefix(c.read(), "binary:")), true, nil)
			must(t, err)
			return p
		}
		connect := func(auth string) {
			t.Helper()
			c = dial(t, w.addr)
			b, err := parser.Msgpack{}.AppendPacket(nil, &parser.Packet{Type: parser.Connect, Namespace: []byte("/"), Data: []byte(auth)}, nil)
			must(t, err)
			c.sendBinary(b...)
		}
		var id struct{ SID, PID string }
		connected := func() {
			t.Helper()
			if p := read(); p.Type != parser.Connect || json.Unmarshal(p.Data, &id) != nil || id.PID == "" {
				t.Fatalf("answer %v %s", p.Type, p.Data)
			}
		}
		event := func(want string) (offset string) {
			t.Helper()
			p := read()
			data, offset, ok := strings.Cut(string(p.Data), `,"`+socketio.FormatOffset(w.Server, 0)[:6])
			if !ok || data != want {
				t.Fatalf("event %s, want %s", p.Data, want)
			}
			return socketio.FormatOffset(w.Server, 0)[:6] + strings.TrimSuffix(offset, `"]`)
		}
		connect(`{}`)
		connected()
		before := id
		s := w.socket(c, id.SID)
		must(t, w.Emit("one", 1))
		must(t, w.Volatile().Emit("volatile"))
		must(t, s.Compress(false).Emit("blob", []byte{1}))
		offset := event(`["one",1`)
		if _, polls := c.(*poller); !polls { // between two polls there is nowhere to send it to
			event(`["volatile"`)
		}
		last := event(`["blob",{"_placeholder":true,"num":0}`)
		if last <= offset {
			t.Errorf("offset %s after %s", last, offset)
		}
		must(t, w.Emit("missed", 1))
		must(t, s.Emit("alone"))
		connect(`{"pid":"` + id.PID + `","offset":"` + last + `"}`) // over the old one
		event(`["missed",1`)
		event(`["alone"`)
		if connected(); id != before {
			t.Errorf("%v is back as %v", before, id)
		}
		must(t, w.Emit("live"))
		event(`["live"`)
	})
}
