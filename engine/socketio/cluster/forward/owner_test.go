package forward_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
)

// witness is what a server sees of the requests for its sessions.
type witness struct {
	mu   sync.Mutex
	seen []*http.Request // guarded by mu
}

func (w *witness) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, r)
		w.mu.Unlock()
		next.ServeHTTP(rw, r)
	})
}

func (w *witness) last() *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[len(w.seen)-1]
}

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

func TestTheOwnerSeesTheClient(t *testing.T) {
	for _, proxies := range []bool{false, true} {
		o := socketio.Options{}
		if proxies {
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
		all := fleet(t, new(tunneltest.Bus), 2, o)
		var w witness
		all[0].server.Engine().Use(w.middleware)
		sid := all[0].open()
		header := []string{
			"X-Forwarded-For: 192.0.2.7, 127.0.0.5", "X-Forwarded-Proto: https", "Cookie: a=b", "X-Forwarded-Host: elsewhere.example",
		}
		target := polling + "&sid=" + sid
		all[0].dial().do("POST", target, "3", header...)
		direct := w.last()
		all[1].dial().do("POST", target, "3", header...)
		got := w.last()
		if a, b := host(direct.RemoteAddr), host(got.RemoteAddr); a != b || proxies != (a == "192.0.2.7") {
			t.Errorf("trusted %v: %s directly, %s forwarded", proxies, a, b)
		}
		if got.Host != direct.Host || got.RequestURI != direct.RequestURI || len(got.Header) != len(direct.Header) {
			t.Errorf("directly %s %s %v, forwarded %s %s %v", direct.Host, direct.RequestURI, direct.Header, got.Host, got.RequestURI, got.Header)
		}
		for name, lines := range direct.Header {
			if strings.Join(lines, "|") != strings.Join(got.Header[name], "|") {
				t.Errorf("%s is %q, not %q", name, got.Header[name], lines)
			}
		}
	}
}

// A client may call what its proxy says of it a matter of its connection only, so that
// whoever forwards the request leaves it out: the owner is to see it all the same.
func TestAClientDoesNotHideBehindTheForwarder(t *testing.T) {
	o := socketio.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ClientHeader: "X-Real-IP"}
	all := fleet(t, new(tunneltest.Bus), 2, o)
	var w witness
	all[0].server.Engine().Use(w.middleware)
	target := polling + "&sid=" + all[0].open()
	all[1].dial().do("POST", target, "3", "X-Real-IP: 192.0.2.7", "Cookie: a=b", "Connection: X-Real-IP, cookie")
	if got := w.last(); host(got.RemoteAddr) != "192.0.2.7" || got.Header.Get("Cookie") != "a=b" {
		t.Errorf("%s, %v", got.RemoteAddr, got.Header)
	}
}

func host(addr string) string {
	if at, err := netip.ParseAddrPort(addr); err == nil {
		return at.Addr().String()
	}
	return addr
}

func TestTheOwnersLimitsHoldForForwardedRequests(t *testing.T) {
	bus := new(tunneltest.Bus)
	a := start(t, bus, "a", socketio.Options{Limits: socketio.Limits{RequestRatePerIP: socketio.Rate{PerSecond: 1, Burst: 20}}})
	b := start(t, bus, "b", socketio.Options{})
	until(t, "they know each other", func() bool { return a.forward.Stats().Peers == 1 && b.forward.Stats().Peers == 1 })
	sid := a.open()
	for range 40 {
		if b.dial().do("POST", polling+"&sid="+sid, "3").StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("40 requests were answered")
}

func TestWhereTheOwnerIsGoneTheSessionIsUnknown(t *testing.T) {
	bus := new(tunneltest.Bus)
	all := fleet(t, bus, 2, socketio.Options{CORS: socketio.CORS{Origins: []string{"*"}}})
	sid := all[0].open()
	held := all[1].dial()
	held.ask("GET", polling+"&sid="+sid, "")
	until(t, "the poll is held", func() bool { return all[0].forward.Stats().Streams > 0 })
	bus.Kill("a", true)
	asked := all[1].dial().poll(sid)
	for name, a := range map[string]answer{"the poll that was held": held.read(), "the next one": asked} {
		if a.StatusCode != 400 || a.body != `{"code":1,"message":"Session ID unknown"}` || a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %s %v %q", name, a.Status, a.Header, a.body)
		}
	}
}

// What an answer brought may be lost with it. The client has to learn that something is, and
// the poll must not be made again as if nothing was.
func TestALostAnswerIsNoAnswer(t *testing.T) {
	t.Parallel() // takes the time in which two ends compare notes
	var lose atomic.Bool
	bus := &tunneltest.Bus{Fault: func(to string, b []byte) int {
		if to == "b" && lose.Load() && strings.Contains(string(b), "HTTP/1.1 200") {
			lose.Store(false)
			return 0
		}
		return 1
	}}
	all := fleet(t, bus, 2, socketio.Options{})
	var w witness
	all[0].server.Engine().Use(w.middleware)
	sid := all[0].open()
	l := all[1].dial()
	l.post(sid, `42["echo",1]`) // over a stream that is used again
	l.poll(sid)
	before := w.count()
	l.post(sid, `42["echo",2]`)
	lose.Store(true)
	l.ask("GET", polling+"&sid="+sid, "")
	if r, err := l.tryRead(); err == nil && r.StatusCode != http.StatusBadGateway {
		t.Fatalf("%s %q", r.Status, r.body)
	} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if n := w.count() - before; n != 2 {
		t.Errorf("%d requests reached the owner", n)
	}
}

func TestShutdownDoesNotWaitForPollsOfOthers(t *testing.T) {
	all := fleet(t, new(tunneltest.Bus), 2, socketio.Options{})
	sid := all[0].open()
	l := all[1].dial()
	l.ask("GET", polling+"&sid="+sid, "")
	until(t, "the poll is held", func() bool { return all[0].forward.Stats().Streams > 0 })
	began := time.Now()
	if err := all[1].server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if a := l.read(); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s %q", a.Status, a.body)
	}
}

func TestAnOwnerThatStopsSaysGoodbyeThroughOthers(t *testing.T) {
	all := fleet(t, new(tunneltest.Bus), 2, socketio.Options{})
	sid := all[0].open()
	l := all[1].dial()
	l.ask("GET", polling+"&sid="+sid, "")
	until(t, "the poll is held", func() bool { return all[0].forward.Stats().Streams > 0 })
	stopped := make(chan error)
	go func() { stopped <- all[0].server.Shutdown(context.Background()) }()
	if a := l.read(); a.StatusCode != 200 || !strings.HasSuffix(a.body, "1") { // a close packet
		t.Errorf("%s %q", a.Status, a.body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestForwarderWithoutAServerRefuses(t *testing.T) {
	bus := new(tunneltest.Bus)
	b := start(t, bus, "b", socketio.Options{})
	f, err := forward.New(bus, forward.Options{Tag: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	until(t, "they know each other", func() bool { return b.forward.Stats().Peers == 1 })
	if a := b.dial().poll("a.AAAAAAAAAAAAAAAAAAAA"); a.StatusCode != 400 || !strings.Contains(a.body, `"code":1`) {
		t.Errorf("%s %q", a.Status, a.body)
	}
	if _, err := forward.New(bus, forward.Options{Tag: "not a tag"}); !errors.Is(err, tunnel.ErrBadTag) {
		t.Error(err)
	}
}
