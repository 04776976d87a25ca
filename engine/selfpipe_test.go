package engine_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// On gnet's loops, where the turns of a broadcast come as input: everybody gets all
// of it, in order, and nobody else has to wait for the end.
func TestTheTurnsOfABroadcastComeBetweenTheInputs(t *testing.T) {
	f := start(t, engine.Options{Loops: 1, TurnWrites: 1, PingInterval: time.Hour})
	const members, messages = 100, 20
	var conns []*wsConn
	for range members {
		c, o := f.openWS()
		f.session(o.SID).s.Join("all")
		conns = append(conns, c)
	}
	other, o := f.openWS()
	for i := range messages {
		m := text(fmt.Sprint(i))
		f.srv.Publish(m, &engine.Target{Groups: []string{"all"}})
		m.Release()
		f.echoes(other, f.session(o.SID))
	}
	for n, c := range conns {
		for i := range messages {
			if got, want := c.text(), fmt.Sprint("4", i); got != want {
				t.Fatalf("member %d got %q, want %q", n, got, want)
			}
		}
	}
}

// A server that has stopped has given its descriptors back.
func TestALoopsOwnConnectionEndsWithIt(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc: ", err)
		}
		return len(entries)
	}
	before := open()
	for range 5 {
		t.Run("", func(t *testing.T) {
			f := start(t, engine.Options{Loops: 1})
			f.openWS()
		})
	}
	until(t, "the descriptors are closed", func() bool { return open() <= before })
}
