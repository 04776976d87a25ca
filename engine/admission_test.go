package engine_test

import (
	"bufio"
	"bytes"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// ask opens a connection, sends a request and returns the answer's status and header.
func (k *fakes) ask(loop int, method, url, header string) *http.Response {
	k.t.Helper()
	c := k.connect(loop)
	c.deliver(requestText(method, url, header, ""))
	c.drain()
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.got.Bytes())), nil)
	if err != nil {
		k.t.Fatalf("%s %s: %v in %q", method, url, err, c.got.String())
	}
	return r
}

// handshakes are the two ways to begin a session.
var handshakes = []struct {
	name, url, header string
	status            int
}{
	{"polling", pollURL, "", http.StatusOK},
	{"websocket", wsURL, wsHeader + "\r\n", http.StatusSwitchingProtocols},
}

// admitted begins sessions, over both transports and all loops in turn, until one is
// refused, and says how many were not.
func (k *fakes) admitted() (n int) {
	k.t.Helper()
	for ; n < 10_000; n++ {
		h := handshakes[n%2]
		r := k.ask(n/2%len(k.loops), "GET", h.url, h.header)
		if r.StatusCode == http.StatusServiceUnavailable {
			return n
		}
		if r.StatusCode != h.status {
			k.t.Fatalf("%s: %s", h.name, r.Status)
		}
	}
	k.t.Fatal("nobody was refused")
	return 0
}

func TestSessionsBeyondTheBurstAreRefused(t *testing.T) {
	k := startFake(t, 3, engine.Options{AcceptRate: 10, AcceptBurst: 25, CORS: engine.CORS{Origins: []string{"*"}}})
	if n := k.admitted(); n != 25 {
		t.Errorf("%d at once, the burst is 25", n)
	}
	for i, h := range handshakes {
		r := k.ask(0, "GET", h.url, h.header+"Origin: http://example.com\r\n")
		if r.StatusCode != http.StatusServiceUnavailable || !r.Close {
			t.Errorf("%s: %s, closing: %v", h.name, r.Status, r.Close)
		}
		if s, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || s < 1 || s > 10 {
			t.Errorf("%s: Retry-After %q", h.name, r.Header.Get("Retry-After"))
		}
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: a page cannot read the refusal: %q", h.name, got)
		}
		if st := k.srv.Stats(); st.Limited != uint64(2+i) || st.Opened != 25 {
			t.Errorf("%d refused of those, %d opened", st.Limited, st.Opened)
		}
	}
}

func TestTheBucketFillsAtTheRate(t *testing.T) {
	k := startFake(t, 2, engine.Options{AcceptRate: 10, AcceptBurst: 25, IdleTimeout: time.Hour})
	k.admitted()
	for _, tt := range []struct {
		wait time.Duration
		want int
	}{
		{50 * time.Millisecond, 0},
		{50 * time.Millisecond, 1}, // the tenth of a second is over
		{100 * time.Millisecond, 1},
		{time.Second, 10},
		{time.Minute, 25}, // and no more than the burst
		{90 * time.Millisecond, 0},
	} {
		k.advance(tt.wait)
		if n := k.admitted(); n != tt.want {
			t.Errorf("%d after %v, want %d", n, tt.wait, tt.want)
		}
	}
}

func TestTheBurstIsOneSecondsWorthWhereNoneIsGiven(t *testing.T) {
	k := startFake(t, 1, engine.Options{AcceptRate: 7})
	if n := k.admitted(); n != 7 {
		t.Errorf("%d at once", n)
	}
}

func TestThereIsNoLimitWhereNoneIsGiven(t *testing.T) {
	for _, rate := range []int{0, -1} {
		k := startFake(t, 1, engine.Options{AcceptRate: rate, AcceptBurst: 1})
		for range 100 {
			k.openWS(0)
		}
		if n := k.srv.Stats().Limited; n > 0 {
			t.Errorf("rate %d: %d refused", rate, n)
		}
	}
}

func TestABurstWithoutEndIsOne(t *testing.T) {
	k := startFake(t, 1, engine.Options{AcceptRate: 1, AcceptBurst: math.MaxInt})
	for range 100 {
		k.openWS(0)
	}
}

// Whatever the demand, and however it comes, no more get in than the rate allows.
func TestUnderConstantDemandTheRateHolds(t *testing.T) {
	const rate, burst, seconds = 100, 30, 20
	k := startFake(t, 2, engine.Options{AcceptRate: rate, AcceptBurst: burst, PingInterval: time.Hour})
	sum := k.admitted()
	for range seconds * 100 {
		k.advance(engine.TickLength)
		sum += k.admitted()
	}
	if want := burst + seconds*rate; sum < want-1 || sum > want {
		t.Errorf("%d in %d s, want %d", sum, seconds, want)
	}
}

// Only those who would open a session are counted.
func TestARequestThatOpensNothingTakesNoPlace(t *testing.T) {
	k := startFake(t, 1, engine.Options{AcceptRate: 1})
	for _, bad := range []struct {
		method, url, header string
		status              int
	}{
		{"GET", "/socket.io/?EIO=3&transport=polling", "", 400},
		{"GET", "/socket.io/?EIO=4&transport=pigeon", "", 400},
		{"GET", pollURL + "&sid=" + unknownSID, "", 400},
		{"POST", pollURL, "", 400},
		{"GET", wsURL, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400},
		{"GET", wsURL, wsHeader + "\r\nOrigin: http://evil.example\r\n", 403},
		{"GET", "/elsewhere", "", 404},
	} {
		if r := k.ask(0, bad.method, bad.url, bad.header); r.StatusCode != bad.status {
			t.Errorf("%s %s: %s, want %d", bad.method, bad.url, r.Status, bad.status)
		}
	}
	if n := k.admitted(); n != 1 {
		t.Errorf("%d were let in after them, want 1", n)
	}
}

// Who is in stays in: polls, posts, the upgrade and its connection are no new session.
func TestSessionsThereAreAreNeverRefused(t *testing.T) {
	k := startFake(t, 1, engine.Options{AcceptRate: 1})
	_, r := k.openPolling(0)
	if n := k.admitted(); n != 0 {
		t.Fatalf("%d more were let in", n)
	}
	url := "&sid=" + r.s.ID()
	for range 50 {
		post := k.connect(0)
		post.deliver(requestText("POST", pollURL+url, "Content-Length: 6\r\n", "4hello"))
		if got := post.response(t); got != "ok" {
			t.Fatalf("POST: %q", got)
		}
		if got := receive(t, r.texts); got != "hello" {
			t.Fatalf("received %q", got)
		}
		r.send("back")
		k.run()
		get := k.connect(0)
		get.deliver(requestText("GET", pollURL+url, "", ""))
		if got := get.response(t); got != "4back" {
			t.Fatalf("GET: %q", got)
		}
	}
	w := k.connect(0)
	w.deliver(requestText("GET", wsURL+url, wsHeader+"\r\n", ""))
	w.sendText("2probe")
	if got := w.handshake(t); got != "3probe" {
		t.Fatalf("got %q", got)
	}
	w.sendText("5")
	if got := r.s.Transport(); got != engine.WebSocket {
		t.Errorf("the session is on %v", got)
	}
}

// Nobody is to be told to come back at the time that everybody is told.
func TestRetryAfterIsSpread(t *testing.T) {
	const n = 1000
	k := startFake(t, 1, engine.Options{AcceptRate: 1})
	k.admitted()
	told := make(map[string]int)
	for range n {
		told[k.ask(0, "GET", pollURL, "").Header.Get("Retry-After")]++
	}
	for s := 1; s <= 10; s++ {
		if got := told[strconv.Itoa(s)]; got < n/10/2 || got > n/10*2 {
			t.Errorf("%d of %d are told to come back in %d s", got, n, s)
		}
	}
}

// The loops share one bucket, and take from it at the same time.
func TestTheLimitIsTheWholeServers(t *testing.T) {
	const clients, burst = 120, 40
	f := start(t, engine.Options{AcceptRate: 1, AcceptBurst: burst, Loops: 4})
	begun := time.Now()
	conns := make([]*rawConn, clients)
	for i := range conns {
		conns[i] = f.dial()
	}
	for _, c := range conns {
		c.request("GET", pollURL, "")
	}
	in := 0
	for _, c := range conns {
		if c.read("GET").StatusCode == http.StatusOK {
			in++
		}
	}
	refilled := int(time.Since(begun)/time.Second) + 1
	if in < burst || in > burst+refilled {
		t.Errorf("%d were let in, the burst is %d", in, burst)
	}
	if st := f.srv.Stats(); int(st.Limited)+in != clients || int(st.Opened) != in {
		t.Errorf("%d opened, %d refused, of %d", st.Opened, st.Limited, clients)
	}
}

// A server that is full spreads its Retry-After, too.
func TestAFullServerSpreadsRetryAfter(t *testing.T) {
	k := startFake(t, 1, engine.Options{MaxConnections: 1})
	k.openWS(0)
	told := make(map[string]bool)
	for range 200 {
		c := k.connect(0)
		c.drain()
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.got.Bytes())), nil)
		if err != nil || r.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%v: %q", err, c.got.String())
		}
		told[r.Header.Get("Retry-After")] = true
	}
	if len(told) != 10 {
		t.Errorf("200 refusals say %v", told)
	}
}

// The clock has ticks: what comes within one must not be lost because the bucket is
// smaller than that.
func TestASmallBurstDoesNotLowerTheRate(t *testing.T) {
	const rate, seconds = 1000, 2
	k := startFake(t, 1, engine.Options{AcceptRate: rate, AcceptBurst: 1, PingInterval: time.Hour})
	sum := k.admitted()
	for range seconds * 100 {
		k.advance(engine.TickLength)
		sum += k.admitted()
	}
	if want := seconds * rate; sum < want || sum > want+rate/100 {
		t.Errorf("%d in %d s, want %d", sum, seconds, want)
	}
}
