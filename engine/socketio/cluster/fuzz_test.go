package cluster_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// again writes m, reads that, and must have the same text then.
func again(t *testing.T, m *cluster.Message, nsp string) {
	text := cluster.AppendJSON(nil, m, nsp)
	if !json.Valid(text) {
		t.Fatalf("%s is no JSON", text)
	}
	if m.Type > cluster.AdapterClose && m.Type < cluster.Tally || m.Type > cluster.RoomSizesResponse {
		return // of which nothing is known
	}
	back, name, err := cluster.ParseJSON(text, m.Packet.Attachments)
	if err != nil || name != nsp {
		t.Fatalf("%s: %q, %v", text, name, err)
	}
	if twice := cluster.AppendJSON(nil, back, name); !bytes.Equal(twice, text) {
		t.Fatalf("%s became %s", text, twice)
	}
	if _, err := parser.AppendMsgpack(nil, text, m.Packet.Attachments); err != nil && len(m.Packet.Attachments) > 0 {
		t.Fatalf("%s: %v", text, err)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range append(shardedTexts, `{"type":8,"data":{"requestId":"r","sockets":[`+nodeSocket+`]},"uid":"u","nsp":"/"}`,
		`{"type":64,"data":{"sent":{"":7}},"uid":"u","nsp":"/"}`, `{"type":68,"data":{"requestId":"r","sizes":{"x":1}},"uid":"u","nsp":"/"}`) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, nsp, err := cluster.ParseJSON(b, nil); err == nil {
			again(t, m, nsp)
		}
	})
}

func FuzzParseMsgpack(f *testing.F) {
	for _, s := range append(shardedMsgpack, streamsMsgpack...) {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, attachments, err := parser.DecodeMsgpack(b, cluster.Limits())
		if err != nil {
			return
		}
		if m, nsp, err := cluster.ParseJSON(text, attachments); err == nil {
			again(t, m, nsp)
		}
	})
}

func FuzzParseData(f *testing.F) {
	for kind, s := range streamTexts {
		f.Add(uint8(kind), []byte(s))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		if m, err := cluster.ParseData(cluster.Type(kind), b, nil); err == nil && kind > 0 {
			m.UID = "u"
			again(t, m, "/")
		}
	})
}
