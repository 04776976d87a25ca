package socketio_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// noisy is a server by a log, which keeps few events of a room with many. Nothing is kept
// by the log for others: what is not found here is not found.
func noisy(t *testing.T) (w *watched, l *ledger, noise func(n int)) {
	l = newLedger(true)
	w = recoveringWith(t, socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{MaxBytes: 10_000, MaxRoomBytes: 2000}, Adapter: l.adapter,
	})
	_, s := w.visitor(t)
	must(t, s.Join("noisy"))
	return w, l, func(n int) {
		for range n {
			must(t, w.To("noisy").Emit("noise"))
		}
	}
}

// homesick is a client that only this server could recover.
func homesick(t *testing.T, w *watched, l *ledger, c *revenant, offset string) (recovered bool) {
	t.Helper()
	w.loses(c)
	eventually(t, "it is persisted", func() bool { s, live := l.take(c.pid); return s != nil && !live })
	c.offset = offset
	return c.returns(t, w.addr)
}

func TestOffsetsOutliveTheirEvents(t *testing.T) {
	w, l, noise := noisy(t)
	c, s := w.visitor(t)
	c.log = true
	must(t, s.Join("quiet"))
	must(t, w.To("quiet").Emit("one"))
	c.gets(`42["one"]`)
	noise(10) // the first of which have been given up, by their room
	must(t, w.Volatile().Emit("volatile"))
	c.gets(`42["volatile"]`)
	ninth := c.offset
	noise(8)
	if !homesick(t, w, l, c, ninth) {
		t.Error("not recovered")
	}
	c.missed()
	noise(100)
	if n := socketio.Marks(w.Server); n > 50 {
		t.Errorf("%d offsets are remembered", n)
	}
	must(t, w.To("quiet").Emit("two"))
	c.gets(`42["two"]`)
	two := c.offset
	noise(100) // its offset is forgotten, but not the event
	must(t, w.To("quiet").Emit("three"))
	if !homesick(t, w, l, c, two) {
		t.Error("not recovered with the offset of an event that is there")
	}
	c.missed(`42["three"]`)
}

// Where it cannot be told whether a client has an event, it is not recovered.
func TestOffsetsThatAreForgotten(t *testing.T) {
	w, l, noise := noisy(t)
	c, s := w.visitor(t)
	c.log = true
	must(t, s.Join("quiet"))
	must(t, w.To("quiet").Emit("one"))
	c.gets(`42["one"]`)
	noise(1)
	must(t, w.Volatile().Emit("volatile"))
	c.gets(`42["volatile"]`)
	offset := c.offset
	noise(100)
	if homesick(t, w, l, c, offset) {
		t.Error("recovered, but it is not known whether it has the first event")
	}
	if st := w.Stats().Recovery; st.Refused != 1 {
		t.Errorf("%+v", st)
	}
	// Who was meant by nothing has everything, whatever it shows.
	c.log, c.pid, c.offset = true, "", ""
	if c.returns(t, w.addr) {
		t.Fatal("recovered without a key")
	}
	w.socket(c, c.sid)
	noise(200)
	if !homesick(t, w, l, c, offset) {
		t.Error("not recovered, though there was nothing for it")
	}
	c.missed()
}

// A false offset has its sender's own events sent again, and nothing else.
func TestOffsetsThatAreFalse(t *testing.T) {
	w := recoveringWith(t, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}, Adapter: newLedger(true).adapter})
	c, s := w.visitor(t)
	c.log = true
	other, _ := w.visitor(t)
	other.log = true
	must(t, s.Join("mine"))
	must(t, w.To("mine").Emit("one"))
	must(t, w.To(other.sid).Emit("not yours"))
	count := func(n uint64) string { return "~" + socketio.FormatOffset(w.Server, n) }
	for _, offset := range []string{
		"x", "10001-1", strings.Repeat("9", 10_000), count(0), "10001-0" + count(0), "10009-0~~" + count(0)[1:], "\n", "~", "10001-0~", count(1)[:9],
	} {
		liar := &revenant{peer: dial(t, w.addr), pid: c.pid, sid: c.sid, log: true}
		if !liar.enters(fmt.Sprintf(`{"pid":%q,"offset":%q}`, c.pid, offset)) {
			t.Fatalf("%.40q: not recovered", offset)
		}
		if liar.missed(`42["one"]`); liar.offset != "10001-0" {
			t.Errorf("offset %s", liar.offset)
		}
	}
	ahead := &revenant{peer: dial(t, w.addr), pid: c.pid, sid: c.sid, log: true} // a count that nobody was given
	ahead.enters(fmt.Sprintf(`{"pid":%q,"offset":%q}`, c.pid, "10001-0"+count(1<<40)))
	ahead.missed()
	other.gets(`42["not yours"]`)
}

func TestOffsetsAreForgottenInTime(t *testing.T) {
	w := recoveringWith(t, socketio.Options{
		PingInterval: 100 * time.Millisecond, PingTimeout: 100 * time.Millisecond,
		ConnectionStateRecovery: &socketio.Recovery{MaxDisconnectionDuration: time.Millisecond}, Adapter: newLedger(true).adapter,
	})
	w.OnConnect(func(_ ctxt, s *socketio.Socket) error { return s.Emit("hello") })
	c := dial(t, w.addr)
	c.send("40")
	for !strings.HasPrefix(c.read(), `42["hello","10001-0"`) {
	}
	eventually(t, "they are forgotten", func() bool { return socketio.Marks(w.Server) == 0 })
}

func FuzzForeignOffset(f *testing.F) {
	for _, s := range []string{"", "1-0", "1-0~" + strings.Repeat("a", 14), "1-0~~" + strings.Repeat("a", 14), "~" + strings.Repeat("-", 14), "1-0~short"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := socketio.ForeignOffset(text)
		if rest, ok := strings.CutPrefix(text, got); !ok || rest != "" && (len(rest) != 15 || rest[0] != '~' || strings.Contains(got, "~")) {
			t.Errorf("%q of %q", got, text)
		}
	})
}
