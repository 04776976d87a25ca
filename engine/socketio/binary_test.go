package socketio_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// album is a value with binary in every kind of place.
type album struct {
	Title  string            `json:"title"`
	Cover  []byte            `json:"cover"`
	Back   socketio.Binary   `json:"back,omitempty"`
	Pages  [][]byte          `json:"pages"`
	Named  map[string][]byte `json:"named,omitempty"`
	Any    any               `json:"any"`
	Next   *album            `json:"next,omitempty"`
	Pair   [2]*[]byte        `json:"pair"`
	Number int               `json:"number"`
	label
}

type label struct {
	Sticker []byte `json:"sticker"`
}

// roundTrip sends values and decodes them into targets of the same types.
func roundTrip[T any](t interface{ Fatalf(string, ...any) }, v T) T {
	out, attachments, err := socketio.AppendArgs([]byte{}, nil, []any{v})
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	got, err := socketio.DecoderOf[T]()(socketio.ArgsOf(out[1:], attachments, nil))
	if err != nil {
		t.Fatalf("decode %s: %v", out, err)
	}
	return got
}

// makeAlbum builds an album out of whatever bytes there are. nil and empty stay apart.
func makeAlbum(title string, data []byte, depth int) *album {
	cut := func(n int) []byte {
		if len(data) == 0 {
			return nil
		}
		b := data[:min(n, len(data)):min(n, len(data))]
		data = data[len(b):]
		return b
	}
	a := &album{Title: strings.ToValidUTF8(title, "?"), Cover: cut(3), Pages: [][]byte{cut(1), {}, cut(2)}, Number: len(data)}
	a.Sticker = cut(4)
	if b := cut(2); len(b) > 0 {
		a.Back, a.Named, a.Pair[1] = b, map[string][]byte{"b": b, a.Title: nil}, &b
	}
	a.Any = map[string]any{"x": []any{cut(5), a.Title, nil, true, 1.5}}
	if b := cut(5); b != nil {
		a.Any.(map[string]any)["y"] = b
	}
	if s := a.Any.(map[string]any)["x"].([]any); s[0].([]byte) == nil {
		s[0] = nil // an untyped null is what comes back
	}
	if depth > 0 {
		a.Next = makeAlbum(title, data, depth-1)
	}
	return a
}

func FuzzBinaryRoundTrip(f *testing.F) {
	f.Add("title", []byte("some bytes that are cut into parts, which become attachments"), uint8(1))
	f.Add(`"_placeholder":true`, []byte{0, 1, 2, 255}, uint8(0))
	f.Add(socketio.TokenLike(), []byte(socketio.TokenLike()), uint8(3))
	f.Add("", []byte{}, uint8(2))
	f.Fuzz(func(t *testing.T, title string, data []byte, depth uint8) {
		want := makeAlbum(title, data, int(depth%8))
		if got := roundTrip(t, want); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got := roundTrip(t, any([]any{data, title == ""})); !reflect.DeepEqual(got, any([]any{data, title == ""})) && data != nil {
			t.Errorf("got  %+v", got)
		}
	})
}

func TestStructsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.Rune())
		data := rapid.SliceOf(rapid.Byte())
		var build func(depth int) *album
		build = func(depth int) *album {
			a := &album{
				Title:  text.Draw(t, "title"),
				Cover:  data.Draw(t, "cover"),
				Pages:  rapid.SliceOf(data).Draw(t, "pages"),
				Named:  rapid.MapOfN(text, data, 1, 4).Draw(t, "named"),
				Number: rapid.IntRange(-1<<53, 1<<53).Draw(t, "number"),
			}
			if b := data.Draw(t, "pair"); len(b) > 0 {
				a.Pair[0], a.Back, a.Any = &b, b, b
			}
			if depth > 0 && rapid.Bool().Draw(t, "more") {
				a.Next = build(depth - 1)
			}
			return a
		}
		want := build(3)
		if got := roundTrip(t, want); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestAnyMixOfArgumentsComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 12).Draw(t, "kinds")
		var sent, want []any
		for i, kind := range kinds {
			b := append([]byte{byte(i)}, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")...)
			v := []any{b, fmt.Sprint(i), map[string]any{"k": b}, []any{b, b}, nil}[kind]
			want = append(want, v)
			if rapid.Bool().Draw(t, "relayed") { // through another server first
				out, attachments, err := socketio.AppendArgs(nil, nil, []any{v})
				if err != nil {
					t.Fatalf("%v", err)
				}
				v = socketio.ArgsOf(out[1:], attachments, nil)
			}
			sent = append(sent, v)
		}
		out, attachments, err := socketio.AppendArgs([]byte(","), nil, sent)
		if err != nil {
			t.Fatalf("%v", err)
		}
		a := socketio.ArgsOf(bytes.TrimLeft(out, ","), attachments, nil)
		if a.Len() != len(want) {
			t.Fatalf("%d arguments, want %d", a.Len(), len(want))
		}
		for i := range want {
			var got any
			if err := a.At(i).Decode(&got); err != nil || !reflect.DeepEqual(got, want[i]) {
				t.Fatalf("argument %d of %s: %v, %v; want %v", i, out, got, err, want[i])
			}
		}
	})
}

func TestTokensAreNewEachTime(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := socketio.TokenLike()
		if len(s) != 32 || !strings.HasSuffix(s, "00000000") || seen[s] {
			t.Fatalf("token %q", s)
		}
		seen[s] = true
	}
}
