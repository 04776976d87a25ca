package socketio_test

import (
	"regexp"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestIDs(t *testing.T) {
	next := socketio.IDs()
	seen := map[string]bool{}
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{20}$`)
	for range 10_000 {
		id := next()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

func TestSocketTable(t *testing.T) {
	next := socketio.IDs()
	var table socketio.Table
	removes := map[string]func(){}
	for range 1000 {
		id := next()
		remove, ok := table.Add(id)
		if !ok || !table.Has(id) {
			t.Fatal("not entered")
		}
		removes[id] = remove
	}
	for id := range removes {
		if _, ok := table.Add(id); ok {
			t.Fatal("the same id twice")
		}
		break
	}
	for _, other := range []string{"", "x", next(), next() + "y"} {
		if table.Has(other) {
			t.Errorf("has %q", other)
		}
	}
	for id, remove := range removes {
		remove()
		if table.Has(id) {
			t.Fatal("not removed")
		}
	}
	if table.Len() != 0 {
		t.Errorf("%d left", table.Len())
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"client with its first socket", socketio.ClientSize, 128},
		{"further socket", socketio.SocketSize, 64},
		{"what is needed rarely", socketio.RareSize, 128},
		{"mailbox entry", socketio.EntrySize, 64},
	} {
		if c.got > c.want {
			t.Errorf("%s: %d bytes, want at most %d", c.what, c.got, c.want)
		}
	}
}
