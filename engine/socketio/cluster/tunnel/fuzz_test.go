package tunnel

import (
	"bytes"
	"log/slog"
	"reflect"
	"testing"
)

// silence is a Carrier that brings nothing anywhere.
type silence struct{}

func (silence) Join(string, Endpoint) (func(), error) { return func() {}, nil }
func (silence) Send(string, []byte) error             { return nil }

// examples are messages of a server "b".
func examples() (all [][]byte) {
	h := header{tag: "b", birth: 7}
	frames := []frame{
		{kind: kindHello}, {kind: kindHere}, {kind: kindBye},
		{kind: kindOpen, dialed: true, id: 5, meta: []byte("meta"), data: []byte("data")},
		{kind: kindData, dialed: true, id: 5, at: 4, data: []byte("more")},
		{kind: kindWindow, dialed: true, id: 5, limit: 100_000},
		{kind: kindAlive, dialed: true, id: 5, at: 8, limit: 65_536, last: true},
		{kind: kindFinish, dialed: true, id: 5, at: 8},
		{kind: kindReset, id: 5, at: uint64(causeLost)},
	}
	together := h.append(nil)
	for _, f := range frames {
		all = append(all, f.append(h.append(nil)))
		together = f.append(together)
	}
	return append(all, together)
}

func TestFramesAreReadAsTheyWereWritten(t *testing.T) {
	for _, m := range examples() {
		h, rest, err := parseHeader(m)
		if err != nil || h.tag != "b" || h.birth != 7 {
			t.Fatalf("%x: %+v, %v", m, h, err)
		}
		again := h.append(nil)
		for len(rest) > 0 {
			var f frame
			if f, rest, err = parseFrame(rest); err != nil {
				t.Fatalf("%x: %v", m, err)
			}
			again = f.append(again)
		}
		if !bytes.Equal(again, m) {
			t.Errorf("%x became %x", m, again)
		}
	}
}

// Whatever comes, a frame that was read is written and read the same again.
func FuzzFrame(f *testing.F) {
	for _, m := range examples() {
		f.Add(m[2+1+8:])
	}
	f.Add([]byte{byte(kindData), 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		one, rest, err := parseFrame(b)
		if err != nil {
			return
		}
		if len(one.meta) > maxMeta || len(one.data) > maxData || len(rest) >= len(b) {
			t.Fatalf("%+v", one)
		}
		two, rest, err := parseFrame(one.append(nil))
		if err != nil || len(rest) > 0 || !sameFrame(&one, &two) {
			t.Fatalf("%+v became %+v, %v", one, two, err)
		}
	})
}

func sameFrame(a, b *frame) bool {
	x, y := *a, *b
	x.meta, x.data, y.meta, y.data = nil, nil, nil, nil
	return reflect.DeepEqual(x, y) && bytes.Equal(a.meta, b.meta) && bytes.Equal(a.data, b.data)
}

// Whatever a peer says, nothing panics or grows beyond its bounds.
func FuzzReceive(f *testing.F) {
	for _, m := range examples() {
		f.Add(m, m)
	}
	t := &Tunnel{options: Options{Tag: "a", MaxStreams: 10, MaxBytes: 10_000, Logger: slog.New(slog.DiscardHandler)}.withDefaults(), carrier: silence{}}
	t.self = header{tag: "a", birth: 1}
	f.Fuzz(func(tt *testing.T, first, second []byte) {
		t.peers, t.listening, t.lastID = make(map[string]*peer), nil, 4
		l, err := t.Listen()
		if err != nil {
			tt.Fatal(err)
		}
		for _, m := range [][]byte{examples()[1], first, second, first} {
			t.Receive(m)
		}
		if p := t.peers["b"]; p != nil {
			s := newStream(t, p, true, nil) // number 5
			if _, err := s.Write([]byte("hello")); err != nil {
				tt.Fatal(err)
			}
			t.Receive(second)
			if p.waiting.Load() > 10_000 || len(p.accepted) > 10 {
				tt.Fatalf("%d bytes wait, %d streams", p.waiting.Load(), len(p.accepted))
			}
			_ = s.Close()
		}
		if len(t.peers) > t.options.MaxPeers {
			tt.Fatalf("%d peers", len(t.peers))
		}
		_ = l.Close()
		for _, p := range t.peers {
			p.fail(ErrReset)
		}
	})
}
