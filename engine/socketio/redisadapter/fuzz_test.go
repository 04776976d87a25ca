package redisadapter_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

func seed(f *testing.F) {
	for _, c := range captures(f, "testdata/classic.txt") {
		f.Add(c.bytes)
	}
	for _, s := range []string{
		"", "{", "\xdd\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff", `{"uid":"u","requestId":"r","type":0,"rooms":["a",1]}`,
		`{"requestId":"rq","type":2,"sid":"s","room":"legacyroom","uid":"u"}`, `{"uid":"u","requestId":"tally","type":64,"sent":{"":7}}`,
		`{"requestId":"r","sockets":[{"id":"s","rooms":["s","x"],"data":{"a":{"_placeholder":true,"num":0}},"handshake":{"address":"::1","time":"x","auth":{"a":1}}}]}`,
	} {
		f.Add([]byte(s))
	}
}

// bounded requires that what was read is not more than what came could say.
func bounded(t *testing.T, m *cluster.Message, b []byte) {
	t.Helper()
	// A room takes a byte at least, a byte of JSON is written with six at most, and an
	// attachment has a placeholder of 33 bytes at most.
	if n := len(m.Opts.Rooms) + len(m.Opts.Except) + len(m.Rooms) + len(m.Sockets); n > len(b) {
		t.Fatalf("%d entries out of %d bytes", n, len(b))
	}
	if n := len(m.Packet.JSON); n > 40*len(b)+2 {
		t.Fatalf("%d bytes out of %d", n, len(b))
	}
	if len(m.Packet.JSON) > 0 {
		if err := parser.Check(m.Packet.JSON, cluster.Limits()); err != nil {
			t.Fatalf("%q: %v", m.Packet.JSON, err)
		}
	}
}

// again requires that what is written of m says the same.
func again(t *testing.T, m *cluster.Message, nsp string, read func(b []byte) (*cluster.Message, error)) {
	t.Helper()
	b, err := redisadapter.ClassicBody(m, nsp)
	if err != nil {
		t.Fatalf("%+v: %v", m, err)
	}
	if back, err := read(b); err != nil || !same(back, m) {
		t.Fatalf("%q\n%+v\n%+v, %v", b, m, back, err)
	}
}

func FuzzClassicBroadcast(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, nsp, err := redisadapter.ReadClassicBroadcast(b)
		if err != nil {
			return
		}
		bounded(t, m, b)
		again(t, m, nsp, func(b []byte) (*cluster.Message, error) {
			m, _, err := redisadapter.ReadClassicBroadcast(b)
			return m, err
		})
	})
}

func FuzzClassicRequest(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _, err := redisadapter.ReadClassicRequest(b)
		if err != nil || m == nil {
			return
		}
		bounded(t, m, b)
		if m.Type != cluster.Broadcast { // these have what classic requests have no place for
			m.Opts.Flags, m.Opts.Timeout, m.Opts.Single = cluster.Opts{}.Flags, 0, false
		}
		again(t, m, "/", func(b []byte) (*cluster.Message, error) {
			m, _, err := redisadapter.ReadClassicRequest(b)
			return m, err
		})
	})
}

func FuzzClassicAnswer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := redisadapter.ReadClassicAnswer(b, everything)
		if err != nil {
			return
		}
		bounded(t, m, b)
		if m.Type == cluster.FetchSocketsResponse {
			m.Packet = cluster.Packet{}
		}
		if m.Type == cluster.ServerSideEmitResponse && len(m.Packet.Attachments) > 0 {
			return // becomes what JSON makes of a Buffer
		}
		again(t, m, "/", func(b []byte) (*cluster.Message, error) { return redisadapter.ReadClassicAnswer(b, everything) })
	})
}
