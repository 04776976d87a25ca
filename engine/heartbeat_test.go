package engine_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

const (
	beat  = 1000 * time.Millisecond // ping interval of the tests on fakes
	grace = 400 * time.Millisecond  // ping timeout of the same
)

func heartbeats(t *testing.T, o engine.Options) *fakes {
	t.Helper()
	o.PingInterval, o.PingTimeout = beat, grace
	return startFake(t, 1, o)
}

// untilText advances until the peer gets a frame, and says how long that took.
func (k *fakes) untilText(c *fakeConn, want string) (waited time.Duration) {
	k.t.Helper()
	for ; waited < 10*beat; waited += engine.TickLength {
		if got := c.texts(); len(got) > 0 {
			if strings.Join(got, " ") != want {
				k.t.Fatalf("got %q after %v, want %q", got, waited, want)
			}
			return waited
		}
		k.advance(engine.TickLength)
	}
	k.t.Fatalf("%q did not come", want)
	return 0
}

// untilClosed advances until the session ends, and says how long that took.
func (k *fakes) untilClosed(r *recorder, want engine.Reason) (waited time.Duration) {
	k.t.Helper()
	for ; waited < 10*beat; waited += engine.TickLength {
		select {
		case got := <-r.closed:
			if got != want {
				k.t.Fatalf("ended with %q after %v, want %q", got, waited, want)
			}
			return waited
		default:
			k.advance(engine.TickLength)
		}
	}
	k.t.Fatalf("did not end with %q", want)
	return 0
}

func TestFirstPingsAreSpreadOverTheInterval(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	var conns []*fakeConn
	for range 300 {
		c, _ := k.openWS(0)
		conns = append(conns, c)
	}
	var at []int
	for tick := range int(engine.Ticks(beat)) + 1 {
		for _, c := range conns {
			if slices.Contains(c.texts(), "2") {
				at = append(at, tick)
			}
		}
		k.advance(engine.TickLength)
	}
	if len(at) != len(conns) {
		t.Fatalf("%d of %d pinged within the interval", len(at), len(conns))
	}
	if first, last := at[0], at[len(at)-1]; first < 50 || last > 100 {
		t.Errorf("first pings from tick %d to %d, want 50 to 100", first, last)
	}
	perTick := make(map[int]int)
	for _, tick := range at {
		perTick[tick]++
	}
	for tick, n := range perTick {
		if n > 40 {
			t.Errorf("%d of 300 pings in tick %d", n, tick)
		}
	}
}

func TestPingsComeOncePerIntervalAfterThePong(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, r := k.openWS(0)
	k.untilText(c, "2")
	c.sendText("3")
	k.untilText(c, "2") // this gap may be half an interval
	for range 5 {
		k.advance(grace - 2*engine.TickLength)
		c.sendText("3")
		if waited := k.untilText(c, "2"); waited != beat {
			t.Errorf("the next ping came %v after the pong", waited)
		}
	}
	if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited != grace {
		t.Errorf("given up after %v", waited)
	}
	if got := strings.Join(c.texts(), " "); got != "close:" {
		t.Errorf("then got %q", got)
	}
}

// A message while a pong is awaited gives the pong its whole time again, once per ping
// (Engine.IO 6.6.12).
func TestAMessageGivesThePongMoreTimeOnce(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, r := k.openWS(0)
	for range 2 {
		k.untilText(c, "2")
		k.advance(grace / 2)
		c.sendText("4on my way")
		k.advance(grace * 3 / 4)
		c.sendText("4still on my way") // changes nothing
		c.sendText("3")
	}
	k.untilText(c, "2")
	k.advance(grace / 2)
	c.sendText("4on my way")
	k.advance(grace / 2)
	c.sendText("4still on my way")
	if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited != grace/2 {
		t.Errorf("given up %v after the second message, want %v", waited, grace/2)
	}
}

// Only pongs count as life: not messages, not WebSocket's own pongs.
func TestMessagesDoNotAnswerAPing(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, r := k.openWS(0)
	k.untilText(c, "2")
	for range 3 {
		c.sendText("4still here")
		k.advance(grace / 4)
	}
	k.advance(grace / 4)
	k.untilClosed(r, engine.ReasonPingTimeout)
}

func TestAnUnsolicitedPongPutsThePingOff(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, _ := k.openWS(0)
	for range 10 {
		k.advance(beat / 2 * 9 / 10)
		c.sendText("3")
	}
	if got := c.texts(); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	if waited := k.untilText(c, "2"); waited != beat {
		t.Errorf("pinged %v after the last pong", waited)
	}
}

func TestHeartbeatOverPolling(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, r := k.openPolling(0)
	url := pollURL + "&sid=" + r.s.ID()
	poll := func() { c.deliver(requestText("GET", url, "", "")) }
	post := func(body string) {
		c.deliver(requestText("POST", url, fmt.Sprintf("Content-Length: %d\r\n", len(body)), body))
		if got := c.response(t); got != "ok" {
			t.Fatalf("POST: %q", got)
		}
	}
	pinged := func() {
		poll()
		for waited := time.Duration(0); c.drain() && c.got.Len() == 0 && waited < 2*beat; waited += engine.TickLength {
			k.advance(engine.TickLength)
		}
		if got := c.response(t); got != "2" {
			t.Fatalf("the held poll got %q", got)
		}
	}
	for range 2 { // the first gap may be half an interval
		pinged()
		post("3")
	}
	k.advance(beat + grace/2) // nobody polls: the ping waits, and time runs
	r.send("with it")
	k.run()
	poll()
	if got := c.response(t); got != "2"+sep+"4with it" {
		t.Fatalf("the late poll got %q", got)
	}
	post("3")
	pinged()
	poll()
	k.untilClosed(r, engine.ReasonPingTimeout)
	if got := c.response(t); got != "1" && got != "6" {
		t.Errorf("the held poll got %q", got)
	}
}

// A process that stood still has no right to blame its clients.
func TestAfterAStallThereIsOneMoreTimeout(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, r := k.openWS(0)
	answering, ar := k.openWS(0)
	for !slices.Contains(c.texts(), "2") {
		k.advance(engine.TickLength)
		answering.sendText("3")
	}
	k.srv.Ticking(engine.Ticks(5 * time.Second)) // all at once
	k.run()
	select {
	case got := <-r.closed:
		t.Fatalf("ended with %q at once", got)
	default:
	}
	answering.texts()
	answering.sendText("3")
	waited := k.untilClosed(r, engine.ReasonPingTimeout)
	if waited < grace-2*engine.TickLength || waited > grace+2*engine.TickLength {
		t.Errorf("given up %v after the stall", waited)
	}
	select {
	case got := <-ar.closed:
		t.Errorf("the one that answered ended with %q", got)
	default:
	}
}

// A loop that stood still while the ticker went on, because a callback blocked it.
func TestAfterALoopsStallThereIsOneMoreTimeout(t *testing.T) {
	k := heartbeats(t, engine.Options{})
	c, r := k.openWS(0)
	for !slices.Contains(c.texts(), "2") {
		k.advance(engine.TickLength)
	}
	for range engine.Ticks(5 * time.Second) {
		k.srv.Ticking(1) // and the loop does not come to run
	}
	if lag := k.srv.Stats().LoopLag; lag < 4*time.Second {
		t.Errorf("LoopLag is %v", lag)
	}
	k.run()
	waited := k.untilClosed(r, engine.ReasonPingTimeout)
	if waited < grace-2*engine.TickLength || waited > grace+2*engine.TickLength {
		t.Errorf("given up %v after the stall", waited)
	}
	if lag := k.srv.Stats().LoopLag; lag != 0 {
		t.Errorf("LoopLag is %v", lag)
	}
}

func TestSessionsThatAreNotEstablishedAreClosed(t *testing.T) {
	for _, how := range []string{"websocket", "polling"} {
		t.Run(how, func(t *testing.T) {
			var k *fakes
			r := &recorder{texts: make(chan string, 10), closed: make(chan engine.Reason, 1)}
			k = heartbeats(t, engine.Options{
				ConnectTimeout: 2500 * time.Millisecond,
				Accept:         func(s *engine.Session) engine.Receiver { r.s = s; return r },
			})
			c := k.connect(0)
			if how == "websocket" {
				c.deliver(requestText("GET", wsURL, wsHeader+"\r\n", ""))
				c.handshake(t)
			} else {
				c.deliver(requestText("GET", pollURL, "", ""))
			}
			k.run()
			waited := time.Duration(0)
			for ; len(r.closed) == 0 && waited < 5*time.Second; waited += engine.TickLength {
				k.advance(engine.TickLength)
				if how == "websocket" && slices.Contains(c.texts(), "2") {
					c.sendText("3") // pongs do not help
				}
				if how == "polling" && waited%(beat/2) == 0 {
					c.got.Reset()
					c.deliver(requestText("POST", pollURL+"&sid="+r.s.ID(), "Content-Length: 1\r\n", "3"))
				}
			}
			if got := receive(t, r.closed); got != engine.ReasonForcedServerClose || waited != 2500*time.Millisecond {
				t.Errorf("ended with %q after %v", got, waited)
			}
		})
	}
	t.Run("established in time", func(t *testing.T) {
		k := heartbeats(t, engine.Options{ConnectTimeout: 200 * time.Millisecond})
		c, r := k.openWS(0) // its Receiver says so
		k.untilText(c, "2")
		if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited != grace {
			t.Errorf("given up after %v", waited)
		}
	})
}

func TestAFarewellIsKeptFor30Seconds(t *testing.T) {
	for _, late := range []bool{false, true} {
		k := heartbeats(t, engine.Options{IdleTimeout: time.Hour})
		c, r := k.openPolling(0)
		r.send("last words")
		r.s.Close()
		k.run()
		receive(t, r.closed)
		k.advance(30*time.Second - 2*engine.TickLength)
		if late {
			k.advance(4 * engine.TickLength)
		}
		c.deliver(requestText("GET", pollURL+"&sid="+r.s.ID(), "", ""))
		want := "4last words"
		if late {
			want = `{"code":1,"message":"Session ID unknown"}`
		}
		if got := c.response(t); got != want {
			t.Errorf("the poll got %q, want %q", got, want)
		}
		if q := k.srv.Stats().QueuedBytes; q != 0 {
			t.Errorf("%d bytes still queued", q)
		}
	}
}

func TestAProbeHasItsTime(t *testing.T) {
	for _, said := range []string{"", "2probe"} {
		k := heartbeats(t, engine.Options{UpgradeTimeout: 200 * time.Millisecond, CloseTimeout: 100 * time.Millisecond})
		_, r := k.openPolling(0)
		w := k.connect(0)
		w.deliver(requestText("GET", wsURL+"&sid="+r.s.ID(), wsHeader+"\r\n", ""))
		if said != "" {
			w.sendText(said)
		}
		k.advance(200*time.Millisecond - 2*engine.TickLength)
		w.drain()
		if strings.Contains(w.got.String(), "\x88") || w.closed {
			t.Fatal("closed too early")
		}
		k.advance(3 * engine.TickLength)
		w.drain()
		if !strings.HasSuffix(w.got.String(), "\x88\x00") {
			t.Errorf("got %q", w.got.String())
		}
		k.advance(100 * time.Millisecond)
		if !w.closed {
			t.Error("not closed after CloseTimeout")
		}
		if len(r.closed) > 0 {
			t.Error("the session ended with its probe")
		}
		if n := k.srv.Stats().UpgradesLost; n != 1 {
			t.Errorf("%d upgrades lost", n)
		}
	}
}

func TestAnUpgradedSessionKeepsItsHeartbeat(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: beat, PingTimeout: beat})
	_, r := k.openPolling(0)
	url := "&sid=" + r.s.ID()
	k.advance(beat) // the ping waits for a poll
	w := k.connect(0)
	w.deliver(requestText("GET", wsURL+url, wsHeader+"\r\n", ""))
	w.sendText("2probe")
	if got := w.handshake(t); got != "3probe" {
		t.Fatalf("got %q", got)
	}
	w.sendText("5")
	if waited := k.untilText(w, "2"); waited != beat && waited != beat/2 { // by chance, once
		t.Errorf("pinged %v after the upgrade", waited)
	}
	if waited := k.untilClosed(r, engine.ReasonPingTimeout); waited != beat {
		t.Errorf("given up after %v", waited)
	}
}

func TestAPeerThatAnswersNoCloseFrameIsCutOff(t *testing.T) {
	k := heartbeats(t, engine.Options{CloseTimeout: 200 * time.Millisecond})
	c, r := k.openWS(0)
	r.s.Close()
	k.advance(200*time.Millisecond - 2*engine.TickLength)
	if c.closed {
		t.Error("closed too early")
	}
	k.advance(3 * engine.TickLength)
	if !c.closed {
		t.Error("still open")
	}
	if got := strings.Join(c.texts(), " "); got != "close:" {
		t.Errorf("got %q", got)
	}
}

// The ticker asks a loop for a turn when something is due, and once a second.
func TestAnIdleLoopIsLeftAlone(t *testing.T) {
	k := startFake(t, 1, engine.Options{})
	c, r := k.openWS(0)
	c.sendText("4x")
	receive(t, r.texts)
	turns := 0
	for range engine.Ticks(10 * time.Second) {
		k.srv.Ticking(1)
		for k.loops[0].runOne() {
			turns++
		}
	}
	if turns > 11 {
		t.Errorf("%d turns in 10 s", turns)
	}
}

// TCP's keep-alive costs four system calls per connection.
func TestOnlyASlowHeartbeatNeedsTCPsKeepAlive(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{25 * time.Second: 0, time.Hour: time.Minute} {
		k := startFake(t, 1, engine.Options{PingInterval: interval})
		if got := k.connect(0).keepAlive; got != want {
			t.Errorf("with a ping every %v TCP's keep-alive is %v, want %v", interval, got, want)
		}
	}
}

func TestDurationsAreRoundedUpToTicks(t *testing.T) {
	for d, want := range map[time.Duration]uint64{-1: 0, 0: 0, 1: 1, engine.TickLength: 1, engine.TickLength + 1: 2, time.Second: 100} {
		if got := engine.Ticks(d); got != want {
			t.Errorf("%v is %d ticks, want %d", d, got, want)
		}
	}
	if got := engine.Ticks(math.MaxInt64); got == 0 || got > math.MaxInt64 {
		t.Errorf("the longest duration is %d ticks", got)
	}
}

// Clients with a 200 ms ping timeout exist.
func TestShortHeartbeatsOnALiveServer(t *testing.T) {
	f := start(t, engine.Options{PingInterval: 100 * time.Millisecond, PingTimeout: 5 * time.Second})
	c, o := f.openWS()
	if o.PingInterval != 100 || o.PingTimeout != 5000 {
		t.Errorf("announced %+v", o)
	}
	begun := time.Now()
	for range 10 {
		if got := c.text(); got != "2" {
			t.Fatalf("got %q", got)
		}
		c.sendText("3")
	}
	if took := time.Since(begun); took < 850*time.Millisecond { // two of them may come after half an interval
		t.Errorf("10 pings in %v", took)
	}
	f.echoesAmongPings(c, f.session(o.SID))
}

func TestASilentClientTimesOutOnALiveServer(t *testing.T) {
	f := start(t, engine.Options{PingInterval: 100 * time.Millisecond, PingTimeout: 100 * time.Millisecond})
	c, o := f.openWS()
	_, p := f.openPolling()
	f.session(o.SID).ended(t, engine.ReasonPingTimeout)
	f.session(p.SID).ended(t, engine.ReasonPingTimeout)
	if got := c.text(); got != "2" {
		t.Errorf("got %q", got)
	}
	c.closes(1005)
}

// The ticker may ask while a turn begins, with a later tick than the turn's own. That
// is no stall: every dead client would get another timeout, again and again.
func TestATurnThatTheTickerOvertakesIsNoStall(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Second, PingTimeout: time.Second})
	_, r := k.openWS(0)
	for range 40 { // a ping after a second at the latest, and the timeout one more
		k.srv.AskAhead()
		k.run()
		k.advance(100 * time.Millisecond)
	}
	select {
	case reason := <-r.closed:
		if reason != engine.ReasonPingTimeout {
			t.Errorf("closed with %v", reason)
		}
	default:
		t.Error("a client that never answered is still there after twice the time")
	}
}
