package engine_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"pgregory.net/rapid"
)

// dialFrom dials from another address of this machine: another peer.
func (f *fixture) dialFrom(ip string) *rawConn {
	f.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	nc, err := d.Dial("tcp", f.addr)
	if err != nil {
		f.t.Skipf("no second loopback address: %v", err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	f.t.Cleanup(func() { _ = nc.Close() })
	return &rawConn{Conn: nc, t: f.t, br: bufio.NewReader(nc)}
}

// innocent is another peer with a session.
func (f *fixture) innocent() (*wsConn, *recorder) {
	f.t.Helper()
	c := f.dialFrom("127.0.0.2")
	c.do("GET", wsURL, "", wsHeader)
	w := &wsConn{c}
	return w, f.session(parseOpen(f.t, w.text()).SID)
}

// told collects what OnLimited is told.
type told struct {
	mu  sync.Mutex
	all []engine.Limited
}

func (d *told) add(e engine.Limited) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, e)
}

// of counts what was told of a limit.
func (d *told) of(m engine.Limit) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.all {
		if e.Limit == m {
			n++
		}
	}
	return n
}

func TestLimitOfConnectionsPerIP(t *testing.T) {
	if everythingOverTLS {
		t.Skip("who is refused at the door gets no handshake, and so no answer")
	}
	var d told
	f := start(t, engine.Options{Loops: 2, Handler: page("page"), OnLimited: d.add, Limits: engine.Limits{ConnectionsPerIP: 5}})
	other, r := f.innocent()
	var clients []*rawConn
	for range 5 {
		c := f.dial()
		clients = append(clients, c)
		c.do("GET", "/", "") // in net/http's hands
		parseOpen(t, c.do("GET", pollURL, "").body)
	}
	refused := func() {
		t.Helper()
		if got := f.dial().read("GET"); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %v", got.Status, got.Header)
		}
	}
	refused()
	f.echoes(other, r)
	clients[0].do("GET", "/", "")
	refused() // those count that are with net/http
	for _, c := range clients[:2] {
		_ = c.Close()
	}
	until(t, "two have left", func() bool { _, n := f.srv.Peers("127.0.0.1"); return n == 3 })
	parseOpen(t, f.dial().do("GET", pollURL, "").body)
	if n := f.srv.Stats().Limits[engine.LimitConnections]; n != 2 || d.of(engine.LimitConnections) != 2 {
		t.Errorf("counted %d, told %d", n, d.of(engine.LimitConnections))
	}
}

// A connection counts once, wherever it goes.
func TestLimitedConnectionsAreCountedWhereverTheyGo(t *testing.T) {
	f := start(t, engine.Options{Loops: 2, Handler: page("page"), Limits: engine.Limits{ConnectionsPerIP: 100}})
	var clients []*rawConn
	for range 8 {
		c := f.dial()
		clients = append(clients, c)
		for range 3 {
			c.do("GET", "/", "")
			url := pollURL + "&sid=" + parseOpen(t, c.do("GET", pollURL, "").body).SID
			c.do("GET", "/", "")
			c.do("POST", url, "4a")
		}
	}
	if _, n := f.srv.Peers("127.0.0.1"); n != len(clients) {
		t.Errorf("%d of %d", n, len(clients))
	}
	for _, c := range clients {
		_ = c.Close()
	}
	until(t, "all are counted off, and forgotten", func() bool { all, n := f.srv.Peers("127.0.0.1"); return all == 0 && n == 0 })
}

// A connection that goes to another server, which the first one's Handler is, counts there
// no more; nor does it take along whom a middleware says that it comes from.
func TestAConnectionThatGoesToAnotherServerIsCountedOff(t *testing.T) {
	limits := engine.Limits{ConnectionsPerIP: 100}
	inner := startFacts(t, engine.Options{Path: "/inner", Limits: limits}, func(f *fixture) { f.way = mounted })
	f := start(t, engine.Options{Limits: limits, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.1:1"
		inner.srv.ServeHTTP(w, r)
	})})
	c := f.upgradeWS("/inner/?EIO=4&transport=websocket")
	inner.session(parseOpen(t, c.text()).SID)
	if _, n := f.srv.Peers("127.0.0.1"); n != 0 {
		t.Errorf("the first server counts %d", n)
	}
	if all, _ := inner.srv.Peers("127.0.0.1"); all != 0 {
		t.Errorf("the second one remembers %d", all)
	}
	_ = c.Close()
	until(t, "it is closed", func() bool { return inner.srv.Stats().WebSocket == 0 })
	if all, _ := f.srv.Peers("127.0.0.1"); all != 0 {
		t.Errorf("the first server remembers %d", all)
	}
}

func TestLimitOfConnectionRatePerIP(t *testing.T) {
	if everythingOverTLS {
		t.Skip("who is refused at the door gets no handshake, and so no answer")
	}
	f := start(t, engine.Options{Limits: engine.Limits{ConnectionRatePerIP: engine.Rate{PerSecond: 1, Burst: 3}}})
	other, r := f.innocent()
	var statuses []int
	for range 5 {
		statuses = append(statuses, f.dial().do("GET", "/", "").StatusCode)
	}
	if n := len(slices.DeleteFunc(statuses, func(s int) bool { return s != http.StatusServiceUnavailable })); n == 0 || n > 2 {
		t.Errorf("%d of 5 refused", n)
	}
	f.echoes(other, r)
	until(t, "it may come again", func() bool { return f.dial().do("GET", "/", "").StatusCode == http.StatusNotFound })
}

// Only who opens sessions is refused, not who has one.
func TestLimitOfSessionRatePerIP(t *testing.T) {
	f := start(t, engine.Options{Limits: engine.Limits{SessionRatePerIP: engine.Rate{PerSecond: 1, Burst: 3}}})
	c, o := f.openPolling()
	r := f.session(o.SID)
	limited := 0
	for i := range 6 {
		url, header := pollURL, ""
		if i%2 == 0 {
			url, header = wsURL, wsHeader
		}
		d := f.dial()
		var lines []string
		if header != "" {
			lines = []string{header}
		}
		d.request("GET", url, "", lines...)
		if got := d.read("GET"); got.StatusCode == http.StatusTooManyRequests && got.Header.Get("Retry-After") != "" {
			limited++
		}
	}
	if limited < 3 {
		t.Errorf("%d of 6 refused", limited)
	}
	r.send("down")
	if got := c.do("GET", pollURL+"&sid="+o.SID, "").body; got != "4down" {
		t.Errorf("%q", got)
	}
	f.upgradeWS(wsURL + "&sid=" + o.SID)
	if n := f.srv.Stats().Limits[engine.LimitSessionRate]; n != uint64(limited) {
		t.Errorf("counted %d of %d", n, limited)
	}
}

// The table of peers is bounded, forgets whom it may, and lets in whom it has no room
// for.
func TestLimitsPerIPAreRememberedInABoundedTable(t *testing.T) {
	k := startFake(t, 1, engine.Options{Limits: engine.Limits{
		ConnectionsPerIP: 1, ConnectionRatePerIP: engine.Rate{PerSecond: 1}, MaxIPs: 100,
	}})
	tick := uint64(1000)
	for i := range 1000 {
		ip := fmt.Sprintf("10.0.%d.%d", i/250, i%250)
		if counted, met := k.srv.AcceptFrom(ip, tick); met != 0 || counted != (i < 100) {
			t.Fatalf("%d: %v, %v", i, counted, met)
		}
	}
	if n, _ := k.srv.Peers("10.0.0.0"); n != 100 {
		t.Errorf("%d remembered", n)
	}
	for i := range 100 {
		k.srv.LeaveFrom(fmt.Sprintf("10.0.0.%d", i))
	}
	tick += engine.Ticks(2 * time.Second)
	if counted, met := k.srv.AcceptFrom("10.0.9.9", tick); !counted || met != 0 {
		t.Errorf("%v, %v", counted, met)
	}
	if n, _ := k.srv.Peers("10.0.9.9"); n != 1 {
		t.Errorf("%d remembered", n)
	}
	if _, met := k.srv.AcceptFrom("10.0.9.9", tick); met != engine.LimitConnections {
		t.Errorf("met %v", met)
	}
	for _, ip := range []string{"2001:db8::1", "2001:db8::2"} { // one network
		_, met := k.srv.AcceptFrom(ip, tick)
		if want := map[string]engine.Limit{"2001:db8::2": engine.LimitConnections}[ip]; met != want {
			t.Errorf("%s: %v", ip, met)
		}
	}
	if _, met := k.srv.AcceptFrom("2001:db8:0:1::1", tick); met != 0 {
		t.Errorf("%v", met)
	}
	if _, met := k.srv.AcceptFrom("::ffff:10.0.9.9", tick); met != engine.LimitConnections {
		t.Errorf("met %v", met)
	}
}

// Who sends too much is closed and learns why; the others do not notice.
func TestLimitOfMessagesAndBytes(t *testing.T) {
	for name, tt := range map[string]struct {
		limits engine.Limits
		text   string
		limit  engine.Limit
		sends  int // before it is too much
	}{
		"messages": {engine.Limits{Messages: engine.Rate{PerSecond: 10, Burst: 20}}, "4x", engine.LimitMessages, 20},
		"bytes":    {engine.Limits{Bytes: engine.Rate{PerSecond: 1000}}, "4" + strings.Repeat("x", 999), engine.LimitBytes, 10},
	} {
		t.Run(name, func(t *testing.T) {
			var d told
			tt.limits.PingRate = -1
			o := engine.Options{Limits: tt.limits, OnLimited: d.add, MaxHTTPBufferSize: 9990, PingInterval: time.Hour}
			k := startFake(t, 1, o)
			c, r := k.openWS(0)
			other, ro := k.openWS(0)
			poll, rp := k.openPolling(0)
			for range 3 { // a second's worth at a time is fine, for ever
				for range tt.sends / 2 {
					c.sendText(tt.text)
				}
				k.advance(7 * time.Second)
			}
			if metered, _ := k.srv.Watched(); metered != 0 {
				t.Errorf("%d quiet sessions are watched", metered)
			}
			for range tt.sends {
				c.sendText(tt.text)
			}
			k.run()
			if len(r.closed) != 0 {
				t.Fatal("closed for a burst that it may")
			}
			c.sendText(tt.text)
			if got := receive(t, r.closed); got != engine.ReasonForcedClose {
				t.Errorf("%v", got)
			}
			c.sendText(tt.text)
			if got, want := c.texts(), "close:\x03\xf0"+tt.limit.String(); !slices.Equal(got, []string{want}) {
				t.Errorf("sent %q, want %q", got, want)
			}
			body := strings.TrimSuffix(strings.Repeat(tt.text+sep, tt.sends+1), sep)
			if tt.limit == engine.LimitMessages {
				poll.deliver(requestText("POST", pollURL+"&sid="+rp.s.ID(), fmt.Sprintf("Content-Length: %d\r\n", len(body)), body))
				if got := receive(t, rp.closed); got != engine.ReasonForcedClose {
					t.Errorf("%v", got)
				}
			}
			other.sendText("4fine")
			if got := receive(t, ro.texts); got != "fine" {
				t.Errorf("%q", got)
			}
			if d.of(tt.limit) == 0 || d.of(tt.limit) != int(k.srv.Stats().Limits[tt.limit]) {
				t.Errorf("told %d times of %d", d.of(tt.limit), k.srv.Stats().Limits[tt.limit])
			}
		})
	}
}

// More pings than anybody needs end a connection; fewer are answered.
func TestLimitOfPings(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Hour})
	c, r := k.openWS(0)
	ping := func(n int) {
		for range n {
			var b bytes.Buffer
			_ = wsutil.WriteClientMessage(&b, gobwas.OpPing, []byte("p"))
			c.deliver(b.Bytes())
		}
	}
	for range 5 {
		ping(100)
		if got := c.texts(); len(got) != 100 {
			t.Fatalf("%d pongs", len(got))
		}
		k.advance(time.Second)
	}
	ping(101)
	if got := receive(t, r.closed); got != engine.ReasonForcedClose {
		t.Errorf("%v", got)
	}
	if got := c.texts(); len(got) != 101 || got[100] != "close:\x03\xf0pings" {
		t.Errorf("%d frames, %q", len(got), got[len(got)-1])
	}
	ping(1000)
	if got := c.texts(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	k.advance(5 * time.Second)
	if !c.closed {
		t.Error("not closed")
	}
}

// A message has to come to its end in time, counted from its own beginning.
func TestLimitOfTheTimeThatAMessageTakes(t *testing.T) {
	for name, parts := range map[string][]string{
		"a frame":    {"\x81\x85\x00\x00\x00\x004", "a", "b"},
		"a header":   {"\x81", "\x85\x00", "\x00"},
		"fragments":  {"\x01\x81\x00\x00\x00\x004", "\x00\x81\x00\x00\x00\x00a", "\x00\x81\x00\x00\x00\x00b"},
		"and a ping": {"\x01\x81\x00\x00\x00\x004", "\x89\x80\x00\x00\x00\x00", "\x89\x80\x00\x00\x00\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			k := startFake(t, 1, engine.Options{PingInterval: time.Hour})
			c, r := k.openWS(0)
			other, ro := k.openWS(0)
			for range 10 { // messages that take their time, one after the other
				c.deliver([]byte("\x81\x82\x00\x00\x00\x004"))
				k.advance(20 * time.Second)
				c.deliver([]byte("x\x81\x82\x00\x00\x00\x004")) // the next begins with the last byte
				k.advance(20 * time.Second)
				c.deliver([]byte("y"))
				if got := receive(t, r.texts) + receive(t, r.texts); got != "xy" {
					t.Fatalf("%q", got)
				}
			}
			k.advance(time.Minute)
			for _, part := range parts {
				c.deliver([]byte(part))
				k.advance(10*time.Second - 50*time.Millisecond)
			}
			if len(r.closed) > 0 {
				t.Fatal("closed too early")
			}
			k.advance(time.Second)
			if got := receive(t, r.closed); got != engine.ReasonForcedClose {
				t.Errorf("%v", got)
			}
			if got := c.texts(); got[len(got)-1] != "close:\x03\xf0message timeout" {
				t.Errorf("%q", got)
			}
			k.advance(5 * time.Second)
			if !c.closed {
				t.Error("not closed")
			}
			other.sendText("4fine")
			if got := receive(t, ro.texts); got != "fine" {
				t.Errorf("%q", got)
			}
		})
	}
}

// So does a packet of several messages, if the floor above says that it waits.
func TestLimitOfTheTimeThatAPacketTakes(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Hour}, func(f *fixture) {
		f.onText = func(r *recorder, text string) error {
			r.s.Incomplete(text == "more")
			return nil
		}
	})
	c, r := k.openWS(0)
	poll, rp := k.openPolling(0)
	done, rd := k.openWS(0)
	gone, _ := k.openWS(0)
	for _, x := range []*fakeConn{c, done, gone} {
		x.sendText("4more")
	}
	done.sendText("4done")
	poll.deliver(requestText("POST", pollURL+"&sid="+rp.s.ID(), "Content-Length: 5\r\n", "4more"))
	gone.vanish()
	_ = gone.loop.Close(gone)
	if _, n := k.srv.Watched(); n != 2 {
		t.Errorf("%d are watched", n)
	}
	k.advance(29 * time.Second)
	if len(r.closed)+len(rp.closed) > 0 {
		t.Fatal("closed too early")
	}
	k.advance(3 * time.Second)
	for _, r := range []*recorder{r, rp} {
		if got := receive(t, r.closed); got != engine.ReasonForcedClose {
			t.Errorf("%v", got)
		}
	}
	if len(rd.closed) > 0 {
		t.Error("closed for a packet that is complete")
	}
	if _, n := k.srv.Watched(); n != 0 {
		t.Errorf("%d are watched", n)
	}
}

// A body that drips is cut off; one that flows, and is slow, is not.
func TestLimitOfBodyRate(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Hour, BodyTimeout: time.Minute, Limits: engine.Limits{MinBodyRate: 1000}})
	post := func() (*fakeConn, *recorder) {
		c, r := k.openPolling(0)
		c.deliver(requestText("POST", pollURL+"&sid="+r.s.ID(), "Content-Length: 40000\r\n", "4"))
		return c, r
	}
	drip, rd := post()
	flow, rf := post()
	sent := 1
	for range 20 {
		k.advance(time.Second)
		drip.deliver([]byte("x"))
		flow.deliver(bytes.Repeat([]byte("x"), 1100))
		sent += 1100
	}
	if got := receive(t, rd.closed); got != engine.ReasonTransportError {
		t.Errorf("%v", got)
	}
	if len(rf.closed) > 0 {
		t.Fatal("closed while it flows")
	}
	flow.deliver(bytes.Repeat([]byte("x"), 40000-sent))
	if got := receive(t, rf.texts); len(got) != 39_999 {
		t.Errorf("%d bytes", len(got))
	}
	if n := k.srv.Stats().Limits[engine.LimitBodyRate]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

// A panic of who is told costs nothing.
func TestOnLimitedMayPanic(t *testing.T) {
	k := startFake(t, 1, engine.Options{
		PingInterval: time.Hour, Limits: engine.Limits{Messages: engine.Rate{PerSecond: 1}},
		OnLimited: func(engine.Limited) { panic("test: OnLimited") },
	})
	c, r := k.openWS(0)
	for range 10 {
		c.sendText("4x")
	}
	if got := receive(t, r.closed); got != engine.ReasonForcedClose {
		t.Errorf("%v", got)
	}
	if k.srv.Stats().Panics != 1 {
		t.Error("not counted")
	}
}

// A bucket never gives more than its burst and what has come since, and gives at least
// that but for rounding.
func TestABucketGivesWhatItsRateSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := engine.Rate{PerSecond: rapid.IntRange(1, 1_000_000_000).Draw(t, "rate"), Burst: rapid.IntRange(0, 1_000_000).Draw(t, "burst")}
		b := engine.NewBucket(rate)
		burst := float64(rate.Burst)
		if rate.Burst == 0 {
			burst = float64(rate.PerSecond)
		}
		burst = max(burst, float64(rate.PerSecond)/100)
		tick, tokens := uint64(rapid.IntRange(0, 1<<35).Draw(t, "begin")), burst
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			wait := uint64(rapid.IntRange(0, 500).Draw(t, "wait"))
			tick += wait
			tokens = min(burst, tokens+float64(rate.PerSecond)*float64(wait)/100)
			n := rapid.IntRange(1, int(burst)+10).Draw(t, "n")
			slack := 1 + burst/1000 + float64(n)/100 // each is a whole number of 1/1,024 ns
			switch ok := b.Take(tick, n); {
			case ok && float64(n) > tokens+slack:
				t.Fatalf("%d of %f", n, tokens)
			case !ok && float64(n) < tokens-slack:
				t.Fatalf("not %d of %f", n, tokens)
			case ok:
				tokens -= float64(n)
			}
		}
	})
}
