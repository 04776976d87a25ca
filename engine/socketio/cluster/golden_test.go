package cluster_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// What Node's servers said to each other, seen on a Redis between two of them
// (socket.io 4.8.4, @socket.io/redis-adapter 8.3.0, redis-streams-adapter 0.3.1).
var (
	shardedTexts = []string{
		`{"type":3,"data":{"packet":{"type":2,"data":["news","hi",1,{"a":true,"b":null,"f":1.5}]},"opts":{"rooms":[],"except":[],"flags":{}}},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["news","hi"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["ask","q1"]},"requestId":"ddfa87d5c80d999d","opts":{"rooms":[],"except":[],"flags":{"timeout":1000}}},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":11,"data":{"requestId":"ddfa87d5c80d999d","clientCount":1},"uid":"ac1141fafa842b78","nsp":"/"}`,
		`{"type":12,"data":{"requestId":"ddfa87d5c80d999d","packet":"reply-q1"},"uid":"ac1141fafa842b78","nsp":"/"}`,
		`{"type":4,"data":{"opts":{"rooms":["room1"],"except":[],"flags":{}},"rooms":["room2","room3"]},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":5,"data":{"opts":{"rooms":["room1"],"except":["room9"],"flags":{}},"rooms":["room3"]},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":7,"data":{"opts":{"rooms":["room1"],"except":[],"flags":{}},"requestId":"93fcd4dd058b1738"},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":9,"data":{"packet":["hello","world",{"n":1}]},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":9,"data":{"requestId":"1a8ac10cd90d8e0c","packet":["hello","world"]},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":10,"data":{"requestId":"1a8ac10cd90d8e0c","packet":"pong-B"},"uid":"ac1141fafa842b78","nsp":"/"}`,
		`{"type":6,"data":{"opts":{"rooms":["room1"],"except":[],"flags":{}},"close":false},"uid":"97894f6fc974b737","nsp":"/"}`,
		`{"type":1,"uid":"e1c11c50397e19da","nsp":"/"}`,
		`{"type":2,"uid":"1af57729cef066ab","nsp":"/"}`,
		`{"type":13,"uid":"1af57729cef066ab","nsp":"/"}`,
		// And flags as io.volatile.compress(false) has them.
		`{"type":3,"data":{"packet":{"type":2,"data":["news","hi"]},"opts":{"rooms":[],"except":["x"],"flags":{"volatile":true,"compress":false}}},"uid":"97894f6fc974b737","nsp":"/chat"}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["ask"]},"requestId":"1a8ac10cd90d8e0c","opts":{"rooms":["umwiAIyt1WBO3mDDAAAB"],"except":[],"flags":{"expectSingleResponse":true,"timeout":800}}},"uid":"97894f6fc974b737","nsp":"/"}`,
	}
	// Sharded pub/sub with binary; the last one is a server-side event.
	shardedMsgpack = []string{
		"84a47479706503a46461746182a67061636b657482a47479706502a46461746192a362696ec404010203ffa46f70747383a5726f6f6d7390a665786365707490a5666c61677380a3756964b039373839346636666339373462373337a36e7370a12f",
		"84a47479706509a46461746181a67061636b657492a568656c6c6fc4020102a3756964b039373839346636666339373462373337a36e7370a12f",
	}
	// The pub/sub half of the streams adapter, which is always msgpack.
	streamsMsgpack = []string{
		"84a47479706503a46461746183a67061636b657482a47479706502a46461746192a361736ba27131a9726571756573744964b061316464353033336332666131363731a46f70747383a5726f6f6d7390a665786365707490a5666c61677381a774696d656f7574cd03e8a3756964b061613838333037623331383337373663a36e7370a12f",
		"84a4747970650ba46461746182a9726571756573744964b061316464353033336332666131363731ab636c69656e74436f756e7401a3756964b035353430653366636332383463626239a36e7370a12f",
		"84a4747970650ca46461746182a9726571756573744964b061316464353033336332666131363731a67061636b6574a87265706c792d7131a3756964b035353430653366636332383463626239a36e7370a12f",
		"84a47479706507a46461746182a46f70747383a5726f6f6d7391a5726f6f6d31a665786365707490a5666c61677380a9726571756573744964b030636635393133616431363935346430a3756964b061613838333037623331383337373663a36e7370a12f",
		"84a47479706509a46461746181a67061636b657493a568656c6c6fa5776f726c6481a16e01a3756964b061613838333037623331383337373663a36e7370a12f",
		"84a47479706509a46461746182a9726571756573744964b039633834643334623137303065303230a67061636b657492a568656c6c6fa5776f726c64a3756964b061613838333037623331383337373663a36e7370a12f",
	}
	// The data of entries of a stream.
	streamTexts = map[cluster.Type]string{
		cluster.Broadcast:         `{"packet":{"type":2,"data":["news","hi"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}}`,
		cluster.SocketsJoin:       `{"opts":{"rooms":["room1"],"except":[],"flags":{}},"rooms":["room2","room3"]}`,
		cluster.SocketsLeave:      `{"opts":{"rooms":["room1"],"except":["room9"],"flags":{}},"rooms":["room3"]}`,
		cluster.DisconnectSockets: `{"opts":{"rooms":["room1"],"except":[],"flags":{}},"close":false}`,
	}
	streamBinary = "gqZwYWNrZXSCpHR5cGUCpGRhdGGSo2JpbsQEAQID/6RvcHRzg6Vyb29tc5CmZXhjZXB0kKVmbGFnc4A="
)

func TestTextsOfNodeByteForByte(t *testing.T) {
	for _, text := range shardedTexts {
		m, nsp, err := cluster.ParseJSON([]byte(text), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := cluster.AppendJSON(nil, m, nsp); string(got) != text {
			t.Errorf("\n%s\nwant\n%s", got, text)
		}
	}
}

func TestMsgpackOfNodeByteForByte(t *testing.T) {
	for _, wire := range append(shardedMsgpack, streamsMsgpack...) {
		raw, _ := hex.DecodeString(wire)
		text, attachments, err := parser.DecodeMsgpack(raw, cluster.Limits())
		if err != nil {
			t.Fatal(err)
		}
		m, nsp, err := cluster.ParseJSON(text, attachments)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := parser.AppendMsgpack(nil, cluster.AppendJSON(nil, m, nsp), m.Packet.Attachments)
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: %x, %v", text, got, err)
		}
	}
}

func TestStreamEntriesOfNodeByteForByte(t *testing.T) {
	for kind, text := range streamTexts {
		m, err := cluster.ParseData(kind, []byte(text), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := cluster.AppendData(nil, m); string(got) != text {
			t.Errorf("%s, want %s", got, text)
		}
	}
	raw, _ := base64.StdEncoding.DecodeString(streamBinary)
	text, attachments, err := parser.DecodeMsgpack(raw, cluster.Limits())
	if err != nil {
		t.Fatal(err)
	}
	m, err := cluster.ParseData(cluster.Broadcast, text, attachments)
	if err != nil || len(m.Packet.Attachments) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	back, err := parser.AppendMsgpack(nil, cluster.AppendData(nil, m), m.Packet.Attachments)
	if err != nil || base64.StdEncoding.EncodeToString(back) != streamBinary {
		t.Errorf("%x, %v", back, err)
	}
}

// The streams emitter names the namespace in the packet, and orders keys its own way.
func TestOtherOrdersAndUnknownKeys(t *testing.T) {
	text := `{"new":{"rooms":[1]},"packet":{"nsp":"/","data":["news","hi"],"type":2},"opts":{"flags":{"broadcast":true,"x":1,"compress":true},"rooms":["a",123,-5],"except":null,"more":[]}}`
	m, err := cluster.ParseData(cluster.Broadcast, []byte(text), nil)
	if err != nil || string(m.Packet.JSON) != `["news","hi"]` || !reflect.DeepEqual(m.Opts, cluster.Opts{Rooms: []string{"a", "123", "-5"}}) {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := cluster.ParseData(cluster.Broadcast, []byte(`{"packet":{"type":2,"data":["x"]},"opts":{}}`), nil); err != nil || m.Opts.Rooms != nil {
		t.Errorf("%+v, %v", m, err)
	}
	if m, nsp, err := cluster.ParseJSON([]byte(`{"type":99,"data":[1],"uid":"u","nsp":"/x"}`), nil); err != nil || m.Type != 99 || m.UID != "u" || nsp != "/x" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A room that is none must not make everyone of nobody.
func TestMalformedMessagesAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `{`, `[]`, `"x"`, `{}`, `{"type":-1}`, `{"type":"3"}`, `{"type":256}`, `{"type":0}`, `{"type":3}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["x"]}}}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{"rooms":[null]}}}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{"rooms":"x"}}}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{"rooms":[["x"]]}}}`,
		`{"type":3,"data":{"packet":{"type":2,"data":{}},"opts":{}}}`,
		`{"type":3,"data":{"packet":{"type":2,"data":["connect"]},"opts":{}}}`,
		`{"type":3,"data":{"packet":{"type":3,"data":["x"]},"opts":{}}}`,
		`{"type":3,"data":{"packet":{"type":2,"data":[]},"opts":{}}}`,
		`{"type":3,"data":{"packet":["x"],"opts":{}}}`,
		"{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"\xff\"]},\"opts\":{}}}",
		`{"type":4,"data":{"rooms":["x"]}}`, `{"type":4,"data":{"opts":{},"rooms":{}}}`,
		`{"type":6}`, `{"type":7,"data":{"opts":{}}}`, `{"type":7,"data":{"opts":{},"requestId":7}}`,
		`{"type":8,"data":{"requestId":"x"}}`, `{"type":8,"data":{"requestId":"x","sockets":[{}]}}`, `{"type":8,"data":{"requestId":"x","sockets":[1]}}`,
		`{"type":9,"data":{"packet":"x"}}`, `{"type":9,"data":{}}`, `{"type":10,"data":{"packet":1}}`,
		`{"type":11,"data":{"requestId":"x","clientCount":-1}}`, `{"type":11,"data":{"requestId":"x","clientCount":1.5}}`,
		`{"type":11,"data":{"requestId":"x","clientCount":4294967296}}`,
		`{"type":64}`, `{"type":64,"data":{"sent":{"a":-1}}}`, `{"type":68,"data":{"requestId":"x","sizes":[]}}`,
		`{"type":1,"uid":"` + strings.Repeat("x", 600) + `"}`,
		`{"type":1,"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`,
	} {
		if m, _, err := cluster.ParseJSON([]byte(text), nil); err == nil {
			t.Errorf("%s became %+v", text, m)
		}
	}
	if _, _, err := cluster.ParseJSON([]byte(`{"type":9,"data":{"packet":["x",{"_placeholder":true,"num":1}]}}`), [][]byte{{1}}); err == nil {
		t.Error("an attachment that is not there was taken")
	}
}

// Attachments that stand outside of the event do not count as its.
func TestOnlyAttachmentsOfThePacket(t *testing.T) {
	text := `{"type":9,"uid":"u","nsp":"/","data":{"x":{"_placeholder":true,"num":0},"packet":["x",{"_placeholder":true,"num":1}]}}`
	m, _, err := cluster.ParseJSON([]byte(text), [][]byte{{1}, {2}})
	if err != nil || string(m.Packet.JSON) != `["x",{"_placeholder":true,"num":0}]` || len(m.Packet.Attachments) != 1 || m.Packet.Attachments[0][0] != 2 {
		t.Errorf("%s, %v, %v", m.Packet.JSON, m.Packet.Attachments, err)
	}
}

func TestOwnKindsComeBack(t *testing.T) {
	for _, m := range []cluster.Message{
		{Type: cluster.Tally, UID: "a", Sent: map[string]uint64{"": 1 << 63, `"x"`: 0}},
		{Type: cluster.CountSockets, UID: "a", RequestID: "r", Opts: cluster.Opts{Rooms: []string{"räum#*[x]\""}, Except: []string{""}}},
		{Type: cluster.CountSocketsResponse, UID: "a", RequestID: "r", Clients: 7},
		{Type: cluster.RoomSizes, UID: "a", RequestID: "r"},
		{Type: cluster.RoomSizesResponse, UID: "a", RequestID: "r", Sizes: map[string]int{"x": 1, "_placeholder": 2}},
		{Type: cluster.BroadcastAck, UID: "a", RequestID: "r", SocketID: "s", Failed: "gone", Packet: cluster.Packet{JSON: []byte("[]")}},
		{Type: cluster.ServerSideEmitResponse, UID: "a", RequestID: "r", Packet: cluster.Packet{JSON: []byte(`[{"a":1}]`)}},
	} {
		got, nsp, err := cluster.ParseJSON(cluster.AppendJSON(nil, &m, "/ä"), nil)
		if err != nil || nsp != "/ä" || !reflect.DeepEqual(norm(*got), norm(m)) {
			t.Errorf("%+v, %v; want %+v", got, err, m)
		}
	}
}

// norm has no difference between no list and an empty one.
func norm(m cluster.Message) string {
	b, _ := json.Marshal(m)
	return strings.ReplaceAll(string(b), "[]", "null")
}

// A socket as a Node server tells of it, from a capture.
const nodeSocket = `{"id":"umwiAIyt1WBO3mDDAAAB","handshake":{"headers":{"host":"localhost:3000","cookie":"a=1; b=2","x-two":"1, 2"},"time":"Mon Nov 23 2026 03:28:16 GMT+0000 (Coordinated Universal Time)","address":"::ffff:127.0.0.1","xdomain":false,"secure":true,"issued":1795404496000,"url":"/socket.io/?EIO=4&transport=websocket&x=1&x=2","query":{"EIO":"4","transport":"websocket","x":["1","2"]},"auth":{"token":"t"}},"rooms":["umwiAIyt1WBO3mDDAAAB","room1"],"data":{"user":{"n":1},"z":null}}`

func TestHandshakeOfNode(t *testing.T) {
	s, err := cluster.ParseSocket([]byte(nodeSocket), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handshake
	if h.Headers.Get("Host") != "localhost:3000" || h.Headers.Get("Cookie") != "a=1; b=2" || h.Query.Get("EIO") != "4" || len(h.Query["x"]) != 2 ||
		!h.Secure || h.XDomain || h.Address != "::ffff:127.0.0.1" || string(h.Auth) != `{"token":"t"}` ||
		!h.Time.Equal(time.Date(2026, 11, 23, 3, 28, 16, 0, time.UTC)) || h.Issued != h.Time.UnixMilli() {
		t.Errorf("%+v", h)
	}
	if len(s.Rooms) != 2 || string(s.Data["user"]) != `{"n":1}` {
		t.Errorf("%+v", s)
	}
	got := cluster.AppendSocket(nil, &s)
	want := strings.Replace(nodeSocket, `{"host":"localhost:3000","cookie":"a=1; b=2","x-two":"1, 2"}`, `{"cookie":"a=1; b=2","host":"localhost:3000","x-two":"1, 2"}`, 1)
	if string(got) != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

// What a client puts into its auth cannot keep its server from answering others.
func TestSocketsCannotSpoilAnAnswer(t *testing.T) {
	s := socketio.SocketState{
		ID: "x", Handshake: &socketio.Handshake{Auth: socketio.Raw(`{"_placeholder":true,"num":0}`)},
		Data: map[string]json.RawMessage{"a": json.RawMessage(`{"x":{"_placeholder":true,"num":1}}`), "b": json.RawMessage(`[`), "c": json.RawMessage(`1`), "d": nil},
	}
	want := `{"id":"x","handshake":{"headers":{},"time":"","address":"","xdomain":false,"secure":false,"issued":0,"url":"","query":{},"auth":{}},"rooms":[],"data":{"c":1}}`
	if got := cluster.AppendSocket(nil, &s); string(got) != want {
		t.Errorf("%s", got)
	}
	// Data of a Node server may be binary.
	text := `{"type":8,"uid":"u","nsp":"/","data":{"requestId":"r","sockets":[{"id":"a","data":{"bin":{"_placeholder":true,"num":0}}}]}}`
	m, _, err := cluster.ParseJSON([]byte(text), [][]byte{{1, 2, 3}})
	if err != nil || string(m.Sockets[0].Data["bin"]) != `"AQID"` || m.Sockets[0].Handshake != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestUIDs(t *testing.T) {
	a, b := cluster.NewUID(), cluster.NewUID()
	if raw, err := hex.DecodeString(a); err != nil || len(raw) != 8 || a == b {
		t.Error(a, b)
	}
}
