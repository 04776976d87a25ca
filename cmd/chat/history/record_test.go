package history

import (
	"testing"

	"github.com/oklog/ulid/v2"
)

func FuzzRecord(f *testing.F) {
	key := ulid.Make()
	f.Add(key[:], appendRecord(nil, &Message{User: "ada", Name: "Ada", Text: "hello"}))
	f.Add(key[:], appendRecord(nil, &Message{}))
	f.Add(key[:], []byte{recordVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1})
	f.Add(key[:3], []byte{recordVersion, 0, 0})
	f.Add(key[:], []byte{2, 0, 0})
	f.Add(key[:], []byte{})
	f.Fuzz(func(t *testing.T, key, b []byte) {
		m, err := parseRecord("room", key, b)
		if err != nil {
			return
		}
		again, err := parseRecord("room", key, appendRecord(nil, &m))
		if err != nil || again != m {
			t.Fatalf("%v is written and read as %v, %v", m, again, err)
		}
		if n := len(m.User) + len(m.Name) + len(m.Text); n > len(b) {
			t.Fatalf("%d bytes of %d", n, len(b))
		}
	})
}
