package cluster_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// A session is what Node's streams adapter stores (captured), and ours behind it.
func TestSessionsAsNodeStoresThem(t *testing.T) {
	node := `{"sid":"avkdS8CDYZ2qxfX3AAAE","pid":"lCo57appc5KNcOFEAAAF","rooms":["avkdS8CDYZ2qxfX3AAAE","room1"],"data":{"user":"A"}}`
	s, err := cluster.ParseSession([]byte(node), nil)
	want := &cluster.Session{
		ID: "avkdS8CDYZ2qxfX3AAAE", PID: "lCo57appc5KNcOFEAAAF", Rooms: []string{"room1"},
		Data: map[string]json.RawMessage{"user": json.RawMessage(`"A"`)},
	}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := string(cluster.AppendSession(nil, s)); got != node {
		t.Errorf("written %s", got)
	}
	s.Namespace, s.Offset, s.Owner, s.Live, s.Stored = "/x", "1-0", "0123456789abcdef", true, 7
	again, err := cluster.ParseSession(cluster.AppendSession(nil, s), nil)
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("%+v, %v", again, err)
	}
}

// What is in a store is looked at before it is believed, and what is read is written so
// that it reads the same.
func FuzzParseSession(f *testing.F) {
	for _, s := range []string{
		`{"sid":"s","pid":"p","rooms":["s","room1",7],"data":{"user":"A"}}`,
		`{"sid":"s","pid":"p","rooms":[],"data":{},"nsp":"/","offset":"1-0","owner":"u","live":true,"stored":7}`,
		`{}`, `[]`, `{"sid":1}`, `{"sid":"s","pid":"p","rooms":{}}`, `{"sid":"s","pid":"p","data":{"a":{"_placeholder":true,"num":0}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := cluster.ParseSession(b, nil)
		if err != nil {
			return
		}
		text := cluster.AppendSession(nil, s)
		again, err := cluster.ParseSession(text, nil)
		if err != nil || string(cluster.AppendSession(nil, again)) != string(text) {
			t.Errorf("%s: %v", text, err)
		}
	})
}
