package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// recipe copies a file of docs/deploy, with values replaced that are the documentation's;
// each has to be there.
func recipe(t *testing.T, name string, values ...string) (path string) {
	t.Helper()
	text := string(read(t, filepath.Join(deploy, name)))
	for i := 0; i < len(values); i += 2 {
		if !strings.Contains(text, values[i]) {
			t.Fatalf("%s has no %q any more", name, values[i])
		}
		text = strings.ReplaceAll(text, values[i], values[i+1])
	}
	path = filepath.Join(t.TempDir(), filepath.Base(name))
	rewrite(t, path, text)
	return path
}

// behind starts two instances and what is to be in front of them, and has clients of
// every transport, and a browser, come through it. Every client is at one instance.
func behind(t *testing.T, front func(t *testing.T, public, a, b string)) {
	t.Helper()
	a, b := start(t, anywhere("--client-files="+clientFolder(t))), start(t, anywhere("--client-files="+clientFolder(t)))
	public := freePort(t)
	front(t, public, "127.0.0.1:"+a.port(), "127.0.0.1:"+b.port())
	url := "http://127.0.0.1:" + public
	eventually(t, func() error {
		if got, err := try("GET", url+"/", ""); err != nil || got.StatusCode != 200 {
			return fmt.Errorf("nothing comes through yet: %v", err)
		}
		return nil
	})
	node := clienttest.Start(t)
	for _, transports := range [][]string{clienttest.Polling, clienttest.WebSocket, clienttest.Upgrade} {
		// Two of each, to be at both instances. Cookies are the browsers' default.
		for range 2 {
			c := node.Connect(t, clienttest.ClientOptions{URL: url, Transports: transports, Extra: map[string]any{"withCredentials": true}})
			if len(transports) == 2 {
				if name := c.WaitUpgrade(); name != "websocket" {
					t.Errorf("%v: upgraded to %s", transports, name)
				}
			}
			says := fmt.Sprint("by ", transports)
			c.Emit("chatMessage", says)
			requireReply(t, c, says)
			c.Disconnect()
		}
	}
	page := clienttest.OpenBrowser(t).Open(url+"/", clienttest.PageOptions{})
	page.WaitText(statusText, "Connected over WebSocket")
	write(page, "through the balancer")
	page.WaitText(messages, "through the balancer")
	requireNoFaults(t, "the page", page)
}

func TestCaddyIsABalancer(t *testing.T) {
	notShort(t)
	caddy := packaged(t, "caddy", "caddy")
	behind(t, func(t *testing.T, public, a, b string) {
		file := recipe(t, "Caddyfile", "127.0.0.1:3001", a, "127.0.0.1:3002", b, ":8080 {", ":"+public+" {")
		rewrite(t, file, "{\n\tadmin off\n}\n"+string(read(t, file)))
		home := "HOME=" + t.TempDir()
		check := exec.Command(caddy, "validate", "--config", file, "--adapter", "caddyfile")
		check.Env = []string{home}
		prints(t, check)
		run := exec.Command(caddy, "run", "--config", file, "--adapter", "caddyfile")
		run.Env = []string{home}
		background(t, run)
	})
}

func TestApacheIsABalancer(t *testing.T) {
	notShort(t)
	apache := packaged(t, "apache2", "apache2")
	behind(t, func(t *testing.T, public, a, b string) {
		folder := t.TempDir()
		site := recipe(t, "apache.conf", "127.0.0.1:3001", a, "127.0.0.1:3002", b, "*:8080", "*:"+public)
		var c strings.Builder
		for _, module := range []string{"mpm_event", "authz_core", "proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests", "headers", "slotmem_shm"} {
			fmt.Fprintf(&c, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
		}
		fmt.Fprintf(&c, "ServerName localhost\nListen 127.0.0.1:%s\nPidFile %s/pid\nDefaultRuntimeDir %s\nErrorLog /dev/stderr\nInclude %s\n", public, folder, folder, site)
		if os.Getuid() == 0 {
			c.WriteString("User www-data\nGroup www-data\n")
		}
		file := filepath.Join(folder, "httpd.conf")
		rewrite(t, file, c.String())
		prints(t, exec.Command(apache, "-t", "-f", file))
		background(t, exec.Command(apache, "-DFOREGROUND", "-f", file))
	})
}
