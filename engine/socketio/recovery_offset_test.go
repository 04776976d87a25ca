package socketio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What stock clients rely on is the same where offsets are those of a log that servers
// share.
func TestRecoveryByALog(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"restores the socket":            TestRecoveryRestoresTheSocket,
		"before the first event":         TestRecoveryBeforeTheFirstEvent,
		"of a quiet client":              TestRecoveryOfAQuietClient,
		"after a volatile event":         TestRecoveryAfterAVolatileEvent,
		"takes the old connection over":  TestRecoveryTakesTheOldConnectionOver,
		"is not disturbed by others":     TestRecoveryOfARoomIsNotDisturbedByOthers,
		"knows when rooms were joined":   TestRecoveryKnowsWhenRoomsWereJoinedAndLeft,
		"is for nobody's will":           TestRecoveryIsForReasonsThatAreNobodysWill,
		"has an end":                     TestRecoveryHasAnEnd,
		"is per namespace":               TestRecoveryIsPerNamespace,
		"skips middlewares unless asked": TestRecoverySkipsMiddlewaresUnlessAsked,
		"of who is lost in middlewares":  TestRecoveryOfWhoIsLostInItsMiddlewares,
		"of a long absence":              TestRecoveryOfALongAbsence,
		"that comes too late":            TestRecoveryThatComesTooLate,
		"remembers so many rooms":        TestRecoveryRemembersSoManyRoomsThatWereLeft,
		"of who hears nothing":           TestRecoveryOfWhoSpeaksAndHearsNothing,
		"ends with the server":           TestRecoveryEndsWithTheServer,
		"model":                          TestRecoveryModel,
	} {
		t.Run(name, test)
	}
}

// roamer is a client of a fleet.
func (f *fleet) roamer(tb testing.TB, at int) (*revenant, *socketio.Socket) {
	tb.Helper()
	c := &revenant{log: true}
	if c.returns(tb, f.servers[at].addr) {
		tb.Fatal("recovered at first sight")
	}
	return c, f.servers[at].socket(c, c.sid)
}

// goesTo connects to a server, which must recover it.
func (f *fleet) goesTo(c *revenant, at int) *socketio.Socket {
	c.Helper()
	if !c.returns(c.TB, f.servers[at].addr) {
		c.Fatal("not recovered")
	}
	return f.servers[at].socket(c, c.sid)
}

// A client that is lost on one server goes on with another, and with a third.
func TestRecoveryOnAnotherServer(t *testing.T) {
	f := newFleet(t, 3, socketio.Options{})
	a, b := f.servers[0], f.servers[1]
	expired := make(chan string, 10)
	a.OnRecoveryExpired(func(_ ctxt, s *socketio.Socket) { expired <- s.ID() })
	c, s := f.roamer(t, 0)
	must(t, s.Join("lobby"))
	chair.Set(s, 7)
	must(t, b.To("lobby").Emit("one"))
	must(t, s.Emit("own"))
	c.gets(`42["one"]`, `42["own"]`)
	must(t, b.To("lobby").Emit("on its way"))
	a.loses(c)
	must(t, a.Emit("everyone", []byte{1}))
	must(t, b.To("elsewhere").Emit("not yours"))
	must(t, b.Except("lobby").Emit("nor this"))
	must(t, s.Emit("alone"))
	must(t, b.To(c.sid).Emit("by id"))
	must(t, b.Volatile().Emit("volatile"))
	f.settle(t)
	if !c.returnsWithBinary(t, b.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["on its way"]`, `451-["everyone",{"_placeholder":true,"num":0}]`, `42["alone"]`, `42["by id"]`)
	again := b.socket(c, c.sid)
	if !again.Recovered() || chair.Get(again) != 7 || !slices.Contains(again.Rooms(), "lobby") {
		t.Errorf("recovered %v, value %d, rooms %q", again.Recovered(), chair.Get(again), again.Rooms())
	}
	must(t, a.To("lobby").Emit("live"))
	c.gets(`42["live"]`)
	eventually(t, "it is not waited for where it was", func() bool { return a.Stats().Recovery.Waiting == 0 })
	if err := s.Emit("late"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("emitting where it was: %v", err)
	}
	thief := &revenant{log: true, pid: c.pid, sid: c.sid, offset: c.offset}
	b.loses(c)
	f.goesTo(c, 2)
	c.missed()
	if thief.pid = "x" + c.pid[1:]; thief.returns(t, a.addr) {
		t.Error("recovered by a key that nobody has")
	}
	must(t, b.To(c.sid).Emit("third"))
	c.gets(`42["third"]`)
	if len(expired) > 0 {
		t.Error("its time was said to be over")
	}
}

// Who has received nothing has missed everything since it connected, wherever it comes back.
func TestRecoveryOnAnotherServerBeforeTheFirstEvent(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	must(t, f.servers[0].Emit("before its time"))
	f.settle(t)
	c, _ := f.roamer(t, 0)
	f.servers[0].loses(c)
	must(t, f.servers[1].Emit("missed"))
	f.settle(t)
	f.goesTo(c, 1)
	c.missed(`42["missed"]`)
}

// A volatile event carries an offset that is known everywhere, so that it does no harm.
func TestRecoveryOnAnotherServerAfterAVolatileEvent(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	a, b := f.servers[0], f.servers[1]
	must(t, b.Emit("before its time"))
	f.settle(t)
	c, s := f.roamer(t, 0)
	must(t, b.Volatile().Emit("status", "first"))
	c.gets(`42["status","first"]`)
	must(t, b.Emit("one"))
	c.gets(`42["one"]`)
	was := c.offset
	must(t, b.Volatile().Emit("status", "connected"))
	must(t, s.Volatile().Emit("status", "again"))
	c.gets(`42["status","connected"]`, `42["status","again"]`)
	if c.offset != was {
		t.Errorf("the offset was %s and is %s", was, c.offset)
	}
	a.loses(c)
	must(t, a.Emit("missed"))
	f.settle(t)
	f.goesTo(c, 1)
	c.missed(`42["missed"]`)
	// What b has sent last is older than what it has replayed.
	must(t, b.Volatile().Emit("status", "here"))
	c.gets(`42["status","here"]`)
	b.loses(c)
	f.goesTo(c, 1)
	c.missed()
}

// A connection that is lost, and not known to be, is in the way on another server.
func TestRecoveryTakesTheOldConnectionOverFromAnotherServer(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	a, b := f.servers[0], f.servers[1]
	c, s := f.roamer(t, 0)
	must(t, s.Join("lobby"))
	chair.Set(s, 3)
	f.take(c.pid) // before or after it is told of: it asks a
	eventually(t, "it is told of", func() bool { s, _ := f.take(c.pid); return s != nil })
	must(t, b.Emit("one"))
	c.gets(`42["one"]`)
	old := *c
	must(t, b.To("lobby").Emit("two"))
	f.settle(t)
	again := f.goesTo(c, 1)
	c.missed(`42["two"]`)
	old.gets(`42["two"]`)
	old.expectClosed()
	a.ended(t, end{"/", c.sid, socketio.ReasonTransportClose})
	if !again.Connected() || s.Connected() || chair.Get(again) != 3 || !slices.Contains(again.Rooms(), "lobby") {
		t.Errorf("connected: new %v, old %v; value %d, rooms %q", again.Connected(), s.Connected(), chair.Get(again), again.Rooms())
	}
	must(t, a.To("lobby").Emit("three"))
	c.gets(`42["three"]`)
	if st := a.Stats().Recovery; st.TakenOver != 1 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
	if a.Stats().Sockets["/"] != 0 {
		t.Error("it is there still")
	}
}

// A server that is killed has told of its sockets before.
func TestRecoveryAfterAServerWasKilled(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	a, b := f.servers[0], f.servers[1]
	c, s := f.roamer(t, 0)
	gone, g := f.roamer(t, 0)
	must(t, s.Join("lobby", "left"))
	s.Leave("left")
	chair.Set(s, 5)
	eventually(t, "it is told of", func() bool {
		state := f.has(c.pid)
		return state != nil && slices.Equal(state.Rooms, []string{"lobby"}) && string(state.Data["chair"]) == "5" && state.TTL > 0
	})
	eventually(t, "so is the other", func() bool { return f.has(gone.pid) != nil })
	g.Disconnect(false)
	eventually(t, "who will not return is dropped", func() bool { return f.has(gone.pid) == nil })
	must(t, a.Emit("one"))
	c.gets(`42["one"]`)
	dead := f.reader(a.Server)
	f.mu.Lock()
	dead.dead = true
	f.changed.Broadcast()
	f.mu.Unlock()
	c.vanish()
	must(t, b.To("lobby").Emit("missed"))
	f.settle(t)
	again := f.goesTo(c, 1)
	c.missed(`42["missed"]`)
	if chair.Get(again) != 5 {
		t.Errorf("value %d", chair.Get(again))
	}
	if gone.returns(t, b.addr) {
		t.Error("recovered who was disconnected")
	}
}

// What only this server has sent, only this server can send again.
func TestRecoveryOfLocalEvents(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	a, b := f.servers[0], f.servers[1]
	c, _ := f.roamer(t, 0)
	must(t, a.Emit("one"))
	c.gets(`42["one"]`)
	must(t, a.Local().Emit("local"))
	must(t, a.Volatile().Emit("volatile"))
	must(t, a.Local().Emit("local", 2))
	c.gets(`42["local"]`, `42["volatile"]`)
	a.loses(c)
	must(t, a.Local().Emit("local", 3))
	must(t, a.Emit("two"))
	f.settle(t)
	f.goesTo(c, 0)
	c.missed(`42["local",2]`, `42["local",3]`, `42["two"]`)
	must(t, a.Local().Emit("local", 4))
	c.gets(`42["local",4]`)
	a.loses(c)
	must(t, a.Emit("three"))
	f.settle(t)
	f.goesTo(c, 1)
	c.missed(`42["three"]`)
	_ = b
}

// An event that has no place in the log yet is told from the one whose offset it has.
func TestAnOffsetThatComesTwice(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	a := f.servers[0]
	r := f.reader(a.Server)
	c, _ := f.roamer(t, 0)
	must(t, a.Emit("one"))
	c.gets(`42["one"]`)
	early := func(text string) {
		must(t, r.BroadcastAt(&socketio.Broadcast{Array: []byte(`["` + text + `"]`)}, r.Offset()))
	}
	early("two")
	early("three")
	c.gets(`42["two"]`)
	a.loses(c)
	f.goesTo(c, 0)
	c.missed(`42["three"]`)
	a.loses(c)
	if c.returns(t, f.servers[1].addr) {
		t.Error("another server cannot know what it has")
	}
	for _, bad := range []string{"a b", `"`, "x~y", strings.Repeat("x", 65), "é"} {
		if err := r.BroadcastAt(&socketio.Broadcast{Array: []byte(`["x"]`)}, bad); !errors.Is(err, socketio.ErrOffset) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A client that has been on another server, and is back before this one has heard of that,
// has nothing twice.
func TestRecoveryOfWhoIsBackBeforeItIsKnownToHaveGone(t *testing.T) {
	f := &fleet{ledger: newLedger(false)}
	f.ordered, f.silent = true, true
	for range 2 {
		f.servers = append(f.servers, recoveringWith(t, socketio.Options{
			ConnectionStateRecovery: &socketio.Recovery{}, Adapter: f.adapter,
		}))
	}
	a, b := f.servers[0], f.servers[1]
	other, o := f.roamer(t, 1)
	must(t, o.Join("elsewhere"))
	c, s := f.roamer(t, 0)
	must(t, s.Join("lobby"))
	must(t, a.Emit("one"))
	c.gets(`42["one"]`)
	a.loses(c)
	again := f.goesTo(c, 1)
	must(t, again.Join("bar"))
	must(t, a.Emit("two"))
	c.gets(`42["two"]`)
	must(t, a.To("elsewhere").Emit("not yours")) // the offset of which a has no use for
	other.gets(`42["one"]`, `42["two"]`, `42["not yours"]`)
	must(t, b.Volatile().Emit("volatile"))
	c.gets(`42["volatile"]`)
	if a.Stats().Recovery.Waiting != 1 {
		t.Fatal("it is known")
	}
	back := f.goesTo(c, 0)
	c.missed()
	if got := fmt.Sprint(back.Rooms()); got != fmt.Sprint([]string{c.sid, "lobby", "bar"}) {
		t.Errorf("rooms %s", got)
	}
	must(t, b.To("bar").Emit("three"))
	c.gets(`42["three"]`)
}

// Nothing falls between what was missed and what comes, while events are emitted all the
// time.
func TestRecoveryOnAnotherServerIsOneStep(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	c, s := f.roamer(t, 0)
	must(t, s.Join("lobby"))
	eventually(t, "it is told of", func() bool { return f.has(c.pid) != nil && len(f.has(c.pid).Rooms) > 0 })
	stop, stopped := make(chan bool), make(chan int)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- i
				return
			default:
				_ = f.servers[i%2].To("lobby").Emit("n", i)
				time.Sleep(50 * time.Microsecond)
			}
		}
	}()
	next := 0
	hear := func(packet string) {
		if want := fmt.Sprintf(`42["n",%d]`, next); packet != want {
			t.Fatalf("got %s, want %s", packet, want)
		}
		next++
	}
	for move := range 20 {
		for range 50 {
			hear(c.strip(c.read()))
		}
		if move%3 == 0 {
			c.vanish()
		}
		f.goesTo(c, (move+1)%2)
		for _, packet := range c.before {
			hear(packet)
		}
	}
	close(stop)
	for last := <-stopped; next < last; {
		hear(c.strip(c.read()))
	}
}

// With msgpack an offset of any length is where stock clients look for it.
func TestRecoveryByALogWithMsgpack(t *testing.T) {
	l := newLedger(true)
	w := recoveringWith(t, socketio.Options{
		Parser: socketio.Msgpack{}, ConnectionStateRecovery: &socketio.Recovery{}, Adapter: l.adapter,
	})
	c := dial(t, w.addr)
	read := func() parser.Packet {
		t.Helper()
		p, _, err := parser.Msgpack{}.DecodePacket([]byte(strings.TrimPrefix(c.read(), "binary:")), true, nil)
		must(t, err)
		return p
	}
	connect := func(auth string) {
		t.Helper()
		b, err := parser.Msgpack{}.AppendPacket(nil, &parser.Packet{Type: parser.Connect, Namespace: []byte("/"), Data: []byte(auth)}, nil)
		must(t, err)
		c.sendBinary(b...)
	}
	event := func(want string) {
		t.Helper()
		if p := read(); string(p.Data) != want {
			t.Fatalf("event %s, want %s", p.Data, want)
		}
	}
	var id struct{ SID, PID string }
	connect(`{}`)
	must(t, json.Unmarshal(read().Data, &id))
	s := w.socket(c, id.SID)
	must(t, w.Emit("one", []byte{1}))
	must(t, w.Volatile().Emit("volatile"))
	must(t, w.Local().Emit("local"))
	event(`["one",{"_placeholder":true,"num":0},"10001-0"]`)
	event(`["volatile","10001-0"]`)
	event(`["local","10001-0~` + socketio.FormatOffset(w.Server, 2) + `"]`)
	c.vanish()
	w.ended(t, end{"/", id.SID, socketio.ReasonTransportClose})
	must(t, s.Emit("missed"))
	c = dial(t, w.addr)
	connect(`{"pid":"` + id.PID + `","offset":"10001-0"}`)
	event(`["local","10001-0~` + socketio.FormatOffset(w.Server, 2) + `"]`)
	event(`["missed","10002-0"]`)
	read()
}

// A history that is replayed to one socket is not in the log: what it is sent carries the
// log's offset all the same, so that it misses nothing and has nothing twice.
func TestHistoryByALog(t *testing.T) {
	f := newFleet(t, 2, socketio.Options{})
	a, b := f.servers[0], f.servers[1]
	h := a.KeepHistory("lobby", socketio.HistoryLimits{Events: 10})
	must(t, b.To("lobby").Emit("n", 1))
	must(t, b.To("lobby").Emit("n", 2, []byte{1}))
	must(t, b.Emit("n", 3))
	f.settle(t)
	events, complete := h.Since("")
	requireTexts(t, events, "n[1]", "n[2 [1]]")
	if !complete || events[0].Offset != "10001-0" || events[1].Offset != "10002-0" {
		t.Errorf("complete %v, offsets %q %q", complete, events[0].Offset, events[1].Offset)
	}
	if after, complete := h.Since("10001-0"); len(after) != 1 || !complete {
		t.Errorf("%d events, complete %v", len(after), complete)
	}
	if after, complete := h.Since("nothing of ours"); len(after) != 2 || complete {
		t.Errorf("%d events, complete %v", len(after), complete)
	}
	c, s := f.roamer(t, 0)
	if complete, err := h.Join(s, "10001-0"); !complete || err != nil {
		t.Errorf("complete %v, %v", complete, err)
	}
	if got := c.strip(c.read()); got != `451-["n",2,{"_placeholder":true,"num":0}]` {
		t.Errorf("got %s", got)
	}
	c.read()
	must(t, b.Volatile().Emit("volatile"))
	c.gets(`42["volatile"]`)
	a.loses(c)
	must(t, b.To("lobby").Emit("n", 4))
	f.settle(t)
	f.goesTo(c, 0)
	c.missed(`42["n",4]`)
	a.loses(c)
	must(t, b.To("lobby").Emit("n", 5))
	f.settle(t)
	f.goesTo(c, 1)
	c.missed(`42["n",5]`)
}
