package socketio_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestTheDefaultCodecLeavesTextAsJSONStringifyDoes(t *testing.T) {
	codec := socketio.StandardCodec()
	for _, tt := range []struct {
		value any
		want  string
	}{
		{map[string]string{"html": "<a href=\"x\">&</a>"}, `{"html":"<a href=\"x\">&</a>"}`},
		{struct{ A int }{1}, `{"A":1}`},
		{[]string{}, `[]`},
		{"line\n", `"line\n"`},
		{nil, `null`},
	} {
		got, err := codec.Marshal(tt.value)
		if err != nil || string(got) != tt.want {
			t.Errorf("Marshal(%v) = %s, %v; want %s", tt.value, got, err, tt.want)
		}
	}
}

func TestTheDefaultCodecSurvivesItsErrors(t *testing.T) {
	codec := socketio.StandardCodec()
	for range 3 {
		if _, err := codec.Marshal(make(chan int)); err == nil {
			t.Fatal("a channel has no JSON")
		}
		if got, err := codec.Marshal([]int{1}); err != nil || string(got) != "[1]" {
			t.Fatalf("after an error: %s, %v", got, err)
		}
	}
}

func TestTheDefaultCodecIsSafeForConcurrentUse(t *testing.T) {
	codec := socketio.StandardCodec()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			want, _ := json.Marshal([]int{i, i})
			for range 200 {
				if got, err := codec.Marshal([]int{i, i}); err != nil || string(got) != string(want) {
					t.Errorf("got %s, %v; want %s", got, err, want)
				}
			}
		})
	}
	all.Wait()
}

// shouting is a codec of the user's: encoding/json, counted.
type shouting struct{ marshals, unmarshals int }

func (c *shouting) Marshal(v any) ([]byte, error) { c.marshals++; return json.Marshal(v) }

func (c *shouting) Unmarshal(data []byte, v any) error {
	c.unmarshals++
	return json.Unmarshal(data, v)
}

func TestACodecOfTheUsersIsAskedForStructsAndCarriesBinary(t *testing.T) {
	type photo struct {
		Name string
		Data []byte
	}
	codec := new(shouting)
	out, attachments, err := socketio.AppendArgs(nil, codec, []any{photo{"a", []byte{1, 2}}})
	if err != nil || string(out) != `,{"Name":"a","Data":{"_placeholder":true,"num":0}}` {
		t.Fatalf("encoded %s, %v", out, err)
	}
	var got photo
	if err := socketio.ArgsOf(out[1:], attachments, codec).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "a" || string(got.Data) != "\x01\x02" || codec.marshals != 1 || codec.unmarshals != 1 {
		t.Errorf("got %+v after %+v", got, codec)
	}
}

// mute is a codec that has nothing to say.
type mute struct{ out string }

func (c mute) Marshal(any) ([]byte, error) { return []byte(c.out), nil }

func (c mute) Unmarshal([]byte, any) error { return errors.New("mute") }

func TestACodecCannotWriteWhatEndsConnections(t *testing.T) {
	for _, out := range []string{"", "\"\xff\""} {
		dst := []byte("before")
		got, attachments, err := socketio.AppendArgs(dst, mute{out}, []any{1.5})
		if !errors.Is(err, socketio.ErrJSON) || string(got) != "before" || attachments != nil {
			t.Errorf("%q: got %q, %v, %v", out, got, attachments, err)
		}
	}
}

func TestErrorsOfTheCodecAreWrapped(t *testing.T) {
	_, _, err := socketio.AppendArgs(nil, nil, []any{"fine", make(chan int)})
	if _, ok := errors.AsType[*json.UnsupportedTypeError](err); !ok || !strings.HasPrefix(err.Error(), "socketio: argument 2: ") {
		t.Errorf("got %v", err)
	}
}
