package socketio_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// texts are the events of a history, in short.
func texts(tb testing.TB, events []socketio.HistoryEvent) (all []string) {
	tb.Helper()
	for _, e := range events {
		var args []any
		for i := range e.Args.Len() {
			var v any
			must(tb, e.Args.At(i).Decode(&v))
			args = append(args, v)
		}
		all = append(all, fmt.Sprint(e.Event, args))
	}
	return all
}

func requireTexts(tb testing.TB, got []socketio.HistoryEvent, want ...string) {
	tb.Helper()
	if g := texts(tb, got); fmt.Sprint(g) != fmt.Sprint(want) {
		tb.Fatalf("%q, want %q", g, want)
	}
}

// bothLogs runs a test with recovery and without.
func bothLogs(t *testing.T, test func(t *testing.T, w *watched)) {
	t.Run("alone", func(t *testing.T) { test(t, recoveringWith(t, socketio.Options{})) })
	t.Run("with recovery", func(t *testing.T) { test(t, recovering(t, socketio.Recovery{})) })
}

// listener connects a client by hand and returns its socket.
func (w *watched) listener(tb testing.TB) (*revenant, *socketio.Socket) {
	tb.Helper()
	c := &revenant{peer: dial(tb, w.addr)}
	c.send("40")
	got := c.read()
	if _, err := fmt.Sscanf(got, `40{"sid":"%20s`, &c.sid); err != nil {
		tb.Fatalf("answer to CONNECT = %q", got)
	}
	return c, w.socket(c, c.sid)
}

func TestHistoryKeepsTheLatestEventsOfARoom(t *testing.T) {
	bothLogs(t, func(t *testing.T, w *watched) {
		h := w.KeepHistory("lobby", socketio.HistoryLimits{Events: 3})
		must(t, w.To("elsewhere").Emit("text", "not here"))
		must(t, w.Emit("text", "to all"))
		must(t, w.To("lobby").Volatile().Emit("text", "volatile"))
		for i := range 5 {
			must(t, w.To("lobby", "elsewhere").Emit("n", i, "x"))
		}
		events, complete := h.Since("")
		requireTexts(t, events, "n[2 x]", "n[3 x]", "n[4 x]")
		if !complete || events[0].Time.After(time.Now()) || time.Since(events[0].Time) > time.Minute {
			t.Errorf("complete %v, time %v", complete, events[0].Time)
		}
		after, complete := h.Since(events[0].Offset)
		requireTexts(t, after, "n[3 x]", "n[4 x]")
		if !complete {
			t.Error("incomplete")
		}
		must(t, w.To("lobby").Emit("bin", map[string]any{"b": []byte{1, 2}}))
		if after, complete = h.Since(events[0].Offset); complete != true {
			t.Error("incomplete, though nothing was lost")
		}
		var v struct{ B []byte }
		must(t, after[len(after)-1].Args.At(0).Decode(&v))
		if string(v.B) != "\x01\x02" {
			t.Errorf("binary % x", v.B)
		}
		must(t, w.To("lobby").Emit("n", 6))
		must(t, w.To("lobby").Emit("n", 7))
		if after, complete = h.Since(events[0].Offset); complete {
			t.Errorf("complete, without what was dropped: %q", texts(t, after))
		}
		for _, foreign := range []string{"x", strings.Repeat("0", 14), events[0].Offset[:6] + "zzzzzzzz"} {
			if all, complete := h.Since(foreign); complete || len(all) != 3 {
				t.Errorf("since %q: %d events, complete %v", foreign, len(all), complete)
			}
		}
	})
}

func TestHistoryHasBounds(t *testing.T) {
	t.Parallel()
	bothLogs(t, func(t *testing.T, w *watched) {
		text := strings.Repeat("x", 1000)
		small := w.KeepHistory("small", socketio.HistoryLimits{Bytes: 5000})
		brief := w.KeepHistory("brief", socketio.HistoryLimits{Age: 50 * time.Millisecond})
		for range 20 {
			must(t, w.To("small").Emit("text", text))
			must(t, w.To("brief").Emit("text", text))
		}
		if events, _ := small.Since(""); len(events) < 2 || len(events) > 5 {
			t.Errorf("%d events of 1 kB in 5 kB", len(events))
		}
		eventually(t, "old events are gone", func() bool { events, _ := brief.Since(""); return len(events) == 0 })
		w.KeepHistory("small", socketio.HistoryLimits{})
		eventually(t, "their memory, too", func() bool { return w.Stats().Recovery.Bytes == 0 })
	})
}

func TestHistoriesTogetherHaveABound(t *testing.T) {
	w := recoveringWith(t, socketio.Options{
		MaxHistoryBytes: 20_000,
		History: func(nsp, room string) socketio.HistoryLimits {
			if nsp == "/" && strings.HasPrefix(room, "chat:") {
				return socketio.HistoryLimits{Events: 100}
			}
			return socketio.HistoryLimits{}
		},
	})
	text := strings.Repeat("x", 1000)
	for i := range 100 {
		must(t, w.To(fmt.Sprint("chat:", i)).Emit("text", text))
		must(t, w.To(fmt.Sprint("other:", i)).Emit("text", text))
	}
	if st := w.Stats().Recovery; st.Bytes > 20_000 || st.Events < 10 {
		t.Errorf("%+v", st)
	}
	if events, _ := w.History("chat:99").Since(""); len(events) != 1 {
		t.Error("the latest is gone")
	}
	if events, _ := w.History("chat:0").Since(""); len(events) != 0 {
		t.Error("the oldest is there")
	}
	if events, _ := w.History("other:99").Since(""); len(events) != 0 {
		t.Error("what nobody wants is kept")
	}
	if n := socketio.LogRooms(w.Server); n > 20 {
		t.Errorf("%d rooms are remembered", n)
	}
}

// A late joiner has what was sent before, then what is sent, in order, without a gap.
func TestHistoryJoinsTheLiveEvents(t *testing.T) {
	bothLogs(t, func(t *testing.T, w *watched) {
		const n = 2000
		h := w.KeepHistory("lobby", socketio.HistoryLimits{Events: n})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range n {
				if err := w.To("lobby").Emit("n", i); err != nil {
					t.Error(err)
				}
			}
		})
		for range 5 {
			c, s := w.listener(t)
			complete, err := h.Join(s, "")
			if err != nil || !complete {
				t.Fatal(complete, err)
			}
			if got := fmt.Sprint(s.Rooms()); got != fmt.Sprint([]string{c.sid, "lobby"}) {
				t.Errorf("rooms %s", got)
			}
			for i := range n {
				if got := stamped.FindStringSubmatch(c.read()); got == nil || got[1] != fmt.Sprintf(`42["n",%d`, i) {
					t.Fatalf("event %d: %q", i, got)
				}
			}
		}
		wg.Wait()
	})
}

// What a history replays is recovered as everything else, and does not set the client's
// offset back.
func TestHistoryAndRecoveryGoTogether(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	h := w.KeepHistory("lobby", socketio.HistoryLimits{Events: 10})
	must(t, w.To("lobby").Emit("n", 0))
	must(t, w.To("lobby").Emit("n", 1))
	c, s := w.visitor(t)
	must(t, w.Emit("other"))
	c.gets(`42["other"]`)
	if _, err := h.Join(s, ""); err != nil {
		t.Fatal(err)
	}
	c.gets(`42["n",0]`)
	w.loses(c) // with the second one under way
	must(t, w.To("lobby").Emit("n", 2))
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["n",1]`, `42["n",2]`)
	events, complete := h.Since(c.offset)
	if requireTexts(t, events); !complete {
		t.Error("incomplete")
	}
	must(t, w.To("lobby").Emit("n", 3))
	events, _ = h.Since(c.offset)
	requireTexts(t, events, "n[3]")
}

func TestHistoryOfASocketThatIsGone(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	s.Disconnect(false)
	c.expect("41")
	if _, err := w.KeepHistory("lobby", socketio.HistoryLimits{Events: 1}).Join(s, ""); err != socketio.ErrDisconnected {
		t.Errorf("joined: %v", err)
	}
	if _, err := w.History(strings.Repeat("x", 300)).Join(s, ""); err != socketio.ErrRoomName {
		t.Errorf("joined: %v", err)
	}
}
func TestHistoryIsForSocketsOfItsNamespace(t *testing.T) {
	bothLogs(t, func(t *testing.T, w *watched) {
		h := w.Of("/other").KeepHistory("lobby", socketio.HistoryLimits{Events: 10})
		must(t, w.Of("/other").To("lobby").Emit("secret"))
		c, s := w.listener(t)
		if _, err := h.Join(s, ""); err != socketio.ErrOtherNamespace {
			t.Errorf("joined: %v", err)
		}
		must(t, w.Of("/other").To("lobby").Emit("secret"))
		if rooms := s.Rooms(); len(rooms) != 1 {
			t.Errorf("rooms %q", rooms)
		}
		c.send(`420["echo","there?"]`)
		c.expect(`430["there?"]`)
	})
}

// What the server may emit, it may keep, whatever clients may send.
func TestHistoryOfWhatClientsMayNotSend(t *testing.T) {
	w := recoveringWith(t, socketio.Options{MaxDepth: 3})
	h := w.KeepHistory("lobby", socketio.HistoryLimits{Events: 10})
	must(t, w.To("lobby").Emit("deep", [][][][]int{{{{1}}}}))
	events, complete := h.Since("")
	if requireTexts(t, events, "deep[[[[[1]]]]]"); !complete {
		t.Error("incomplete")
	}
}
