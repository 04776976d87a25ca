package redisadapter

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// nodeEntries are what Node's adapter 0.3.1 has appended to a stream.
var nodeEntries = []entry{
	{"1795334188035-0", "aa88307b3183776c", "/", "3", `{"packet":{"type":2,"data":["news","hi"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}}`, ""},
	{"1795334188035-1", "aa88307b3183776c", "/", "3", "gqZwYWNrZXSCpHR5cGUCpGRhdGGSo2JpbsQEAQID/6RvcHRzg6Vyb29tc5CmZXhjZXB0kKVmbGFnc4A=", ""},
	{"1795334188035-2", "aa88307b3183776c", "/chat", "4", `{"opts":{"rooms":["room1"],"except":[],"flags":{}},"rooms":["room2","room3"]}`, ""},
	{"1795334188035-3", "aa88307b3183776c", "/", "5", `{"opts":{"rooms":["room1"],"except":["room9"],"flags":{}},"rooms":["room3"]}`, ""},
	{"1795334188036-0", "aa88307b3183776c", "/", "6", `{"opts":{"rooms":["room1"],"except":[],"flags":{}},"close":false}`, ""},
}

func TestEntriesAreThoseOfNode(t *testing.T) {
	for _, e := range nodeEntries {
		m, err := parseEntry(e, cluster.MaxMessage)
		if err != nil {
			t.Errorf("%+v: %v", e, err)
			continue
		}
		if m.UID != e.uid || m.Offset != e.id {
			t.Errorf("%+v of %+v", m, e)
		}
		if got, err := appendEntryData(nil, m, false); err != nil || string(got) != e.data {
			t.Errorf("%s, %v; want %s", got, err, e.data)
		}
	}
}

// The emitter names the namespace in the packet, and older servers put requests into
// the stream.
func TestEntriesOfEmittersAndOlderServers(t *testing.T) {
	for _, e := range []entry{
		{"1-1", "emitter", "/", "3", `{"packet":{"type":2,"data":["news","hi"],"nsp":"/"},"opts":{"rooms":[],"flags":{},"except":[]}}`, ""},
		{"1-1", "emitter", "/", "9", `{"packet":["hello","x"]}`, ""},
		{"1-1", "aa88307b3183776c", "/", "7", `{"opts":{"rooms":["room1"],"except":[],"flags":{}},"requestId":"93fcd4dd058b1738"}`, ""},
		{"1-1", "aa88307b3183776c", "/", "13", ``, ""},
	} {
		if m, err := parseEntry(e, cluster.MaxMessage); err != nil || m.UID != e.uid {
			t.Errorf("%+v: %+v, %v", e, m, err)
		}
	}
}

func TestEntriesThatAreNone(t *testing.T) {
	good := nodeEntries[0]
	for what, spoil := range map[string]func(e *entry){
		"no type":       func(e *entry) { e.kind = "" },
		"type 0":        func(e *entry) { e.kind = "0" },
		"a large type":  func(e *entry) { e.kind = "259" },
		"no number":     func(e *entry) { e.kind = "3x" },
		"no data":       func(e *entry) { e.data = "" },
		"half of JSON":  func(e *entry) { e.data = e.data[:20] },
		"no base64":     func(e *entry) { e.data = "[1]" },
		"no msgpack":    func(e *entry) { e.data = "xf////8=" },
		"too large":     func(e *entry) { e.data += strings.Repeat(" ", 1000) },
		"no sequence":   func(e *entry) { e.seq = "-1" },
		"a long sender": func(e *entry) { e.uid = strings.Repeat("x", 1000) },
	} {
		e := good
		spoil(&e)
		if m, err := parseEntry(e, 500); !errors.Is(err, cluster.ErrMalformed) {
			t.Errorf("%s: %+v, %v", what, m, err)
		}
	}
}

func TestPlaintextOnly(t *testing.T) {
	m := &cluster.Message{Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte(`["x",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}}}
	if _, err := appendEntryData(nil, m, true); !errors.Is(err, ErrBinary) {
		t.Error(err)
	}
}

// Over sharded pub/sub messages are JSON unless something is binary; beside a stream
// they are always msgpack.
func TestMessagesOfPubSubAreThoseOfNode(t *testing.T) {
	text := `{"type":3,"data":{"packet":{"type":2,"data":["news","hi"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}},"uid":"97894f6fc974b737","nsp":"/"}`
	binary := "84a47479706503a46461746182a67061636b657482a47479706502a46461746192a362696ec404010203ffa46f70747383a5726f6f6d7390a665786365707490a5666c61677380a3756964b039373839346636666339373462373337a36e7370a12f"
	beside := "84a4747970650ba46461746182a9726571756573744964b061316464353033336332666131363731ab636c69656e74436f756e7401a3756964b035353430653366636332383463626239a36e7370a12f"
	raw := func(s string) string { b, _ := hex.DecodeString(s); return string(b) }
	for wire, form := range map[string]func([]byte, *cluster.Message, string) ([]byte, error){
		text: appendText, raw(binary): appendText, raw(beside): appendPacked,
	} {
		m, nsp, err := parseEither([]byte(wire), cluster.MaxMessage)
		if err != nil || nsp != "/" {
			t.Errorf("%q: %+v, %v", wire, m, err)
			continue
		}
		if got, err := form(nil, m, nsp); err != nil || string(got) != wire {
			t.Errorf("%q, %v; want %q", got, err, wire)
		}
		own, other := newOwnSuffix(m.UID, nsp), newOwnSuffix(m.UID, "/other")
		if !own.of(wire) || other.of(wire) || newOwnSuffix("0123456789abcdef", nsp).of(wire) {
			t.Errorf("%q is not known by its end", wire)
		}
	}
	if _, _, err := parseEither([]byte(text), 10); err == nil {
		t.Error("a message was too large and taken")
	}
}

func TestIDsOfEntries(t *testing.T) {
	for a, b := range map[string]string{"": "0-0", "0-0": "0-1", "1-5": "2-0", "9-9": "9-10", "99-0": "100-0"} {
		if !newerID(b, a) || newerID(a, b) || newerID(a, a) {
			t.Errorf("%s and %s", a, b)
		}
	}
	for id, next := range map[string]string{"": "-", "5-6": "5-7", "5-18446744073709551615": "6-0"} {
		if got := nextID(id); got != next {
			t.Errorf("after %q: %q", id, got)
		}
	}
	for _, id := range []string{"", "-", "1", "1-", "-1", "+1-1", "1-1-1", "1_0-1", "a-1", "18446744073709551616-0", "1-1 "} {
		if _, _, ok := parseStreamID(id); ok {
			t.Errorf("%q was taken for an id", id)
		}
	}
}

func FuzzEntry(f *testing.F) {
	for _, e := range nodeEntries {
		f.Add(e.uid, e.kind, e.data)
	}
	f.Add("emitter", "9", `{"packet":["hello","x"]}`)
	f.Fuzz(func(t *testing.T, uid, kind, data string) {
		m, err := parseEntry(entry{"1-1", uid, "/", kind, data, ""}, cluster.MaxMessage)
		if err != nil {
			return
		}
		out, err := appendEntryData(nil, m, false)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		again, err := parseEntry(entry{"1-1", uid, "/", kind, string(out), ""}, 2*cluster.MaxMessage)
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if last, err := appendEntryData(nil, again, false); err != nil || string(last) != string(out) {
			t.Fatalf("%s, then %s, %v", out, last, err)
		}
	})
}

func FuzzPubSub(f *testing.F) {
	f.Add([]byte(`{"type":11,"data":{"requestId":"ddfa87d5c80d999d","clientCount":1},"uid":"ac1141fafa842b78","nsp":"/"}`))
	b, _ := base64.StdEncoding.DecodeString("hKR0eXBlA6RkYXRhgqZwYWNrZXSCpHR5cGUCpGRhdGGSo2JpbsQEAQID/6RvcHRzg6Vyb29tc5CmZXhjZXB0kKVmbGFnc4CjdWlksDk3ODk0ZjZmYzk3NGI3MzejbnNwoS8=")
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, nsp, err := parseEither(b, cluster.MaxMessage)
		if err != nil {
			return
		}
		out, err := appendText(nil, m, nsp)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		again, nsp2, err := parseEither(out, 2*cluster.MaxMessage)
		if err != nil || nsp2 != nsp || again.Type != m.Type || !reflect.DeepEqual(again.Opts.Flags, m.Opts.Flags) {
			t.Fatalf("%q: %+v, %v", out, again, err)
		}
	})
}
