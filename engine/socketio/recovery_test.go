package socketio_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// revenant is a client by hand that may come back: it keeps what stock clients keep.
type revenant struct {
	*peer
	nsp, sid, pid, offset string
	foreign               string   // an offset of another server, to be shown once
	before                []string // what came in front of the CONNECT answer
	log                   bool     // offsets are an adapter's
}

var pidReply = regexp.MustCompile(`^\{"sid":"([A-Za-z0-9_-]{20})","pid":"([A-Za-z0-9_-]{20})"\}$`)

// returns connects, with whatever c knows, and reports whether it is recovered.
func (c *revenant) returns(tb testing.TB, addr string) (recovered bool) {
	tb.Helper()
	c.peer = dial(tb, addr)
	auth := ""
	switch {
	case c.foreign != "":
		auth = fmt.Sprintf(`{"pid":%q,"offset":%q}`, c.pid, c.foreign)
		c.foreign = ""
	case c.offset != "":
		auth = fmt.Sprintf(`{"pid":%q,"offset":%q}`, c.pid, c.offset)
	case c.pid != "":
		auth = fmt.Sprintf(`{"pid":%q}`, c.pid)
	}
	return c.enters(auth)
}

// enters sends a CONNECT with that payload.
func (c *revenant) enters(auth string) (recovered bool) {
	c.Helper()
	head := "40"
	if c.nsp != "" {
		head += c.nsp + ","
	}
	c.send(head + auth)
	c.before = nil
	for {
		got := c.read()
		rest, ok := strings.CutPrefix(got, head)
		if !ok {
			c.before = append(c.before, c.strip(got))
			continue
		}
		m := pidReply.FindStringSubmatch(rest)
		if m == nil {
			c.Fatalf("answer to CONNECT = %q", got)
		}
		recovered = m[2] == c.pid
		if recovered && m[1] != c.sid {
			c.Fatalf("the id was %s and is %s", c.sid, m[1])
		}
		c.sid, c.pid = m[1], m[2]
		return recovered
	}
}

var stamped = regexp.MustCompile(`^(4[25].*),"([-0-9A-Z_a-z]{14})"\]$`)

// stampedByALog is an event with the offset of a ledger, and a count beside it or not.
var stampedByALog = regexp.MustCompile(`^(4[25].*),"([0-9]{5}-0(?:~~?[-0-9A-Z_a-z]{14})?)"\]$`)

// strip takes the offset off an event, and remembers it as stock clients do.
func (c *revenant) strip(packet string) string {
	c.Helper()
	m := stamped.FindStringSubmatch(packet)
	if c.log || logged(c.TB) {
		m = stampedByALog.FindStringSubmatch(packet)
	}
	if m == nil {
		c.Fatalf("no offset in %q", packet)
	}
	if m[2] < c.offset {
		c.Fatalf("offset %s after %s", m[2], c.offset)
	}
	c.offset = m[2]
	return m[1] + "]"
}

// gets takes events, whose offsets it remembers.
func (c *revenant) gets(want ...string) {
	c.Helper()
	for _, w := range want {
		if got := c.strip(c.read()); got != w {
			c.Fatalf("got %s, want %s", got, w)
		}
	}
}

// missed requires what came in front of the CONNECT answer.
func (c *revenant) missed(want ...string) {
	c.Helper()
	if fmt.Sprint(c.before) != fmt.Sprint(want) {
		c.Fatalf("in front of the answer: %q, want %q", c.before, want)
	}
}

// recovering is a watched server with recovery.
func recovering(tb testing.TB, r socketio.Recovery) *watched {
	tb.Helper()
	return recoveringWith(tb, socketio.Options{ConnectionStateRecovery: &r})
}

func recoveringWith(tb testing.TB, o socketio.Options) *watched {
	tb.Helper()
	if logged(tb) {
		o.Adapter = newLedger(true).adapter
	}
	w := &watched{Server: socketio.New(quiet(o)), ends: make(chan end, 1000), joined: make(chan *socketio.Socket, 1000)}
	w.tell()
	w.addr = start(tb, w.Server)
	return w
}

// visitor connects a client that may return, and returns its socket.
func (w *watched) visitor(tb testing.TB) (*revenant, *socketio.Socket) {
	tb.Helper()
	c := new(revenant)
	if c.returns(tb, w.addr) {
		tb.Fatal("recovered at first sight")
	}
	return c, w.socket(c, c.sid)
}

// loses cuts a client's connection and waits until the server knows.
func (w *watched) loses(c *revenant) {
	c.Helper()
	c.vanish()
	for {
		if e := receive(c, w.ends); e.id == c.sid {
			if e.reason != socketio.ReasonTransportClose {
				c.Fatalf("lost by %s", e.reason)
			}
			return
		}
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

var room = socketio.NewKey[string]()

func TestRecoveryRestoresTheSocket(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	must(t, s.Join("lobby"))
	room.Set(s, "lobby")
	must(t, w.Emit("one", 1))
	c.gets(`42["one",1]`)
	must(t, w.Emit("none"))
	c.gets(`42["none"]`)
	w.loses(c)
	must(t, w.Emit("everyone", "x"))
	must(t, w.To("lobby").Emit("room"))
	must(t, w.To("elsewhere").Emit("not yours"))
	must(t, w.To(c.sid).Emit("by id"))
	must(t, s.Emit("alone"))
	must(t, w.Except("lobby").Emit("not you"))
	must(t, w.Except(c.sid).Emit("nor you"))
	must(t, w.To("lobby", "elsewhere", c.sid).Emit("once"))
	must(t, w.Emit("bin", []byte{1, 2}))
	must(t, w.Volatile().Emit("volatile"))
	if !c.returnsWithBinary(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["everyone","x"]`, `42["room"]`, `42["by id"]`, `42["alone"]`, `42["once"]`,
		`451-["bin",{"_placeholder":true,"num":0}]`)
	again := w.socket(c, c.sid)
	if again == s || !again.Recovered() || s.Recovered() || room.Get(again) != "lobby" {
		t.Errorf("recovered: %v, before: %v, value %q", again.Recovered(), s.Recovered(), room.Get(again))
	}
	if got := fmt.Sprint(again.Rooms()); got != fmt.Sprint([]string{c.sid, "lobby"}) {
		t.Errorf("rooms %s", got)
	}
	must(t, s.Emit("by the old one"))
	must(t, w.To("lobby").Emit("live"))
	must(t, w.To(c.sid).Emit("live id"))
	c.gets(`42["by the old one"]`, `42["live"]`, `42["live id"]`)
	if st := w.Stats().Recovery; st.Recovered != 1 || st.Replayed != 6 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}

// returnsWithBinary is returns where the last event that was missed has an attachment.
func (c *revenant) returnsWithBinary(tb testing.TB, addr string) bool {
	tb.Helper()
	c.peer = dial(tb, addr)
	c.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, c.pid, c.offset))
	c.before = nil
	for {
		switch got := c.read(); {
		case strings.HasPrefix(got, "binary:"):
		case strings.HasPrefix(got, "40"):
			m := pidReply.FindStringSubmatch(got[2:])
			if m == nil {
				c.Fatalf("answer to CONNECT = %q", got)
			}
			return m[2] == c.pid && m[1] == c.sid
		default:
			c.before = append(c.before, c.strip(got))
		}
	}
}

// Weakness 1 of Node's server: who has received nothing yet is not recovered.
func TestRecoveryBeforeTheFirstEvent(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	must(t, w.Emit("before its time"))
	c, _ := w.visitor(t)
	w.loses(c)
	must(t, w.Emit("missed"))
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["missed"]`)
}

// Weakness 2: the last event that a quiet client has is not kept any more.
func TestRecoveryOfAQuietClient(t *testing.T) {
	w := recovering(t, socketio.Recovery{MaxBytes: 1000, MaxRoomBytes: 1000})
	c, _ := w.visitor(t)
	other, s := w.visitor(t)
	must(t, w.Emit("hello"))
	c.gets(`42["hello"]`)
	must(t, s.Join("noisy"))
	for range 100 {
		must(t, w.To("noisy").Emit("noise"))
	}
	if w.Stats().Recovery.Evicted == 0 {
		t.Fatal("nothing was evicted")
	}
	w.loses(c)
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed()
	w.loses(other)
	if other.returns(t, w.addr) {
		t.Fatal("recovered, but for what was given up")
	}
	if st := w.Stats().Recovery; st.Refused == 0 || st.Recovered != 1 {
		t.Errorf("%+v", st)
	}
}

// Weakness 3: a volatile event that ends with a string is taken for an offset.
func TestRecoveryAfterAVolatileEvent(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	must(t, w.Emit("one"))
	c.gets(`42["one"]`)
	was := c.offset
	must(t, w.Volatile().Emit("status", "connected"))
	must(t, s.Volatile().Emit("status", "again"))
	c.gets(`42["status","connected"]`, `42["status","again"]`)
	if c.offset != was {
		t.Errorf("the offset was %s and is %s", was, c.offset)
	}
	w.loses(c)
	must(t, w.Emit("missed"))
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["missed"]`)
}

// Weaknesses 4 and 5: two connections with one id, and a return before the server has
// noticed the loss. Whoever comes last has the socket.
func TestRecoveryTakesTheOldConnectionOver(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	must(t, s.Join("lobby"))
	must(t, w.Emit("one"))
	c.gets(`42["one"]`)
	old := *c
	must(t, w.To("lobby").Emit("two")) // the old connection has it, the client has not
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["two"]`)
	old.gets(`42["two"]`)
	old.expectClosed()
	w.ended(t, end{"/", c.sid, socketio.ReasonTransportClose})
	again := w.socket(c, c.sid)
	if !again.Connected() || s.Connected() {
		t.Errorf("connected: new %v, old %v", again.Connected(), s.Connected())
	}
	must(t, w.To("lobby").Emit("three"))
	must(t, w.To(c.sid).Emit("four"))
	c.gets(`42["three"]`, `42["four"]`)
	if st := w.Stats(); st.Recovery.TakenOver != 1 || st.Sockets["/"] != 1 {
		t.Errorf("%+v", st)
	}
	w.loses(c)
	select {
	case e := <-w.ends:
		t.Errorf("ended once more: %v", e)
	default:
	}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered again")
	}
}

// Weakness 6: rooms do not share a list.
func TestRecoveryOfARoomIsNotDisturbedByOthers(t *testing.T) {
	w := recovering(t, socketio.Recovery{MaxRoomBytes: 2000})
	c, s := w.visitor(t)
	_, loud := w.visitor(t)
	must(t, s.Join("quiet"))
	must(t, loud.Join("noisy"))
	must(t, w.To("quiet").Emit("one"))
	c.gets(`42["one"]`)
	w.loses(c)
	must(t, w.To("quiet").Emit("two"))
	for range 1000 {
		must(t, w.To("noisy").Emit("noise"))
	}
	if st := w.Stats().Recovery; st.Bytes > 2000+2000 || st.Evicted == 0 {
		t.Errorf("%+v", st)
	}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["two"]`)
}

func TestRecoveryKnowsWhenRoomsWereJoinedAndLeft(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	_, other := w.visitor(t)
	must(t, other.Join("a", "b"))
	must(t, w.Emit("mark"))
	c.gets(`42["mark"]`)
	must(t, w.To("a").Emit("before the join"))
	must(t, s.Join("a"))
	must(t, w.To("a").Emit("in a"))
	must(t, s.Join("b"))
	must(t, w.To("a").Except("b").Emit("for those not in b"))
	s.Leave("b")
	must(t, w.To("a").Except("b").Emit("not in b any more"))
	s.Leave("a")
	must(t, w.To("a").Emit("after the leave"))
	must(t, s.Join("a"))
	must(t, w.To("a").Emit("in a again"))
	// None of it has arrived, as far as the client knows.
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["in a"]`, `42["not in b any more"]`, `42["in a again"]`)
}

func TestRecoveryIsForReasonsThatAreNobodysWill(t *testing.T) {
	for _, way := range []struct {
		name    string
		end     func(c *revenant, s *socketio.Socket)
		returns bool
	}{
		{"server namespace disconnect", func(c *revenant, s *socketio.Socket) { s.Disconnect(false); c.expect("41") }, false},
		{"server namespace disconnect, hanging up", func(c *revenant, s *socketio.Socket) { s.Disconnect(true); c.expectClosed() }, false},
		{"client namespace disconnect", func(c *revenant, _ *socketio.Socket) { c.send("41") }, false},
		{"parse error", func(c *revenant, _ *socketio.Socket) { c.send("x"); c.expectClosed() }, false},
		{"transport close", func(c *revenant, _ *socketio.Socket) { c.vanish() }, true},
		{"transport error", func(c *revenant, _ *socketio.Socket) { c.send("2"); c.expectClosed() }, true},
		{"forced close", func(c *revenant, _ *socketio.Socket) { c.send("4nonsense"); c.expectClosed() }, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			w := recovering(t, socketio.Recovery{})
			c, s := w.visitor(t)
			way.end(c, s)
			if e := receive(t, w.ends); !strings.HasPrefix(way.name, string(e.reason)) {
				t.Errorf("ended by %s", e.reason)
			}
			must(t, w.Emit("missed"))
			err := s.Emit("late")
			if got := c.returns(t, w.addr); got != way.returns {
				t.Errorf("recovered: %v", got)
			}
			if (err == nil) != way.returns {
				t.Errorf("emitting to who is gone: %v", err)
			}
		})
	}
}

func TestRecoveryHasAnEnd(t *testing.T) {
	w := recovering(t, socketio.Recovery{MaxDisconnectionDuration: 50 * time.Millisecond})
	expired := make(chan string, 1)
	w.OnRecoveryExpired(func(_ ctxt, s *socketio.Socket) { expired <- s.ID() + room.Get(s) })
	c, s := w.visitor(t)
	room.Set(s, "x")
	w.loses(c)
	if got := receive(t, expired); got != c.sid+"x" {
		t.Errorf("expired: %s", got)
	}
	if err := s.Emit("late"); err != socketio.ErrDisconnected {
		t.Errorf("emitting to who expired: %v", err)
	}
	if c.returns(t, w.addr) {
		t.Error("recovered")
	}
	c.missed()
	if st := w.Stats().Recovery; st.Expired != 1 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}

func TestRecoveryWaitsForSoManyOnly(t *testing.T) {
	w := recovering(t, socketio.Recovery{MaxWaiting: 2})
	expired := make(chan string, 10)
	w.OnRecoveryExpired(func(_ ctxt, s *socketio.Socket) { expired <- s.ID() })
	var all []*revenant
	for range 3 {
		c, _ := w.visitor(t)
		all = append(all, c)
	}
	for _, c := range all {
		w.loses(c)
	}
	if got := receive(t, expired); got != all[0].sid {
		t.Errorf("expired: %s", got)
	}
	if st := w.Stats().Recovery; st.Waiting != 2 || st.Crowded != 1 || st.WaitingBytes == 0 {
		t.Errorf("%+v", st)
	}
	for i, c := range all {
		if got := c.returns(t, w.addr); got != (i > 0) {
			t.Errorf("client %d: recovered %v", i, got)
		}
	}
}

func TestRecoveryNeedsItsKey(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, _ := w.visitor(t)
	must(t, w.Emit("one"))
	c.gets(`42["one"]`)
	w.loses(c)
	must(t, w.Emit("two"))
	beyond := strings.Repeat("z", 8)
	for _, auth := range []string{
		`{}`, `{"pid":null}`, `{"pid":7}`, `{"pid":""}`, `{"pid":"` + strings.Repeat("x", 20) + `"}`, `{"pid":["a"],"offset":"x"}`,
		`{"pid":"` + c.pid[:19] + `"}`, `{"pid":"` + c.sid + `","offset":"` + c.offset + `"}`,
		`{"pid":"` + c.pid + `","offset":7}`, `{"offset":"` + c.offset + `"}`,
	} {
		thief := &revenant{peer: dial(t, w.addr), pid: c.pid}
		if thief.enters(auth) {
			t.Errorf("recovered by %s", auth)
		}
		thief.missed()
	}
	ahead := *c
	ahead.peer = dial(t, w.addr)
	if ahead.enters(`{"pid":"` + c.pid + `","offset":"` + c.offset[:6] + beyond + `"}`) {
		t.Error("recovered with an offset that nobody was given")
	}
}

func TestRecoveryIsPerNamespace(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, _ := w.visitor(t)
	other := &revenant{peer: c.peer, nsp: "/other"}
	other.enters("")
	must(t, w.Of("/other").Emit("there"))
	if got := other.read(); !strings.HasPrefix(got, `42/other,["there","`) {
		t.Errorf("got %s", got)
	}
	w.loses(c)
	must(t, w.Emit("here"))
	must(t, w.Of("/other").Emit("there too"))
	thief := &revenant{nsp: "/other", pid: c.pid}
	if thief.returns(t, w.addr) {
		t.Error("recovered by another namespace's key")
	}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["here"]`)
	other.peer = c.peer
	if !other.enters(`{"pid":"` + other.pid + `"}`) {
		t.Fatal("not recovered in the other namespace")
	}
	if len(other.before) != 2 {
		t.Errorf("before: %q", other.before)
	}
}

func TestRecoverySkipsMiddlewaresUnlessAsked(t *testing.T) {
	for _, run := range []bool{false, true} {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			w := recovering(t, socketio.Recovery{RunMiddlewares: run})
			seen := make(chan bool, 10)
			w.Use(func(_ ctxt, s *socketio.Socket) error { seen <- s.Recovered(); return nil })
			c, s := w.visitor(t)
			receive(t, seen)
			must(t, s.Join("lobby"))
			w.loses(c)
			must(t, w.To("lobby").Emit("missed"))
			if !c.returns(t, w.addr) {
				t.Fatal("not recovered")
			}
			c.missed(`42["missed"]`)
			if len(seen) > 0 != run || run && !<-seen {
				t.Errorf("middlewares ran: %v", !run)
			}
			if s := w.socket(c, c.sid); !s.Recovered() {
				t.Error("connect functions do not know")
			}
			must(t, w.To("lobby").Emit("live"))
			c.gets(`42["live"]`)
		})
	}
}

// A client that is in its middlewares a second time, and loses that connection, too.
func TestRecoveryOfWhoIsLostInItsMiddlewares(t *testing.T) {
	w := recovering(t, socketio.Recovery{RunMiddlewares: true})
	hold, inside := make(chan struct{}), make(chan bool, 10)
	w.Use(func(_ ctxt, s *socketio.Socket) error {
		inside <- true
		if s.Recovered() {
			<-hold
		}
		return nil
	})
	c, s := w.visitor(t)
	receive(t, inside)
	room.Set(s, "value")
	w.loses(c)
	must(t, w.Emit("missed"))
	first := dial(t, w.addr)
	first.send(fmt.Sprintf(`40{"pid":%q}`, c.pid))
	receive(t, inside)
	second := dial(t, w.addr)
	second.send(fmt.Sprintf(`40{"pid":%q}`, c.pid))
	receive(t, inside)
	close(hold)
	first.expectClosed()
	if got := second.read(); !strings.HasPrefix(got, `42["missed","`) {
		t.Errorf("got %s", got)
	}
	if got := second.read(); !strings.Contains(got, c.pid) {
		t.Errorf("got %s", got)
	}
	if s := w.socket(c, c.sid); room.Get(s) != "value" {
		t.Error("the value is lost")
	}
}

func TestRecoveryOfALongAbsence(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	w.loses(c)
	const n = 3000
	text := strings.Repeat("x", 1000) // 3 MB: three times Options.HighWaterMark
	for i := range n {
		must(t, w.Emit("n", i, text))
	}
	must(t, s.Emit("n", n, text))
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	again := w.socket(c, c.sid)
	must(t, again.Emit("n", n+1, text)) // comes behind what is still to be sent
	must(t, again.Join("late"))
	must(t, w.To("late").Emit("n", n+2, text))
	must(t, w.To(c.sid).Emit("n", n+3, text))
	want := 0
	for _, got := range c.before {
		if got != fmt.Sprintf(`42["n",%d,"%s"]`, want, text) {
			t.Fatalf("event %d: %.40s", want, got)
		}
		want++
	}
	t.Logf("%d events in front of the answer", want)
	for ; want <= n+3; want++ {
		c.gets(fmt.Sprintf(`42["n",%d,"%s"]`, want, text))
	}
	must(t, w.To("late").Emit("live"))
	c.gets(`42["live"]`)
}

// What is given up while a client catches up is told by closing the connection: after
// the answer to its CONNECT there is no other way.
func TestRecoveryThatComesTooLate(t *testing.T) {
	w := recovering(t, socketio.Recovery{MaxRoomBytes: 20 << 20})
	c, _ := w.visitor(t)
	w.loses(c)
	text := strings.Repeat("x", 100_000)
	for i := range 150 {
		must(t, w.Emit("n", i, text))
	}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	for i := range 200 { // while c reads nothing
		must(t, w.Emit("n", 150+i, text))
	}
	want := len(c.before)
	for {
		got, err := c.next()
		if err != nil {
			break
		}
		if got = c.strip(got); got != fmt.Sprintf(`42["n",%d,"%s"]`, want, text) {
			t.Fatalf("event %d: %.20s", want, got)
		}
		want++
	}
	if want >= 150 {
		t.Fatalf("%d events arrived", want)
	}
	if c.returns(t, w.addr) {
		t.Error("recovered, with a gap")
	}
}

// A room that was left long ago has had events that nobody can replay any more.
func TestRecoveryRemembersSoManyRoomsThatWereLeft(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	reader, s := w.visitor(t)
	deaf, other := w.visitor(t)
	for i := range 100 {
		name := fmt.Sprint("room", i)
		for _, s := range []*socketio.Socket{s, other} {
			must(t, s.Join(name, "quiet"+name))
		}
		must(t, w.To(name).Emit("n", i))
		for _, s := range []*socketio.Socket{s, other} {
			s.Leave(name, "quiet"+name)
		}
		reader.gets(fmt.Sprintf(`42["n",%d]`, i))
	}
	if n := socketio.LogRooms(w.Server); n > 80 {
		t.Errorf("%d rooms are remembered", n)
	}
	if !reader.returns(t, w.addr) {
		t.Error("who had all of it is not recovered")
	}
	if deaf.returns(t, w.addr) {
		t.Error("recovered, without what was sent to rooms that are forgotten")
	}
}

// Who is left out of everything that is sent has received nothing for long, and its
// answers to heartbeats say that it has what there was.
func TestRecoveryOfWhoSpeaksAndHearsNothing(t *testing.T) {
	t.Parallel()
	w := recoveringWith(t, socketio.Options{
		PingInterval: 100 * time.Millisecond, PingTimeout: patience,
		ConnectionStateRecovery: &socketio.Recovery{MaxRoomBytes: 2000},
	})
	c, s := w.visitor(t)
	answered, conn := make(chan bool), c.conn
	t.Cleanup(func() { _ = conn.Close(); <-answered })
	go func() { // answers heartbeats, and hears nothing else
		defer close(answered)
		for _, err := c.next(); err == nil; _, err = c.next() {
		}
	}()
	for range 100 {
		must(t, s.Broadcast().Emit("noise"))
	}
	emitted := time.Now()
	eventually(t, "heartbeats are answered", func() bool { return socketio.ConfirmedAfter(s, emitted) })
	w.loses(c)
	<-answered
	if !c.returns(t, w.addr) {
		t.Error("not recovered")
	}
}

func TestRecoveryEndsWithTheServer(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, s := w.visitor(t)
	w.loses(c)
	must(t, w.Shutdown(context.Background()))
	if err := s.Emit("late"); err == nil {
		t.Error("emitted")
	}
	if st := w.Stats().Recovery; st.Waiting != 0 || st.Events != 0 || st.Bytes != 0 {
		t.Errorf("%+v", st)
	}
}

func TestOffsetsAreOnlySentWithRecovery(t *testing.T) {
	w := watch(t, socketio.Options{})
	must(t, w.Emit("one", 1))
	w.control.expect(`42["one",1]`)
	if st := w.Stats().Recovery; st != (socketio.RecoveryStats{}) {
		t.Errorf("%+v", st)
	}
}

// A loop that has stood still does not send all at once what it was asked for meanwhile.
func TestRecoveryOfALongAbsenceWhileTheLoopStandsStill(t *testing.T) {
	w := recoveringWith(t, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}, Loops: 1})
	socketio.On(w, "stand", func(ctxt, *socketio.Socket, int) error {
		time.Sleep(200 * time.Millisecond) // is the fault: nothing waits for it
		return nil
	}, socketio.Inline)
	c, _ := w.visitor(t)
	other, _ := w.visitor(t)
	w.loses(c)
	const n = 6000
	text := strings.Repeat("x", 1000) // 6 MB: six times Options.HighWaterMark
	for i := range n {
		must(t, w.To(c.sid).Emit("n", i, text))
	}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	other.send(`42["stand",1]`)
	for i := len(c.before); i < n; i++ {
		c.gets(fmt.Sprintf(`42["n",%d,"%s"]`, i, text))
	}
}
