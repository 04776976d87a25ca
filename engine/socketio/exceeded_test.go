package socketio_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Each limit refuses, costs nobody else, and is counted under its option's name.
func TestLimitsAreCounted(t *testing.T) {
	t.Parallel()
	release := make(chan bool)
	w := watch(t, socketio.Options{
		MaxDepth: 5, MaxAttachments: 2, MaxHTTPBufferSize: 2000, MaxAttachmentBytes: 1500, MaxMailbox: 3, MaxPendingAcks: 1, MaxRooms: 2,
		MaxNamespaces: 2, MaxChildNamespaces: 1,
	})
	defer close(release)
	w.OfPattern(anyRoom)
	socketio.On(w, "slow", func(ctxt, *socketio.Socket, socketio.Args) error { <-release; return nil })
	want := map[string]uint64{
		"MaxDepth": 0, "MaxAttachments": 0, "MaxAttachmentBytes": 0, "MaxMailbox": 0, "MaxPendingAcks": 0, "MaxRooms": 0, "MaxNamespaces": 0,
		"DefaultNamespace": 0, "MaxChildNamespaces": 0,
	}
	counted := func(name string) {
		t.Helper()
		want[name]++
		if got := w.Stats().Exceeded; !maps.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", name, got, want)
		}
		w.healthy(t)
	}
	closes := func(name string, packets ...string) {
		t.Helper()
		c, _ := join(t, w.addr)
		c.send(packets...)
		c.rest()
		counted(name)
	}
	closes("MaxDepth", `42["x",[[[[[]]]]]]`)
	closes("MaxAttachments", `453-["x"]`)
	large := "b" + strings.Repeat("A", 1200) // 900 bytes
	closes("MaxAttachmentBytes", `452-["x",`+placeholder(0)+`,`+placeholder(1)+`]`, large, large)
	closes("MaxNamespaces", "40/other", "40/room-1")
	closes("DefaultNamespace", "40/"+strings.Repeat("x", 600))
	closes("MaxMailbox", slices.Repeat([]string{`42["slow"]`}, 5)...) // one with its handler, three that wait, one too many

	w.Of("/room-9")
	c := dial(t, w.addr)
	c.send("40/room-2")
	c.expect(`44/room-2,{"message":"Too many namespaces"}`)
	counted("MaxChildNamespaces")

	s := w.socket(c, enter(c, "40", "40"))
	if err := s.Join("a", "b", "c"); !errors.Is(err, socketio.ErrTooManyRooms) {
		t.Errorf("join: %v", err)
	}
	counted("MaxRooms")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _, _ = s.EmitWithAck(ctx, "first") }()
	if got := c.read(); !strings.HasSuffix(got, `["first"]`) {
		t.Errorf("got %q", got)
	}
	if _, err := s.EmitWithAck(ctx, "second"); !errors.Is(err, socketio.ErrTooManyAcks) {
		t.Errorf("ask: %v", err)
	}
	counted("MaxPendingAcks")
}

// A client that acknowledges what nobody asked costs what its packets cost.
func TestAckFlood(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		s, _ := w.enters(c)
		many := make([]string, 5000)
		for i := range many {
			many[i] = `43` + strings.Repeat("7", 1+i%15) + `["x"]`
		}
		c.together(many...)
		echoes(c, 1)
		if n := socketio.PendingAcks(s); n != 0 {
			t.Errorf("%d pending", n)
		}
		w.healthy(t)
	})
}
