package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// proxied is a server behind proxies at 127.0.0.1, and in two networks that nobody dials
// from here.
func proxied(o engine.Options) engine.Options {
	for _, p := range []string{"127.0.0.1/32", "10.0.0.0/8", "::ffff:172.16.0.0/108", "fd00::/8"} {
		o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(p))
	}
	return o
}

// headers are what requests of a proxy at 127.0.0.1 say, and who the client is then.
var headers = []struct {
	name, header, client string
	secure               bool
}{
	{name: "nothing", client: "127.0.0.1"},
	{name: "one address", header: "X-Forwarded-For: 192.0.2.1", client: "192.0.2.1"},
	{name: "the right-most one", header: "X-Forwarded-For: 198.51.100.9, 192.0.2.1", client: "192.0.2.1"},
	{name: "behind another proxy", header: "X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.1.2.3", client: "192.0.2.1"},
	{name: "on two lines", header: "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 172.16.9.9", client: "192.0.2.1"},
	{name: "proxies only", header: "X-Forwarded-For: 10.0.0.7, 10.0.0.8", client: "10.0.0.7"},
	{name: "an attempt at being nobody", header: "X-Forwarded-For: unknown, 192.0.2.1", client: "192.0.2.1"},
	{name: "a proxy that does not say", header: "X-Forwarded-For: 192.0.2.1, unknown", client: "127.0.0.1"},
	{name: "a proxy that does not say, further on", header: "X-Forwarded-For: 192.0.2.1, , 10.0.0.8", client: "10.0.0.8"},
	{name: "with a port", header: "X-Forwarded-For: 192.0.2.1:4711", client: "192.0.2.1"},
	{name: "IPv6", header: "X-Forwarded-For: 2001:db8::1", client: "2001:db8::1"},
	{name: "IPv6 with a port", header: "X-Forwarded-For: [2001:db8::1]:4711", client: "2001:db8::1"},
	{name: "IPv6 in brackets", header: "X-Forwarded-For: [2001:db8::1]", client: "2001:db8::1"},
	{name: "IPv6 behind a proxy of IPv6", header: "X-Forwarded-For: 2001:db8::1, fd00::2", client: "2001:db8::1"},
	{name: "IPv4 as IPv6", header: "X-Forwarded-For: ::ffff:192.0.2.1, ::ffff:10.0.0.1", client: "192.0.2.1"},
	{name: "garbage", header: "X-Forwarded-For: 192.0.2.1; DROP TABLE", client: "127.0.0.1"},
	{name: "Forwarded", header: "Forwarded: for=192.0.2.1;proto=https;by=203.0.113.43", client: "192.0.2.1", secure: true},
	{name: "Forwarded, IPv6", header: `Forwarded: For="[2001:db8:cafe::17]:4711"`, client: "2001:db8:cafe::17"},
	{name: "Forwarded, two proxies", header: `Forwarded: for=198.51.100.9, for=192.0.2.1;proto=http , for="10.0.0.1:80";proto=https`, client: "192.0.2.1", secure: true},
	{name: "Forwarded, two lines", header: "Forwarded: for=192.0.2.1\r\nForwarded: for=10.0.0.1", client: "192.0.2.1"},
	{name: "Forwarded, obfuscated", header: "Forwarded: for=192.0.2.1, for=_gazonk", client: "127.0.0.1"},
	{name: "Forwarded, unknown", header: "Forwarded: for=unknown", client: "127.0.0.1"},
	{name: "Forwarded, quoted pair", header: `Forwarded: for="192.0.2\.1"`, client: "192.0.2.1"},
	{name: "Forwarded, a comma in quotes", header: `Forwarded: by=", for=198.51.100.9";for=192.0.2.1`, client: "192.0.2.1"},
	{name: "X-Real-IP", header: "X-Real-IP: 192.0.2.1", client: "192.0.2.1"},
	{name: "the list wins", header: "X-Real-IP: 198.51.100.9\r\nForwarded: for=198.51.100.8\r\nX-Forwarded-For: 192.0.2.1", client: "192.0.2.1"},
	{name: "Forwarded wins over X-Real-IP", header: "X-Real-IP: 198.51.100.9\r\nForwarded: for=192.0.2.1", client: "192.0.2.1"},
	{name: "https", header: "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https", client: "192.0.2.1", secure: true},
	{name: "wss", header: "X-Forwarded-Proto: wss", client: "127.0.0.1", secure: true},
	{name: "https only as the client says", header: "X-Forwarded-Proto: https, http", client: "127.0.0.1"},
}

func TestATrustedProxyNamesTheClient(t *testing.T) {
	eachWayIn(t, proxied(engine.Options{Loops: 2}), func(t *testing.T, f *fixture) {
		for _, c := range headers {
			for _, target := range []string{pollURL, wsURL} {
				lines := []string{}
				if c.header != "" {
					lines = strings.Split(c.header, "\r\n")
				}
				secure := c.secure || f.tls != nil && !strings.Contains(c.header, "http")
				r := f.openWith(target, lines)
				if got := r.s.Request().RemoteAddr().Addr().String(); got != c.client || r.s.Request().Secure() != secure {
					t.Errorf("%s, %s: %s, secure %v", c.name, target[len(target)-9:], got, r.s.Request().Secure())
				}
				q, err := r.s.Request().HTTP()
				if err != nil || !strings.Contains(q.RemoteAddr, c.client) {
					t.Errorf("%s: %v %v", c.name, q.RemoteAddr, err)
				}
			}
		}
	})
}

// openWith opens a session with these lines in the request.
func (f *fixture) openWith(target string, lines []string) *recorder {
	f.t.Helper()
	d := f.dial()
	if target == wsURL {
		d.do("GET", wsURL, "", append(lines, wsHeader)...)
		return f.session(parseOpen(f.t, (&wsConn{d}).text()).SID)
	}
	return f.session(parseOpen(f.t, d.do("GET", target, "", lines...).body).SID)
}

// What the network's peer says of others counts only where it is trusted.
func TestNobodyElseNamesTheClient(t *testing.T) {
	all := []string{"X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1", "X-Forwarded-Proto: https"}
	for _, trusted := range []string{"", "127.0.0.2/32"} {
		o := engine.Options{}
		if trusted != "" {
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(trusted)}
		}
		eachWayIn(t, o, func(t *testing.T, f *fixture) {
			r := f.openWith(pollURL, all).s.Request()
			if got := r.RemoteAddr().Addr().String(); got != "127.0.0.1" || r.Secure() != (f.tls != nil) {
				t.Errorf("%s, secure %v", got, r.Secure())
			}
		})
	}
}

func TestOneFieldMayBeTheOnlyOne(t *testing.T) {
	all := []string{"X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.2", "X-Real-IP: 192.0.2.3", "CF-Connecting-IP: 192.0.2.4"}
	for name, want := range map[string]string{
		"x-forwarded-for": "192.0.2.1", "forwarded": "192.0.2.2", "X-Real-IP": "192.0.2.3", "Cf-Connecting-Ip": "192.0.2.4", "X-Other": "127.0.0.1",
	} {
		f := start(t, proxied(engine.Options{ClientHeader: name}))
		if got := f.openWith(pollURL, all).s.Request().RemoteAddr().Addr().String(); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A Forwarded that is none could be a client's attempt at being taken for the proxy.
func TestAMalformedForwardedIsRefused(t *testing.T) {
	f := start(t, proxied(engine.Options{Handler: page("page")}))
	for _, value := range []string{`for="192.0.2.1`, `for=`, `=1`, `for=192.0.2.1 for=192.0.2.2`, `for=a;for=b`, `for="a\`, `for=192.0.2.1, for=";`, "for=\"\x80\";,ä=1"} {
		if got := f.dial().do("GET", pollURL, "", "Forwarded: "+value); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", value, got.Status)
		}
	}
}

// Pages see the client, too, over the connection that was handed over.
func TestPagesSeeTheClientBehindAProxy(t *testing.T) {
	f := start(t, proxied(engine.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RemoteAddr)
	})}))
	c := f.dial()
	for _, want := range []string{"192.0.2.1", "192.0.2.2"} {
		if got := c.do("GET", "/", "", "X-Forwarded-For: "+want).body; got != want {
			t.Errorf("%q", got)
		}
	}
	if got := c.do("GET", "/", "").body; !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("%q", got)
	}
	r := parseOpen(t, c.do("GET", pollURL, "", "X-Forwarded-For: 192.0.2.3").body)
	if got := f.session(r.SID).s.Request().RemoteAddr().Addr().String(); got != "192.0.2.3" {
		t.Errorf("%q on the way back", got)
	}
	if got := c.do("GET", "/", "", `Forwarded: for="`); got.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", got.Status)
	}
}

// A proxy's connection goes from loop to loop and to net/http and back: each request on it
// is its own client's all the way.
func TestEachRequestOfAProxyIsItsOwnClients(t *testing.T) {
	eachPort(t, proxied(engine.Options{Loops: 2, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RemoteAddr)
	})}), func(t *testing.T, f *fixture) {
		conns := []*rawConn{f.dial(), f.dial(), f.dial()}
		for i := range 30 {
			client := fmt.Sprintf("192.0.2.%d", 1+i)
			header := "X-Forwarded-For: " + client
			c, d := conns[i%3], conns[(i+1)%3]
			sid := parseOpen(t, c.do("GET", pollURL, "", header).body).SID
			r := f.session(sid)
			if got := d.do("GET", "/", "", "X-Forwarded-For: 198.51.100.9").body; got != "198.51.100.9" {
				t.Errorf("a page: %q", got)
			}
			if got := d.do("POST", pollURL+"&sid="+sid, "4a", "X-Forwarded-For: 198.51.100.8"); got.body != "ok" {
				t.Errorf("%s %q", got.Status, got.body)
			}
			receive(t, r.texts)
			if got := r.s.Request().RemoteAddr().Addr().String(); got != client {
				t.Errorf("session of %s: %s", client, got)
			}
		}
	})
}

// Requests of many clients share a proxy's connection: each has its own rate, and the
// connection, which is counted for nobody, stays.
func TestLimitsAreTheClientsBehindAProxy(t *testing.T) {
	var d told
	f := start(t, proxied(engine.Options{OnLimited: d.add, Handler: page("page"), Limits: engine.Limits{
		ConnectionsPerIP: 1, ConnectionRatePerIP: engine.Rate{PerSecond: 1},
		SessionRatePerIP: engine.Rate{PerSecond: 1, Burst: 2}, RequestRatePerIP: engine.Rate{PerSecond: 1, Burst: 10},
	}}))
	c := f.dial()
	f.dial().do("GET", "/", "")
	got := map[int]int{}
	for range 6 {
		got[c.do("GET", pollURL, "", "X-Forwarded-For: 192.0.2.1").StatusCode]++
	}
	if got[200] < 2 || got[429] < 3 {
		t.Errorf("%v", got)
	}
	parseOpen(t, c.do("GET", pollURL, "", "X-Forwarded-For: 192.0.2.2").body)
	clear(got)
	for range 14 {
		got[c.do("GET", "/socket.io/?EIO=4&transport=polling&sid=none", "", "X-Forwarded-For: 192.0.2.3").StatusCode]++
	}
	if got[400] < 10 || got[429] < 3 {
		t.Errorf("%v", got)
	}
	clear(got)
	for range 14 {
		got[c.do("GET", "/", "", "X-Forwarded-For: 192.0.2.4").StatusCode]++
	}
	if got[200] < 10 || got[429] < 3 {
		t.Errorf("pages: %v", got)
	}
	for _, e := range d.all {
		if ip := e.Peer.String(); !strings.HasPrefix(ip, "192.0.2.") {
			t.Errorf("%v of %s", e.Limit, ip)
		}
	}
	if d.of(engine.LimitSessionRate) < 3 || d.of(engine.LimitRequestRate) < 6 || f.srv.Stats().Peers < 4 {
		t.Errorf("%d sessions, %d requests, %d peers", d.of(engine.LimitSessionRate), d.of(engine.LimitRequestRate), f.srv.Stats().Peers)
	}
}

func TestLimitOfRequestRatePerIP(t *testing.T) {
	if everythingOverTLS {
		t.Skip("the other peer dials without TLS")
	}
	f := start(t, engine.Options{Limits: engine.Limits{RequestRatePerIP: engine.Rate{PerSecond: 1, Burst: 4}}})
	other, r := f.innocent()
	c, o := f.openPolling()
	refused := false
	for range 5 {
		c.request("POST", pollURL+"&sid="+o.SID, "4a")
		if got := c.read("POST"); got.StatusCode == http.StatusTooManyRequests {
			refused = got.Close && got.Header.Get("Retry-After") != ""
			break
		}
	}
	if !refused || f.srv.Stats().Limits[engine.LimitRequestRate] != 1 {
		t.Errorf("refused: %v, counted %d", refused, f.srv.Stats().Limits[engine.LimitRequestRate])
	}
	c.eof()
	f.echoes(other, r)
}

// A peer's sessions have messages together, too; another peer has its own.
func TestLimitOfMessagesAndBytesPerIP(t *testing.T) {
	if everythingOverTLS {
		t.Skip("the other peer dials without TLS")
	}
	for limit, m := range map[engine.Limit]engine.Limits{
		engine.LimitMessagesPerIP: {MessagesPerIP: engine.Rate{PerSecond: 1, Burst: 8}},
		engine.LimitBytesPerIP:    {BytesPerIP: engine.Rate{PerSecond: 1, Burst: 8000}},
	} {
		f := start(t, engine.Options{Loops: 2, MaxHTTPBufferSize: 2000, Limits: m})
		other, r := f.innocent()
		closed := 0
		for range 6 {
			c, o := f.openWS()
			for range 3 {
				c.sendText("4" + strings.Repeat("a", 1000))
			}
			select {
			case <-f.session(o.SID).closed:
				closed++
			case <-time.After(20 * time.Millisecond):
			}
		}
		if n := f.srv.Stats().Limits[limit]; closed < 3 || n < uint64(closed) {
			t.Errorf("%v: %d of 6 closed, counted %d", limit, closed, n)
		}
		f.echoes(other, r)
		until(t, "who is quiet is let go of", func() bool { return f.srv.HeldPeers() == 0 })
	}
}

// Who is exempt meets no limit per IP, and none of those per session.
func TestLimitsExemptNetworks(t *testing.T) {
	if everythingOverTLS {
		t.Skip("the other peer dials without TLS")
	}
	f := start(t, engine.Options{Limits: engine.Limits{
		ConnectionsPerIP: 1, SessionRatePerIP: engine.Rate{PerSecond: 1}, RequestRatePerIP: engine.Rate{PerSecond: 1},
		Messages: engine.Rate{PerSecond: 1, Burst: 1}, Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}})
	for range 3 {
		f.openPolling()
	}
	c, o := f.openWS()
	r := f.session(o.SID)
	for i := range 5 {
		c.sendText(fmt.Sprint("4", i))
		if got := receive(t, r.texts); got != fmt.Sprint(i) {
			t.Errorf("%q", got)
		}
	}
	if n := f.srv.Stats().Peers; n != 0 {
		t.Errorf("%d peers remembered", n)
	}
	d := f.dialFrom("127.0.0.2")
	d.do("GET", pollURL, "")
	if got := f.dialFrom("127.0.0.2").read("GET"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("another peer: %s", got.Status)
	}
}

// The application is not asked about sessions that the rate refuses: that is where the
// work is.
func TestLimitOfSessionRateComesBeforeTheApplication(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	f := start(t, engine.Options{
		AllowRequest: func(context.Context, *http.Request) error {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return errors.New("test: nobody")
		},
		Limits: engine.Limits{SessionRatePerIP: engine.Rate{PerSecond: 1, Burst: 3}},
	})
	got := map[int]int{}
	for i := range 10 {
		if i%2 == 0 {
			got[f.dial().do("GET", pollURL, "").StatusCode]++
			continue
		}
		c := f.dial()
		c.request("GET", wsURL, "", wsHeader)
		got[c.read("GET").StatusCode]++
	}
	mu.Lock()
	defer mu.Unlock()
	if asked < 3 || asked > 5 || got[429] != 10-asked {
		t.Errorf("asked %d times; answers %v", asked, got)
	}
}

func TestBadProxies(t *testing.T) {
	accept := func(*engine.Session) engine.Receiver { return nil }
	ours := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, o := range map[string]engine.Options{
		"no network":          {TrustedProxies: make([]netip.Prefix, 1)},
		"nobody to believe":   {ProxyProtocol: engine.ProxyOptional},
		"no such mode":        {ProxyProtocol: 3, TrustedProxies: ours},
		"no field's name":     {ClientHeader: "X Real", TrustedProxies: ours},
		"a field and a colon": {ClientHeader: "X-Real-IP:", TrustedProxies: ours},
	} {
		o.Accept = accept
		if _, err := engine.New(o); !errors.Is(err, engine.ErrBadProxies) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range []engine.ProxyProtocol{engine.ProxyOff, engine.ProxyOptional, engine.ProxyRequired} {
		if got, err := engine.ParseProxyProtocol(p.String()); got != p || err != nil {
			t.Errorf("%v: %v %v", p, got, err)
		}
	}
	if _, err := engine.ParseProxyProtocol("on"); !errors.Is(err, engine.ErrBadProxies) {
		t.Errorf("%v", err)
	}
}

// One peer is what one client has: an IPv4 address, or a /64 network.
func TestWhoIsOnePeer(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"fe80::1%eth0": "fe80::", "64:ff9b::192.0.2.1": "192.0.2.1",
	} {
		if got := engine.HostOf(netip.MustParseAddr(ip)).String(); got != want {
			t.Errorf("%s: %s", ip, got)
		}
	}
}

// FuzzForwarded: whatever a client writes, what its proxy appends says who it is, or the
// request is refused.
func FuzzForwarded(f *testing.F) {
	for _, c := range headers {
		_, value, _ := strings.Cut(strings.Split(c.header+"\r\n", "\r\n")[0], ": ")
		f.Add(value)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	srv, err := engine.New(engine.Options{TrustedProxies: trusted, Accept: func(*engine.Session) engine.Receiver { return nil }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for name, suffix := range map[string]string{"X-Forwarded-For": ", 192.0.2.1, 10.0.0.1", "Forwarded": `, for=192.0.2.1, for="10.0.0.1:1"`} {
			for _, lines := range [][]string{{value + suffix}, {value, suffix[2:]}} {
				at, err := srv.ClientOf(name, lines)
				if err == nil && at.Addr() != netip.MustParseAddr("192.0.2.1") {
					t.Fatalf("%s: %q: %v", name, lines, at)
				}
			}
			_, _ = srv.ClientOf(name, []string{value})
		}
	})
}
