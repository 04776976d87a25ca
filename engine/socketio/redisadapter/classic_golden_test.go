package redisadapter_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

// capture is one message of Node's.
type capture struct {
	name, channel string
	bytes         []byte
}

func captures(t testing.TB, file string) (list []capture) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, named := strings.CutPrefix(lines.Text(), "- ")
		if !named {
			continue
		}
		c := capture{name: name}
		lines.Scan()
		c.channel = lines.Text()
		lines.Scan()
		c.bytes = lines.Bytes()
		if c.bytes[0] != '{' {
			c.bytes = unhex(t, lines.Text())
		}
		c.bytes = bytes.Clone(c.bytes)
		list = append(list, c)
	}
	return list
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func jsonPacket(array string, attachments ...[]byte) cluster.Packet {
	return cluster.Packet{JSON: []byte(array), Attachments: attachments}
}

const placeholder = `{"_placeholder":true,"num":0}`

// classicMessages are what the captures say.
func classicMessages() map[string]cluster.Message {
	const uid = "LbrptE"
	room1 := cluster.Opts{Rooms: []string{"room1"}}
	return map[string]cluster.Message{
		"everybody":             {Type: cluster.Broadcast, UID: uid, Packet: jsonPacket(`["news","hi",1,{"a":true,"b":null,"f":1.5}]`)},
		"one room":              {Type: cluster.Broadcast, UID: uid, Packet: jsonPacket(`["news","hi"]`), Opts: room1},
		"two rooms except one":  {Type: cluster.Broadcast, UID: uid, Packet: jsonPacket(`["news","hi"]`), Opts: cluster.Opts{Rooms: []string{"room1", "room2"}, Except: []string{"room3"}}},
		"volatile uncompressed": {Type: cluster.Broadcast, UID: uid, Packet: jsonPacket(`["news","hi"]`), Opts: cluster.Opts{Flags: socketio.Flags{Volatile: true, NoCompress: true}}},
		"binary":                {Type: cluster.Broadcast, UID: uid, Packet: jsonPacket(`["bin",`+placeholder+`]`, []byte{1, 2, 3, 255})},
		"acknowledged":          {Type: cluster.Broadcast, UID: uid, RequestID: "iiQ-55", Packet: jsonPacket(`["ask","q1"]`), Opts: cluster.Opts{Timeout: time.Second}},
		"acknowledged binary in a room": {
			Type: cluster.Broadcast, UID: uid, RequestID: "u2XHwp", Packet: jsonPacket(`["ask",`+placeholder+`]`, []byte{9, 8}),
			Opts: cluster.Opts{Rooms: []string{"room1"}, Timeout: time.Second},
		},
		"client count":                     {Type: cluster.BroadcastClientCount, RequestID: "iiQ-55", Clients: 1},
		"acknowledgement":                  {Type: cluster.BroadcastAck, RequestID: "iiQ-55", Packet: jsonPacket(`["reply-q1"]`)},
		"join":                             {Type: cluster.SocketsJoin, UID: uid, Opts: room1, Rooms: []string{"room2", "room3"}},
		"leave":                            {Type: cluster.SocketsLeave, UID: uid, Opts: cluster.Opts{Rooms: []string{"room1"}, Except: []string{"room9"}}, Rooms: []string{"room3"}},
		"disconnect":                       {Type: cluster.DisconnectSockets, UID: uid, Opts: room1},
		"fetch":                            {Type: cluster.FetchSockets, UID: uid, RequestID: "eqz1a2", Opts: room1},
		"server-side event":                {Type: cluster.ServerSideEmit, UID: uid, Packet: jsonPacket(`["hello","world",{"n":1}]`)},
		"server-side event with an answer": {Type: cluster.ServerSideEmit, UID: uid, RequestID: "3T9E-W", Packet: jsonPacket(`["hello","world"]`)},
		"server-side answer":               {Type: cluster.ServerSideEmitResponse, RequestID: "3T9E-W", Packet: jsonPacket(`["pong-B"]`)},
	}
}

func everything(string) bool { return true }

// readClassic reads as the channel has it.
func readClassic(t testing.TB, c capture) *cluster.Message {
	t.Helper()
	var m *cluster.Message
	var err error
	switch {
	case strings.HasPrefix(c.channel, "socket.io-request#"):
		m, _, err = redisadapter.ReadClassicRequest(c.bytes)
	case strings.HasPrefix(c.channel, "socket.io-response#"):
		m, err = redisadapter.ReadClassicAnswer(c.bytes, everything)
	default:
		var nsp string
		if m, nsp, err = redisadapter.ReadClassicBroadcast(c.bytes); nsp != "/" {
			t.Errorf("%s: namespace %q", c.name, nsp)
		}
	}
	if err != nil || m == nil {
		t.Fatalf("%s: %v, %v", c.name, m, err)
	}
	return m
}

// same compares what is said, not how it is kept.
func same(x, y *cluster.Message) bool {
	plain := func(m *cluster.Message) [12]any {
		return [12]any{
			m.Type, m.UID, m.RequestID, string(m.Packet.JSON), string(bytes.Join(m.Packet.Attachments, []byte(","))),
			strings.Join(m.Opts.Rooms, ","), strings.Join(m.Opts.Except, ","), m.Opts.Flags, m.Opts.Timeout,
			strings.Join(m.Rooms, ","), m.Close, m.Clients,
		}
	}
	return reflect.DeepEqual(plain(x), plain(y))
}

func TestClassicIsWrittenAndReadAsNodeDoes(t *testing.T) {
	t.Parallel()
	messages := classicMessages()
	for _, c := range captures(t, "testdata/classic.txt") {
		want, ok := messages[c.name]
		if !ok {
			t.Errorf("%s: what is that?", c.name)
		}
		delete(messages, c.name)
		if got, err := redisadapter.ClassicBody(&want, "/"); err != nil || !bytes.Equal(got, c.bytes) {
			t.Errorf("%s: wrote\n%q, %v, not\n%q", c.name, got, err, c.bytes)
		}
		if got := readClassic(t, c); !same(got, &want) {
			t.Errorf("%s: read\n%+v, not\n%+v", c.name, got, want)
		}
	}
	for name := range messages {
		t.Errorf("%s: no such capture", name)
	}
}

// What others than Node's servers of today send is understood as well.
func TestClassicReadsWhatElseThereIs(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"of Go, by hand":                 unhex(t, "93a6474f7569643183a47479706502a46461746195a666726f6d476fa2686907c4030102ff81a16bc3a36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677380"),
		"of the emitter":                 unhex(t, "93a7656d697474657283a47479706502a46461746192a46e657773c40101a36e7370a12f83a5726f6f6d7391a5726f6f6d31a5666c61677381a8766f6c6174696c65c3a665786365707491a178"),
		"a numeric room":                 unhex(t, "93a64c627270744583a47479706502a46461746192a46e657773a26869a36e7370a12f83a5726f6f6d73917ba665786365707490a5666c61677380"),
		"no except, no flags, other key": unhex(t, "93a64c627270744584a47479706502a46461746191a46e657773a36e7370a12fa16ba17681a5726f6f6d7390"),
		"no namespace":                   unhex(t, "93a64c627270744582a47479706502a46461746191a46e65777381a5726f6f6d7390"),
	} {
		m, nsp, err := redisadapter.ReadClassicBroadcast(b)
		if err != nil || nsp != "/" || m.Type != cluster.Broadcast {
			t.Errorf("%s: %+v, %q, %v", name, m, nsp, err)
			continue
		}
		if name == "a numeric room" && (len(m.Opts.Rooms) != 1 || m.Opts.Rooms[0] != "123") {
			t.Errorf("%s: %q", name, m.Opts.Rooms)
		}
	}
	for text, want := range map[string]redisadapter.OldRequest{
		`{"uid":"u","requestId":"r","type":0,"rooms":["a"]}`:                   {Kind: 0, UID: "u", ID: "r", Rooms: []string{"a"}},
		`{"uid":"u","requestId":"r","type":1}`:                                 {Kind: 1, UID: "u", ID: "r"},
		`{"requestId":"rq","type":2,"sid":"s","room":"legacyroom","uid":"u"}`:  {Kind: 2, UID: "u", ID: "rq", SID: "s", Room: "legacyroom"},
		`{"requestId":"rq","type":3,"sid":"s","room":"legacyroom"}`:            {Kind: 3, ID: "rq", SID: "s", Room: "legacyroom"},
		`{"requestId":"rq","type":4,"sid":"s","close":true,"uid":"u","x":[1]}`: {Kind: 4, UID: "u", ID: "rq", SID: "s", Close: true},
		`{"uid":"u","type":77}`:                                                {Kind: 77, UID: "u"},
	} {
		if m, got, err := redisadapter.ReadClassicRequest([]byte(text)); m != nil || err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %+v, %v", text, m, got, err)
		}
	}
	m, _, err := redisadapter.ReadClassicRequest([]byte(`{"type":2,"opts":{"rooms":["room1",7],"except":[]},"rooms":["room7"]}`))
	if err != nil || m.Type != cluster.SocketsJoin || m.UID != "" || m.Opts.Rooms[1] != "7" {
		t.Errorf("of the emitter: %+v, %v", m, err)
	}
	answer, err := redisadapter.ReadClassicAnswer([]byte(`{"requestId":"r","sockets":[{"id":"s","rooms":["s","x"],"data":{"a":1},"handshake":{"address":"::1"}}]}`), everything)
	if err != nil || len(answer.Sockets) != 1 || answer.Sockets[0].ID != "s" || answer.Sockets[0].Handshake.Address != "::1" {
		t.Errorf("sockets: %+v, %v", answer, err)
	}
	if answer, err := redisadapter.ReadClassicAnswer([]byte(`{"requestId":"r"}`), func(string) bool { return false }); answer != nil || err != nil {
		t.Errorf("an answer to others: %+v, %v", answer, err)
	}
}

// Buffers are what JSON makes of them where Node has JSON.
func TestClassicHasBuffersInJSON(t *testing.T) {
	t.Parallel()
	packet := jsonPacket(`["b",`+placeholder+`]`, []byte{1, 2})
	for want, m := range map[string]cluster.Message{
		`{"uid":"LbrptE","type":6,"data":["b",{"type":"Buffer","data":[1,2]}]}`:     {Type: cluster.ServerSideEmit, UID: "LbrptE", Packet: packet},
		`{"type":6,"requestId":"3T9E-W","data":{"type":"Buffer","data":[1,2]}}`:     {Type: cluster.ServerSideEmitResponse, RequestID: "3T9E-W", Packet: jsonPacket(`[`+placeholder+`]`, []byte{1, 2})},
		`{"type":6,"requestId":"3T9E-W"}`:                                           {Type: cluster.ServerSideEmitResponse, RequestID: "3T9E-W", Packet: jsonPacket(`[]`)},
		`{"uid":"LbrptE","type":64,"sent":{"":7}}`:                                  {Type: cluster.Tally, UID: "LbrptE", Sent: map[string]uint64{"": 7}},
		`{"requestId":"r","sockets":[]}`:                                            {Type: cluster.FetchSocketsResponse, RequestID: "r"},
		`{"uid":"LbrptE","type":4,"opts":{"rooms":[],"except":["é"]},"close":true}`: {Type: cluster.DisconnectSockets, UID: "LbrptE", Opts: cluster.Opts{Except: []string{"é"}}, Close: true},
	} {
		if got, err := redisadapter.ClassicBody(&m, "/"); err != nil || string(got) != want {
			t.Errorf("wrote\n%s, %v, not\n%s", got, err, want)
		}
	}
}

// Shapes of other adapters, and nonsense, are refused.
func TestClassicRefuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]string{
		"a map of the streams adapter": "84a47479706509a46461746181a67061636b657493a568656c6c6fa5776f726c6481a16e01a3756964b061613838333037623331383337373663a36e7370a12f",
		"nothing":                      "",
		"nil":                          "c0",
		"a number":                     "07",
		"an array of two":              "92a1758182a474797065",
		"an array of two parts":        "92a17580",
		"an array of four":             "94a17582a47479706502a46461746191a16181a5726f6f6d7390c0",
		"uid is a number":              "930182a47479706502a46461746191a16181a5726f6f6d7390",
		"packet is an array":           "93a1759081a5726f6f6d7390",
		"packet is no event":           "93a17582a47479706503a46461746191a16181a5726f6f6d7390",
		"event without a name":         "93a17582a47479706502a46461746191c081a5726f6f6d7390",
		"opts is nil":                  "93a17582a47479706502a46461746191a161c0",
		"rooms is a map":               "93a17582a47479706502a46461746191a16181a5726f6f6d7380",
		"a room is an array":           "93a17582a47479706502a46461746191a16181a5726f6f6d739190",
		"bytes behind":                 "93a17582a47479706502a46461746191a16181a5726f6f6d7390c0",
		"a declared length":            "ddffffffff",
		"another declared length":      "c6ffffffff",
		"nested":                       strings.Repeat("91", 600) + "c0",
		"JSON":                         hex.EncodeToString([]byte(`["u",{"type":2,"data":["a"]},{"rooms":[]}]`)),
	} {
		if m, _, err := redisadapter.ReadClassicBroadcast(unhex(t, b)); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	for _, text := range []string{
		"", "{", "[]", "{}", `{"type":"2"}`, `{"type":-1}`, `{"type":2,"sid":7,"room":"a"}`, `{"type":2,"sid":"s","room":{}}`, `{"type":2,"opts":[],"rooms":["a"]}`,
		`{"type":5,"opts":{"rooms":[]}}`, `{"type":6,"data":{}}`, `{"type":6,"data":[]}`, `{"type":7,"requestId":"r","packet":{},"opts":{}}`, `{"type":0}`,
		`{"type":64,"sent":[]}`, `{"type":5,"requestId":"` + strings.Repeat("x", 9999) + `","opts":{}}`, "{\"type\":6,\"data\":[\"\xff\"]}",
	} {
		if m, old, err := redisadapter.ReadClassicRequest([]byte(text)); err == nil {
			t.Errorf("%s: %+v, %+v", text, m, old)
		}
	}
	for _, text := range []string{"", "{}", `{"requestId":"r"}`, `{"requestId":7,"sockets":[]}`, `{"requestId":"r","sockets":{}}`, `{"requestId":"r","type":8,"clientCount":-1}`, `{"requestId":"r","type":12}`} {
		if m, err := redisadapter.ReadClassicAnswer([]byte(text), everything); err == nil {
			t.Errorf("%s: %+v", text, m)
		}
	}
}
