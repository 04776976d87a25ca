package redisadapter

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// nodeSession is what Node's adapter 0.3.1 has written of a socket.
const nodeSession = "hKNzaWS0YXZrZFM4Q0RZWjJxeGZYM0FBQUWjcGlktGxDbzU3YXBwYzVLTmNPRkVBQUFGpXJvb21zkrRhdmtkUzhDRFlaMnF4ZlgzQUFBRaVyb29tMaRkYXRhgaR1c2VyoUE="

func TestSessionsAreThoseOfNode(t *testing.T) {
	want := &cluster.Session{
		ID: "avkdS8CDYZ2qxfX3AAAE", PID: "lCo57appc5KNcOFEAAAF",
		Rooms: []string{"room1"}, Data: map[string]json.RawMessage{"user": json.RawMessage(`"A"`)},
	}
	got, err := parseSession(nodeSession)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	text, err := appendSession(nil, want)
	if err != nil || string(text) != nodeSession {
		t.Errorf("%s, %v", text, err)
	}
}

func TestSessionsKeepTheirOffset(t *testing.T) {
	want := &cluster.Session{ID: "a", PID: "b", Offset: "1-2", Namespace: "/", Owner: "x", Live: true}
	text, err := appendSession(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	want.Data = map[string]json.RawMessage{}
	want.Rooms = []string{}
	if got, err := parseSession(string(text)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRoomsOfSessionsMayBeNumbers(t *testing.T) {
	// {sid:"s", pid:"p", rooms:["s",7,"7","x"], data:null}
	text := "hKNzaWShc6NwaWShcKVyb29tc5ShcwehN6F4pGRhdGHA"
	got, err := parseSession(text)
	if err != nil || !reflect.DeepEqual(got.Rooms, []string{"7", "7", "x"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBinaryInSessionsIsText(t *testing.T) {
	// {sid:"s", pid:"p", rooms:[], data:{b:<01 ff>}}
	got, err := parseSession("hKNzaWShc6NwaWShcKVyb29tc5CkZGF0YYGhYsQCAf8=")
	if err != nil || string(got.Data["b"]) != `"Af8="` {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzSession(f *testing.F) {
	f.Add(nodeSession)
	f.Add("hKNzaWShc6NwaWShcKVyb29tc5CkZGF0YYGhYsQCAf8=")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSession(text)
		if err != nil {
			return
		}
		again, err := appendSession(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseSession(string(again))
		if err != nil || back.ID != s.ID || back.PID != s.PID || back.Offset != s.Offset || !slices.Equal(back.Rooms, s.Rooms) || len(back.Data) != len(s.Data) {
			t.Fatalf("%+v became %+v, %v", s, back, err)
		}
	})
}
