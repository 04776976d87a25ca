package socketio_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestRawGoesOutUnchanged(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{`{"a": [1 , 2]}`, `,{"a": [1 , 2]}`},
		{`1e400`, `,1e400`},
		{`"<é\u2028>"`, `,"<é\u2028>"`},
		{``, `,null`},
		{`{"_placeholder":false,"num":0}`, `,{"_placeholder":false,"num":0}`},
	} {
		for _, arg := range []any{socketio.Raw(tt.raw), json.RawMessage(tt.raw)} {
			out, _, err := socketio.AppendArgs(nil, nil, []any{arg})
			if err != nil || string(out) != tt.want {
				t.Errorf("%T %s: got %s, %v", arg, tt.raw, out, err)
			}
		}
	}
}

func TestRawThatWouldCorruptThePacketIsRefused(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want error
	}{
		{`{"a":1`, socketio.ErrJSON},
		{`1,2`, socketio.ErrJSON},
		{`1]`, socketio.ErrJSON},
		{` `, socketio.ErrJSON},
		{"\"\xff\"", socketio.ErrJSON},
		{"\"\n\"", socketio.ErrJSON},
		{`{"_placeholder":true,"num":0}`, socketio.ErrPlaceholder},
		{`[{"num":7, "\u005fplaceholder" : true}]`, socketio.ErrPlaceholder},
	} {
		inside := struct{ R socketio.Raw }{socketio.Raw(tt.raw)}
		for _, arg := range []any{socketio.Raw(tt.raw), inside, &inside} {
			dst := []byte("before")
			out, attachments, err := socketio.AppendArgs(dst, nil, []any{"x", arg})
			var syntax *json.SyntaxError
			if !errors.Is(err, tt.want) && !errors.As(err, &syntax) {
				t.Errorf("%q in %T: %v; want %v", tt.raw, arg, err, tt.want)
			}
			if string(out) != "before" || attachments != nil {
				t.Errorf("%q in %T: wrote %q", tt.raw, arg, out)
			}
		}
	}
}

func TestRawInsideOfAValueIsACopy(t *testing.T) {
	packet := []byte(`{"ID":1,"Body":{"x":[1,2]}}`)
	var v struct {
		ID   int
		Body socketio.Raw
	}
	if err := socketio.ArgsOf(packet, nil, nil).Decode(&v); err != nil {
		t.Fatal(err)
	}
	clear(packet)
	if string(v.Body) != `{"x":[1,2]}` {
		t.Errorf("got %s", v.Body)
	}
	out, _, err := socketio.AppendArgs(nil, nil, []any{v})
	if err != nil || string(out) != `,{"ID":1,"Body":{"x":[1,2]}}` {
		t.Errorf("sent %s, %v", out, err)
	}
}

func TestRawAsAnArgumentIsThePacketsMemoryUntilCloned(t *testing.T) {
	packet := []byte(`{"x":1}`)
	var r socketio.Raw
	if err := socketio.ArgsOf(packet, nil, nil).Decode(&r); err != nil {
		t.Fatal(err)
	}
	kept := r.Clone()
	clear(packet)
	if r[0] != 0 || kept.String() != `{"x":1}` {
		t.Errorf("r %q, clone %q", r, kept)
	}
}

func TestRawTakesNoAttachments(t *testing.T) {
	placeholder := `{"_placeholder":true,"num":0}`
	type holder struct{ R socketio.Raw }
	type message struct{ R json.RawMessage }
	for _, tt := range []struct {
		list string
		into any
	}{
		{placeholder, new(socketio.Raw)},
		{placeholder, new(json.RawMessage)},
		{`{"a":` + placeholder + `}`, new(socketio.Raw)},
		{`{"R":` + placeholder + `}`, new(holder)},
		{`{"R":[1,` + placeholder + `]}`, new(message)},
		{`{"k":` + placeholder + `}`, new(map[string]socketio.Raw)},
	} {
		err := socketio.ArgsOf([]byte(tt.list), [][]byte{{1}}, nil).Decode(tt.into)
		if !errors.Is(err, socketio.ErrRawBinary) {
			t.Errorf("%s into %T: %v", tt.list, tt.into, err)
		}
	}
	var text socketio.Raw // beside an attachment, not with one
	if err := socketio.ArgsOf([]byte(`[1],`+placeholder), [][]byte{{1}}, nil).Decode(&text); err != nil || string(text) != "[1]" {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestRawDoesNotHidePlaceholdersInItsDepth(t *testing.T) {
	deep := strings.Repeat(`[`, 5000) + placeholder(0) + strings.Repeat(`]`, 5000)
	if _, _, err := socketio.AppendArgs(nil, nil, []any{socketio.Raw(deep)}); !errors.Is(err, socketio.ErrPlaceholder) {
		t.Errorf("got %v", err)
	}
}
