package main_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A balancer asks on the port that it sends clients to. 404 while it stops has HAProxy
// send no new clients, and leave those there who are.
func TestTheReadyPageOfThePortSaysThatItStops(t *testing.T) {
	p := start(t, anywhere("--drain-delay=1h"))
	a := get(t, p.url+"/readyz")
	a.want(t, 200, `{"status":"ok"}`)
	if kind, stored := a.Header.Get("Content-Type"), a.Header.Get("Cache-Control"); kind != "application/json" || stored != "no-store" {
		t.Errorf("%s, %s", kind, stored)
	}
	ask(t, "HEAD", p.url+"/readyz", "").want(t, 200, "")
	ask(t, "POST", p.url+"/readyz", "now?").want(t, 405, "")
	get(t, p.url+"/readyz/").want(t, 404, "404")

	client := dialPolling(t, p.url)
	p.counts(map[string]float64{"fanfare_draining": 0, "fanfare_drain_clients_left": 0})
	p.signal(syscall.SIGTERM)
	p.becomesUnready()
	get(t, p.url+"/readyz").want(t, 404, "stopping")
	p.counts(map[string]float64{"fanfare_draining": 1, "fanfare_drain_clients_left": 1})

	// Until the delay is over, everything goes on.
	client.emit("chatMessage", "hello")
	client.expect(`42["reply","hello"`)
	dialWebSocket(t, p.url)
	get(t, p.url+"/").want(t, 200, "<title>")
}

// Nobody waits for a balancer that there is not. One that asks is waited for.
func TestADelayIsForThoseWhoAskOnly(t *testing.T) {
	for _, tt := range []struct {
		name    string
		args    []string
		ask     string
		signal  syscall.Signal
		delayed bool
	}{
		{"nobody asks", nil, "", syscall.SIGTERM, false},
		{"asked on the admin address", nil, "admin", syscall.SIGTERM, true},
		{"asked on the port", nil, "port", syscall.SIGTERM, true},
		{"a terminal", nil, "port", syscall.SIGINT, false},
		{"told to", []string{"--drain-delay=5s"}, "", syscall.SIGTERM, true},
		{"told not to", []string{"--drain-delay=0s"}, "port", syscall.SIGTERM, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, anywhere(tt.args...))
			switch tt.ask {
			case "admin":
				get(t, p.admin+"/readyz").want(t, 200, "ok")
			case "port":
				get(t, p.url+"/readyz").want(t, 200, "ok")
			}
			begin := time.Now()
			p.stop(tt.signal)
			if took := time.Since(begin); (took >= 5*time.Second) != tt.delayed {
				t.Errorf("it took %v", took)
			}
			if delay := strings.Contains(p.log.String(), "delay=5s"); delay != tt.delayed {
				t.Errorf("a delay: %v", delay)
			}
		})
	}
}

// Few clients do not take the whole time: at least --drain-rate are closed per second.
func TestFewClientsAreClosedSoon(t *testing.T) {
	p := start(t, anywhere("--drain-over=1h", "--drain-rate=4"))
	var sockets []*wireSocket
	for range 4 {
		sockets = append(sockets, dialWebSocket(t, p.url))
	}
	begin := time.Now()
	p.signal(syscall.SIGTERM)
	for _, s := range sockets {
		requireCleanClose(t, s)
	}
	took := time.Since(begin)
	if code := p.wait(); code != 0 || took < 900*time.Millisecond {
		t.Errorf("exit code %d; the last client was closed after %v, want 1 s", code, took)
	}
}

func TestTheHealthCommandAsksARunningServer(t *testing.T) {
	p := start(t, anywhere("--drain-delay=1h"))
	admin := strings.TrimPrefix(p.admin, "http://")
	health := func(args ...string) (code int, out string) {
		cmd := exec.Command(program, append([]string{"health"}, args...)...)
		b, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(b)
	}
	for _, tt := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--admin=" + admin}, 0, `"ok"`},
		{[]string{"--admin=" + admin, "--ready"}, 0, `"ok"`},
		{[]string{"--admin=:" + admin[strings.LastIndexByte(admin, ':')+1:]}, 0, `"ok"`},
		{[]string{"--admin=127.0.0.1:1"}, 1, "does not answer"},
		{[]string{"--admin=off"}, 1, "--admin=off"},
		{[]string{"--admin=nonsense"}, 1, "--admin"},
		{[]string{"--admin=" + strings.TrimPrefix(p.url, "http://")}, 1, "not well: 404"},
	} {
		if code, out := health(tt.args...); code != tt.code || !strings.Contains(out, tt.text) {
			t.Errorf("%v: exit code %d, %q; want %d and %q", tt.args, code, out, tt.code, tt.text)
		}
	}
	p.signal(syscall.SIGTERM)
	p.becomesUnready()
	if code, out := health("--admin="+admin, "--ready"); code != 1 || !strings.Contains(out, "stopping") {
		t.Errorf("while it stops: exit code %d, %q", code, out)
	}
	if code, out := health("--admin=" + admin); code != 0 {
		t.Errorf("while it stops, and is alive: exit code %d, %q", code, out)
	}
}
