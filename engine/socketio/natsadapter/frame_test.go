package natsadapter

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// messages has each field in some message.
var messages = []cluster.Message{
	{Type: cluster.Broadcast},
	{Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte(`["x",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1, 2}, {}}}, Opts: cluster.Opts{
		Rooms: []string{"a", "", "ä.*>"}, Except: []string{"b"}, Flags: socketio.Flags{Volatile: true, NoCompress: true}, Timeout: time.Second, Single: true,
	}, RequestID: "0123456789abcdef", Sequence: 77},
	{Type: cluster.SocketsJoin, Rooms: []string{"c", "d"}, Opts: cluster.Opts{Flags: socketio.Flags{Local: true}}},
	{Type: cluster.DisconnectSockets, Close: true},
	{Type: cluster.FetchSocketsResponse, RequestID: "r", Sockets: []socketio.SocketState{{
		ID: "id", Rooms: []string{"id", "room"}, Data: map[string]json.RawMessage{"user": json.RawMessage(`{"n":1}`)},
		Handshake: &socketio.Handshake{Address: "127.0.0.1", Headers: map[string][]string{"A": {"b"}}, Query: url.Values{"EIO": {"4"}}, Issued: 5, Auth: socketio.Raw(`{"token":1}`)},
	}, {ID: "other", Rooms: []string{}}}},
	{Type: cluster.BroadcastAck, SocketID: "s", Failed: "why", PID: "p"},
	{Type: cluster.CountSocketsResponse, Clients: 12345},
	{Type: cluster.RoomSizesResponse, Sizes: map[string]int{"a": 1, "b": 0}},
	{Type: cluster.Tally, Sent: map[string]uint64{"lane": 1 << 60}},
}

func TestMessagesComeAsTheyWere(t *testing.T) {
	t.Parallel()
	seen := uint64(0)
	for _, m := range messages {
		seen |= fieldsOf(&m)
		frame, err := newFrame(0x0123456789abcdef, &m)
		if err != nil {
			t.Fatal(err)
		}
		setNumber(frame, 9)
		h, payload, err := readHead(frame)
		if err != nil || h != (head{uint8(m.Type), 0x0123456789abcdef, 9}) || h.server.String() != "0123456789abcdef" {
			t.Errorf("%+v, %v", h, err)
		}
		var got cluster.Message
		if err := readMessage(&got, h.kind, payload); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, m)
		}
		for cut := range payload { // no beginning of it is a message
			if readMessage(&got, h.kind, payload[:cut]) == nil {
				t.Errorf("%d of %d bytes of type %d are a message", cut, len(payload), m.Type)
			}
		}
	}
	if seen != allFields {
		t.Errorf("fields %b of %b", seen, uint64(allFields))
	}
}

// FuzzMessage: what can be read is written as something that reads the same; and nothing
// that is declared makes memory grow far beyond what came.
func FuzzMessage(f *testing.F) {
	for _, m := range messages {
		b, _ := appendMessage(nil, &m)
		f.Add(uint8(m.Type), b)
	}
	f.Add(uint8(3), []byte{0x08, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte) {
		var m, again cluster.Message
		if readMessage(&m, kind, payload) != nil {
			return
		}
		b, err := appendMessage(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		if err := readMessage(&again, kind, b); err != nil {
			t.Fatalf("%v: %x as %x", err, payload, b)
		}
		if c, _ := appendMessage(nil, &again); len(c) != len(b) {
			t.Errorf("%x is %x and then %x", payload, b, c)
		}
	})
}

// FuzzBatch: whatever is in the stream, entries are in order and none is read twice.
func FuzzBatch(f *testing.F) {
	for _, m := range messages[:2] {
		b, _ := appendMessage(appendText(nil, "/chat"), &m)
		f.Add(appendText(appendText(appendHead(nil, kindBatch, 1), b), b))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		next := 0
		_, _ = readBatch(1, 2, data, func(e cluster.Entry) bool {
			p, ok := parsePlace(e.Message.Offset)
			if !ok || p != (place{1, 2, next}) || e.Message.Type != cluster.Broadcast {
				t.Errorf("entry %d is %+v", next, e.Message)
			}
			next++
			return true
		})
		_, _, _ = readHead(data)
		_, _ = readProgress(data)
		var a assembly
		_, _ = a.add("s", data, 1<<20)
	})
}

// FuzzPlace: an offset has one form only.
func FuzzPlace(f *testing.F) {
	f.Add("mabc1234-17-3")
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := parsePlace(text); ok && (p.String() != text || len(text) > 30) {
			t.Errorf("%q is %v", text, p)
		}
	})
}

func TestPartsMakeAMessage(t *testing.T) {
	t.Parallel()
	part := func(i, n byte, s string) []byte { return append([]byte{i, n}, s...) }
	var a assembly
	add := func(subject string, p []byte) string {
		whole, err := a.add(subject, p, 8)
		if err != nil {
			return err.Error()
		}
		return string(whole)
	}
	for i, c := range []struct {
		subject string
		part    []byte
		want    string
	}{
		{"x", part(0, 2, "abc"), ""}, {"x", part(1, 2, "def"), "abcdef"},
		{"x", part(1, 2, "def"), ""},                                                                        // the first is missing
		{"x", part(0, 3, "abc"), ""}, {"x", part(2, 3, "ghi"), ""}, {"x", part(1, 3, ""), errFrame.Error()}, // the second is
		{"x", part(0, 2, "abc"), ""}, {"y", part(1, 2, "def"), ""}, {"x", part(1, 2, "def"), ""}, // another's
		{"x", part(0, 3, "abcd"), ""}, {"x", part(1, 3, "efghi"), errTooLong.Error()}, {"x", part(2, 3, "j"), ""},
		{"x", part(0, 2, "abc"), ""}, {"x", part(0, 2, "xyz"), ""}, {"x", part(1, 2, "!"), "xyz!"}, // begun anew
		{"x", part(2, 2, "abc"), errFrame.Error()}, {"x", part(0, 1, "abc"), errFrame.Error()}, {"x", nil, errFrame.Error()},
	} {
		if got := add(c.subject, c.part); got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
	if len(a.whole) > 0 {
		t.Error("something is kept")
	}
}

func TestNamesAreTokensOfSubjects(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"", "/", "/chat", "%2F", "/a.b", "/a*b", "/a>b", "/a b", "/ä", "/a\r\nPUB", strings.Repeat("/long", 100), strings.Repeat("/long", 101), strings.Repeat("ä", 70), "_", "%", "~"} {
		tok := token(name)
		if tok == "" || len(tok) > maxToken || strings.ContainsAny(tok, ". *>\r\n\t") || !isASCII(tok) {
			t.Errorf("%q is %q", name, tok)
		}
		if other, ok := seen[tok]; ok {
			t.Errorf("%q and %q are both %q", name, other, tok)
		}
		seen[tok] = name
	}
	for rest, want := range map[string]address{"%2F.b": {"%2F", 'b'}, "%2F.r.17": {"%2F", 'r'}, "_.q": {"_", 'q'}, "%2F.u.ab": {"%2F", 'u'}} {
		if a, ok := addressOf(rest); !ok || a != want {
			t.Errorf("%q: %v, %v", rest, a, ok)
		}
	}
	for _, rest := range []string{"", ".", "x", "x.", ".b", "x.bb", "x.b.", "x.r", "x.r.", "x.z", "x.u"} {
		if a, ok := addressOf(rest); ok {
			t.Errorf("%q: %v", rest, a)
		}
	}
}

func isASCII(s string) bool {
	return bytes.IndexFunc([]byte(s), func(r rune) bool { return r > 126 }) < 0
}

// Rooms fall on shards in the same way on all servers, of all versions.
func TestShardsStay(t *testing.T) {
	t.Parallel()
	for _, room := range []string{"", "lobby", "room-1", "ä"} {
		h := fnv.New32a()
		_, _ = h.Write([]byte(room))
		if got := shardOf(room, 1024); got != int(h.Sum32()%1024) {
			t.Errorf("%q falls on %d", room, got)
		}
	}
}
