package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// lines is a parser of the application's own: one line of JSON per packet, and no binary.
type lines struct{ encoded atomic.Int64 }

type lineJSON struct {
	Kind parser.Type     `json:"k"`
	Nsp  string          `json:"n"`
	ID   *uint64         `json:"i,omitempty"`
	Data json.RawMessage `json:"d,omitempty"`
}

var errBinary = errors.New("lines: no binary")

func (l *lines) AppendPacket(dst []byte, p *parser.Packet, attachments [][]byte) ([]byte, error) {
	if len(attachments) > 0 {
		return dst, errBinary
	}
	l.encoded.Add(1)
	v := lineJSON{Kind: p.Type, Nsp: string(p.Namespace), Data: p.Data}
	if p.HasID {
		v.ID = &p.ID
	}
	b, err := json.Marshal(v)
	return append(dst, b...), err
}

func (l *lines) DecodePacket(message []byte, binary bool, lim *parser.Limits) (p parser.Packet, attachments [][]byte, err error) {
	var v lineJSON
	if err := json.Unmarshal(message, &v); err != nil || binary {
		return p, nil, errors.Join(err, errBinary)
	}
	p = parser.Packet{Type: v.Kind, Namespace: []byte(v.Nsp), Data: v.Data, HasID: v.ID != nil}
	if v.ID != nil {
		p.ID = *v.ID
	}
	return p, nil, nil
}

func (l *lines) Binary() bool { return false }

func TestAParserOfTheApplicationsOwn(t *testing.T) {
	t.Parallel()
	own := new(lines)
	w := spoken(t, own)
	c := dial(t, w.addr)
	sid := func(want string) {
		t.Helper()
		if got := c.read(); !strings.HasPrefix(got, want) {
			t.Fatalf("got %q, want %s…", got, want)
		}
	}
	c.send(`4{"k":0,"n":"/"}`)
	sid(`4{"k":0,"n":"/","d":{"sid":"`)
	c.send(`4{"k":0,"n":"/nope"}`)
	c.expect(`4{"k":4,"n":"/nope","d":{"message":"Invalid namespace"}}`)
	c.send(`4{"k":2,"n":"/","i":7,"d":["echo","hi",{"a":1}]}`)
	c.expect(`4{"k":3,"n":"/","i":7,"d":["hi",{"a":1}]}`)
	before := own.encoded.Load()
	other := dial(t, w.addr)
	other.send(`4{"k":0,"n":"/"}`)
	other.read()
	if err := w.Emit("all", 1); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{c, other} {
		p.expect(`4{"k":2,"n":"/","d":["all",1]}`)
	}
	if n := own.encoded.Load() - before; n != 2 { // the CONNECT, and the broadcast once
		t.Errorf("%d packets encoded", n)
	}
	if err := w.Emit("binary", []byte{1}); !errors.Is(err, errBinary) {
		t.Errorf("what the parser cannot say: %v", err)
	}
	_ = w.DisconnectSockets(false)
	c.expect(`4{"k":1,"n":"/"}`)
	for _, bad := range []string{"4x", `4{"k":4,"n":"/"}`, "bAA=="} {
		p := dial(t, w.addr)
		p.send(bad)
		closesSilently(p)
	}
}

// spoken serves with a parser: an echo, and nothing else.
func spoken(t *testing.T, p socketio.Parser) *watched {
	t.Helper()
	io := socketio.New(quiet(socketio.Options{Parser: p}))
	socketio.OnAck(io, "echo", func(_ ctxt, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) { return a, nil })
	return &watched{Server: io, addr: start(t, io)}
}

func TestMsgpackOnTheWire(t *testing.T) {
	t.Parallel()
	type parcel struct {
		At   time.Time
		Blob []byte
	}
	w := spoken(t, socketio.Msgpack{})
	got := make(chan parcel, 1)
	socketio.OnAck(w, "parcel", func(_ ctxt, _ *socketio.Socket, p parcel) (parcel, error) { got <- p; return p, nil })
	sockets := make(chan *socketio.Socket, 2)
	w.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	write := func(p parser.Packet, attachments ...[]byte) []byte {
		p.Namespace = []byte("/")
		b, err := parser.Msgpack{}.AppendPacket(nil, &p, attachments)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		read := func() (parser.Packet, [][]byte) {
			t.Helper()
			p, attachments, err := parser.Msgpack{}.DecodePacket([]byte(strings.TrimPrefix(c.read(), "binary:")), true, nil)
			if err != nil {
				t.Fatal(err)
			}
			return p, attachments
		}
		c.sendBinary(write(parser.Packet{Type: parser.Connect})...)
		s := receive(t, sockets)
		if p, _ := read(); p.Type != parser.Connect || string(p.Data) != `{"sid":"`+s.ID()+`"}` {
			t.Fatalf("answer %v %s", p.Type, p.Data)
		}
		// {type: 2, data: ["parcel", {At: new Date(1700000000123), Blob: <01 02>}], nsp: "/", id: 0}
		c.sendBinary([]byte("\x84\xa4type\x02\xa4data\x92\xa6parcel\x82\xa2At\xd7\x00\x00\x00\x01\x8b\xcf\xe5\x68\x7b\xa4Blob\xc4\x02\x01\x02\xa3nsp\xa1/\xa2id\x00")...)
		want := parcel{time.UnixMilli(1700000000123).UTC(), []byte{1, 2}}
		if p := receive(t, got); !p.At.Equal(want.At) || string(p.Blob) != string(want.Blob) {
			t.Errorf("handler was given %+v", p)
		}
		p, attachments := read()
		if p.Type != parser.BinaryAck || p.ID != 0 || string(p.Data) != `[{"At":"2023-11-14T22:13:20.123Z","Blob":{"_placeholder":true,"num":0}}]` ||
			string(attachments[0]) != "\x01\x02" {
			t.Errorf("acknowledged %+v %s %q", p, p.Data, attachments)
		}
		answer := make(chan string, 1)
		go func() {
			a, err := s.EmitWithAck(context.Background(), "ask", "?")
			answer <- a.String() + errText(err)
		}()
		p, _ = read()
		c.sendBinary(write(parser.Packet{Type: parser.Ack, ID: p.ID, HasID: true, Data: []byte(`["!"]`)})...)
		if a := receive(t, answer); a != `["!"]` {
			t.Errorf("answer %s", a)
		}
		s.Disconnect(false)
		if p, _ := read(); p.Type != parser.Disconnect {
			t.Errorf("goodbye %v", p.Type)
		}
		for _, bad := range []string{"\x80", "\x84\xa4type\x02", "\xc1", ""} {
			c := dial(t, w.addr)
			c.sendBinary([]byte(bad)...)
			closesSilently(c)
		}
		c = dial(t, w.addr)
		c.send("40") // the default parser's
		closesSilently(c)
	})
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
