package engine_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// freePort is one that nobody has at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// A real balancer in its four ways of saying who the client is, health checks included.
func TestTheClientBehindHAProxy(t *testing.T) {
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("haproxy is not installed")
	}
	f := start(t, proxied(engine.Options{ProxyProtocol: engine.ProxyOptional, Handler: page("page"), Limits: engine.Limits{ConnectionsPerIP: 50}}))
	if f.secure {
		t.Skip("is about plain TCP")
	}
	ways := []struct{ name, mode, server string }{
		{"PROXY protocol, version 1", "mode tcp", "send-proxy check inter 50ms"},
		{"PROXY protocol, version 2", "mode tcp", "send-proxy-v2 check inter 50ms"},
		{"X-Forwarded-For", "mode http\n  option forwardfor", "check inter 50ms"},
		{"both", "mode http\n  option forwardfor", "send-proxy-v2-ssl-cn check inter 50ms"},
	}
	config, addrs := "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n", make([]string, len(ways))
	for i, w := range ways {
		addrs[i] = freePort(t)
		config += fmt.Sprintf("listen l%d\n  bind %s\n  %s\n  server s %s %s\n", i, addrs[i], w.mode, f.addr, w.server)
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(haproxy, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for i, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			var c *rawConn
			until(t, "HAProxy listens", func() bool {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
				nc, err := d.Dial("tcp", addrs[i])
				if err != nil {
					return false
				}
				_ = nc.SetDeadline(time.Now().Add(patience))
				c = &rawConn{Conn: nc, t: t, br: bufio.NewReader(nc)}
				return true
			})
			defer func() { _ = c.Close() }()
			if got := f.session(parseOpen(t, c.do("GET", pollURL, "").body).SID).s.Request().RemoteAddr().Addr().String(); got != "127.0.0.9" {
				t.Error(got)
			}
		})
	}
	until(t, "HAProxy has looked after our health by itself", func() bool { return f.srv.Stats().Proxied > 6 })
	if n := f.srv.Stats().ProxyFailed; n > 0 {
		t.Errorf("%d headers failed", n)
	}
}
