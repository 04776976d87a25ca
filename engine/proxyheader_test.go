package engine_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"pgregory.net/rapid"
)

const proxyV1 = "PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\n"

// proxyV2 is a header of version 2: command 1 is PROXY, 0 is LOCAL.
func proxyV2(command byte, client string, tlvs string) string {
	ip := netip.MustParseAddr(client)
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), 0x20|command, 0x11)
	if ip.Is6() {
		b[13] = 0x21
	}
	ports := []byte{0x30, 0x39, 1, 0xbb}
	block := append(append(append(append([]byte{}, ip.AsSlice()...), ip.AsSlice()...), ports...), tlvs...)
	return string(append(binary.BigEndian.AppendUint16(b, uint16(len(block))), block...))
}

// dialProxied dials as a balancer that begins with this header.
func (f *fixture) dialProxied(header string) *rawConn {
	f.t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	f.t.Cleanup(func() { _ = nc.Close() })
	if _, err := io.WriteString(nc, header); err != nil {
		f.t.Fatal(err)
	}
	if f.secure {
		nc = tls.Client(nc, clientTLS())
	}
	return &rawConn{Conn: nc, t: f.t, br: bufio.NewReader(nc)}
}

// addressOf opens a session on the connection and returns its address.
func (f *fixture) addressOf(c *rawConn, lines ...string) string {
	f.t.Helper()
	return f.session(parseOpen(f.t, c.do("GET", pollURL, "", lines...).body).SID).s.Request().RemoteAddr().String()
}

// eachPort is a server with and without TLS.
func eachPort(t *testing.T, o engine.Options, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("plain", func(t *testing.T) { test(t, start(t, o)) })
	o.TLS = serverTLS(t)
	t.Run("TLS", func(t *testing.T) { test(t, start(t, o)) })
}

func TestTheProxyProtocolNamesTheClient(t *testing.T) {
	eachPort(t, proxied(engine.Options{Loops: 2, ProxyProtocol: engine.ProxyRequired, Handler: page("page")}), func(t *testing.T, f *fixture) {
		for header, want := range map[string]string{
			proxyV1: "192.0.2.1:12345",
			"PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n":               "[2001:db8::1]:12345",
			proxyV2(1, "192.0.2.1", ""):                                      "192.0.2.1:12345",
			proxyV2(1, "2001:db8::1", "\x02\x00\x0bexample.com\x04\x00\x00"): "[2001:db8::1]:12345",
		} {
			c := f.dialProxied(header)
			if got := f.addressOf(c); got != want {
				t.Errorf("%q: %s", header, got)
			}
			if got := c.do("GET", "/", "").body; got != "page" { // to net/http, and back
				t.Errorf("%q", got)
			}
			if got := f.addressOf(c, "X-Forwarded-For: 198.51.100.1"); got != want { // it is no proxy
				t.Errorf("%q, after a page: %s", header, got)
			}
		}
		if st := f.srv.Stats(); st.Proxied != 4 || st.ProxyFailed != 0 {
			t.Errorf("counted %d, %d failed", st.Proxied, st.ProxyFailed)
		}
	})
}

// A balancer looks after our health by itself, and says so.
func TestTheProxyProtocolOfABalancersOwnConnections(t *testing.T) {
	eachPort(t, proxied(engine.Options{ProxyProtocol: engine.ProxyRequired, Handler: page("page")}), func(t *testing.T, f *fixture) {
		for _, header := range []string{"PROXY UNKNOWN\r\n", proxyV2(0, "192.0.2.1", ""), "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", "\r\n\r\n\x00\r\nQUIT\n\x21\x00\x00\x00"} {
			c := f.dialProxied(header)
			if got := c.do("GET", "/", ""); got.StatusCode != http.StatusOK {
				t.Errorf("%q: %s", header, got.Status)
			}
			if got := f.addressOf(f.dialProxied(header)); !strings.HasPrefix(got, "127.0.0.1:") {
				t.Errorf("%q: %s", header, got)
			}
			if got := f.addressOf(f.dialProxied(header), "X-Forwarded-For: 192.0.2.9"); got != "192.0.2.9:0" {
				t.Errorf("%q: %s", header, got)
			}
		}
	})
}

// An HTTP proxy behind a balancer: who the balancer names is trusted to name others.
func TestTheProxyProtocolMayNameAProxy(t *testing.T) {
	f := start(t, proxied(engine.Options{ProxyProtocol: engine.ProxyOptional}))
	if got := f.addressOf(f.dialProxied(proxyV2(1, "10.0.0.1", "")), "X-Forwarded-For: 192.0.2.9"); got != "192.0.2.9:0" {
		t.Errorf("%s", got)
	}
}

func TestTheProxyProtocolMayBeLeftOut(t *testing.T) {
	eachPort(t, proxied(engine.Options{ProxyProtocol: engine.ProxyOptional}), func(t *testing.T, f *fixture) {
		if got := f.addressOf(f.dialProxied("")); !strings.HasPrefix(got, "127.0.0.1:") {
			t.Errorf("%s", got)
		}
		if got := f.addressOf(f.dialProxied(proxyV1)); got != "192.0.2.1:12345" {
			t.Errorf("%s", got)
		}
	})
}

func TestBadHeadersOfTheProxyProtocolAreCutOff(t *testing.T) {
	for _, mode := range []engine.ProxyProtocol{engine.ProxyOptional, engine.ProxyRequired} {
		f := start(t, proxied(engine.Options{ProxyProtocol: mode}))
		bad := []string{
			"PROXY TCP4 192.0.2.1\r\n", "PROXY " + strings.Repeat("x", 200),
			"\r\n\r\n\x00\r\nQUIT\n\x31", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff", "\r\n\r\n\x00\r\nQUIT\n\x21\xff\x00\x0c",
		}
		if mode == engine.ProxyRequired {
			bad = append(bad, "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01")
		}
		for _, header := range bad {
			f.dialProxied(header).eof()
		}
		if n := f.srv.Stats().ProxyFailed; n != uint64(len(bad)) {
			t.Errorf("%v: counted %d of %d", mode, n, len(bad))
		}
	}
}

// Whoever is not trusted cannot say who somebody is.
func TestTheProxyProtocolOfStrangers(t *testing.T) {
	f := start(t, proxied(engine.Options{ProxyProtocol: engine.ProxyOptional}))
	c := f.dialFrom("127.0.0.2")
	c.write(proxyV1)
	if got := c.read("GET"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", got.Status)
	}
	g := start(t, proxied(engine.Options{ProxyProtocol: engine.ProxyRequired}))
	g.dialFrom("127.0.0.2").eof()
	if n := g.srv.Stats().ProxyRefused; n != 1 {
		t.Errorf("counted %d", n)
	}
	h := start(t, proxied(engine.Options{}))
	if got := h.dialProxied(proxyV1).read("GET"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("off: %s", got.Status)
	}
}

// A header has 3 s, however it drips; a connection that may do without has the time of a
// request's head.
func TestTheProxyProtocolHasItsTime(t *testing.T) {
	for _, mode := range []engine.ProxyProtocol{engine.ProxyOptional, engine.ProxyRequired} {
		k := startFake(t, 1, proxied(engine.Options{ProxyProtocol: mode, HeaderTimeout: 20 * time.Second}))
		silent, drips, done := k.connect(0), k.connect(0), k.connect(0)
		done.deliver([]byte(proxyV1))
		for i := range 3 {
			drips.deliver([]byte(proxyV1[i : i+1]))
			k.advance(900 * time.Millisecond)
		}
		if drips.closed || silent.closed {
			t.Errorf("%v: closed too early", mode)
		}
		k.advance(500 * time.Millisecond)
		if !drips.closed || silent.closed != (mode == engine.ProxyRequired) || done.closed {
			t.Errorf("%v: %v, %v, %v", mode, drips.closed, silent.closed, done.closed)
		}
		k.advance(20 * time.Second)
		if !silent.closed || !done.closed {
			t.Errorf("%v: %v, %v", mode, silent.closed, done.closed)
		}
	}
}

// However a header and a request arrive, they are what they are.
func TestTheProxyProtocolInParts(t *testing.T) {
	k := startFake(t, 1, proxied(engine.Options{ProxyProtocol: engine.ProxyRequired}))
	rapid.Check(t, func(rt *rapid.T) {
		header := rapid.SampledFrom([]string{proxyV1, proxyV2(1, "192.0.2.1", ""), proxyV2(1, "192.0.2.1", strings.Repeat("x", 508))}).Draw(rt, "header")
		whole := header + string(requestText("GET", wsURL, wsHeader+"\r\n", ""))
		c := k.connect(0)
		for rest := whole; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "part")
			c.deliver([]byte(rest[:n]))
			rest = rest[n:]
		}
		r := k.session(parseOpen(t, c.handshake(t)).SID)
		if got := r.s.Request().RemoteAddr().String(); got != "192.0.2.1:12345" {
			rt.Fatal(got)
		}
		_ = c.loop.Close(c)
		c.vanish()
		k.run()
	})
}

// A connection that the PROXY protocol names a client for counts for that client.
func TestLimitsOfConnectionsBehindTheProxyProtocol(t *testing.T) {
	eachPort(t, proxied(engine.Options{Loops: 2, ProxyProtocol: engine.ProxyRequired, Handler: page("page"), Limits: engine.Limits{ConnectionsPerIP: 2}}), func(t *testing.T, f *fixture) {
		var mine []*rawConn
		for range 2 {
			c := f.dialProxied(proxyV1)
			mine = append(mine, c)
			f.addressOf(c)
			c.do("GET", "/", "")
			f.addressOf(c)
		}
		c := f.dialProxied(proxyV1)
		if f.secure {
			if err := c.Conn.(*tls.Conn).Handshake(); err == nil {
				t.Error("let in")
			}
		} else if got := c.read("GET"); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s", got.Status)
		}
		for i := range 3 {
			f.addressOf(f.dialProxied(proxyV2(1, fmt.Sprintf("192.0.2.%d", 10+i), "")))
		}
		if _, n := f.srv.Peers("192.0.2.1"); n != 2 {
			t.Errorf("%d connections counted", n)
		}
		if _, n := f.srv.Peers("127.0.0.1"); n != 0 {
			t.Errorf("%d of the balancer's counted", n)
		}
		for _, c := range mine {
			_ = c.Close()
		}
		until(t, "they are counted off", func() bool { _, n := f.srv.Peers("192.0.2.1"); return n == 0 })
	})
}
