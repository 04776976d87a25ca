package main_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// balancer is a load balancer in front of two instances, with the configuration that
// docs/deploy has for users.
type balancer struct {
	t     *testing.T
	url   string
	stats string // HAProxy's page; empty for others
	log   output
}

// place is the ports of two instances, and of a balancer.
type place struct{ a, b, public, stats string }

func freePlace(t *testing.T) place {
	t.Helper()
	return place{freePort(t), freePort(t), freePort(t), freePort(t)}
}

// Connections are made from addresses of their own: on that of the instances, one of
// them could have an instance's port while that is restarted.
const (
	fromBalancer   = "127.0.0.3"
	fromTravellers = "127.0.0.2"
)

// configure copies a file of docs/deploy, with every documented value replaced.
func configure(t *testing.T, name string, values ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(values); i += 2 {
		if !bytes.Contains(b, []byte(values[i])) {
			t.Fatalf("%s has no %q any more", name, values[i])
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.NewReplacer(values...).Replace(string(b))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func startHAProxy(t *testing.T, at place) *balancer {
	t.Helper()
	file := configure(t, "haproxy.cfg", "127.0.0.1:3001", "127.0.0.1:"+at.a, "127.0.0.1:3002", "127.0.0.1:"+at.b,
		"bind :8080", "bind 127.0.0.1:"+at.public, "127.0.0.1:8404", "127.0.0.1:"+at.stats, "maxconn 20000", "maxconn 9000", "maxconn 10000", "maxconn 10000 source "+fromBalancer)
	b := &balancer{t: t, url: "http://127.0.0.1:" + at.public, stats: "http://127.0.0.1:" + at.stats}
	check(t, "haproxy", "-c", "-f", file)
	b.run("haproxy", "-db", "-f", file)
	return b
}

func startNginx(t *testing.T, at place) *balancer {
	t.Helper()
	folder := t.TempDir()
	file := configure(t, "nginx.conf", "127.0.0.1:3001", "127.0.0.1:"+at.a, "127.0.0.1:3002", "127.0.0.1:"+at.b,
		`127\.0\.0\.1:3001`, `127\.0\.0\.1:`+at.a, `127\.0\.0\.1:3002`, `127\.0\.0\.1:`+at.b,
		"listen 8080", "listen 127.0.0.1:"+at.public, "http {", `http { # where a service keeps its files is the distribution's affair
    proxy_bind `+fromBalancer+`;
    client_body_temp_path `+folder+`/body; proxy_temp_path `+folder+`/proxy; fastcgi_temp_path `+folder+`/f; uwsgi_temp_path `+folder+`/u; scgi_temp_path `+folder+`/s;`)
	globals := "daemon off; pid " + folder + "/pid; error_log stderr;"
	if os.Geteuid() == 0 {
		globals += " user root;" // the folders are this user's
	}
	b := &balancer{t: t, url: "http://127.0.0.1:" + at.public}
	check(t, "nginx", "-t", "-q", "-c", file, "-g", globals)
	b.run("nginx", "-c", file, "-g", globals)
	return b
}

// check has the program look at its configuration.
func check(t *testing.T, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		clienttest.Unavailable(t, program+" is not installed: apt-get install "+program)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

// run has the program balance until the test ends.
func (b *balancer) run(program string, args ...string) {
	b.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &b.log, &b.log
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // nginx's workers end with their master only so
		_ = cmd.Wait()
		if b.t.Failed() {
			b.t.Logf("%s wrote:\n%.4000s", program, &b.log)
		}
	})
	eventually(b.t, func() error {
		_, err := try("GET", b.url+"/nothing", "")
		return err
	})
}

// waitFor waits until the balancer thinks that of the instance, where it has an opinion.
func (b *balancer) waitFor(instance, want string) {
	b.t.Helper()
	if b.stats == "" {
		return
	}
	eventually(b.t, func() error {
		a, err := try("GET", b.stats+"/;csv", "")
		if err != nil {
			return err
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil {
			return err
		}
		const proxy, server, status = 0, 1, 17
		for _, row := range rows {
			if row[proxy] == "chat" && row[server] == instance {
				if row[status] == want {
					return nil
				}
				return fmt.Errorf("%s is %s, want %s", instance, row[status], want)
			}
		}
		return fmt.Errorf("no instance %s", instance)
	})
}
