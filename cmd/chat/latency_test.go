package main_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

func TestMetricsAreNamedAsPrometheusWantsThem(t *testing.T) {
	promtool := packaged(t, "promtool", "prometheus")
	p := start(t, anywhere())
	dialWebSocket(t, p.url).emit("chatMessage", "one")
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(get(t, p.admin+"/metrics").body)
	if out := prints(t, cmd); strings.TrimSpace(out) != "" {
		t.Errorf("promtool says\n%s", out)
	}
}

func TestMetricsTellHowLongThingsTake(t *testing.T) {
	p := start(t, anywhere("--ping-interval=50ms"))
	s := dialWebSocket(t, p.url)
	s.expect("2")
	s.send("3")
	s.emit("chatMessage", "one")
	eventually(t, func() error {
		have := metrics(t, p)
		for name, want := range map[string]float64{
			`fanfare_handler_duration_seconds_count{namespace="/"}`: 1, // the first event is always in the sample
			"fanfare_broadcast_duration_seconds_count":              1,
			"fanfare_ping_rtt_seconds_count":                        1,
		} {
			if have[name] != want {
				return fmt.Errorf("%s is %v, want %v", name, have[name], want)
			}
		}
		for _, name := range []string{`fanfare_handler_duration_seconds_sum{namespace="/"}`, "fanfare_broadcast_duration_seconds_sum", "fanfare_ping_rtt_seconds_sum"} {
			if sum := have[name]; sum <= 0 || sum > patience.Seconds() {
				return fmt.Errorf("%s is %v", name, sum)
			}
		}
		return nil
	})
}

func TestMetricsCountWhatIsSentToo(t *testing.T) {
	p := start(t, anywhere())
	polls, socket := dialPolling(t, p.url), dialWebSocket(t, p.url)
	before := metrics(t, p)
	socket.emit("chatMessage", "one")
	socket.expect(`42["reply","one"`)
	polls.expect(`42["reply","one"`)
	eventually(t, func() error {
		have := metrics(t, p)
		for name, least := range map[string]float64{ // what the chat sends besides is its own affair
			`fanfare_packets_total{direction="sent"}`:     2,
			`fanfare_bytes_total{direction="sent"}`:       2 * float64(len(`42["reply","one"]`)),
			`fanfare_packets_total{direction="received"}`: 1,
			`fanfare_bytes_total{direction="received"}`:   float64(len(`42["chatMessage","one"]`)),
		} {
			if more := have[name] - before[name]; more < least || more > least+2000 {
				return fmt.Errorf("%s has risen by %v, want %v at least", name, more, least)
			}
		}
		return nil
	})
}

func TestMetricsSayWhatRuns(t *testing.T) {
	p := start(t, anywhere())
	_, out, _ := fail(t, command{args: []string{"version"}})
	for name, value := range metrics(t, p) {
		labels, ok := strings.CutPrefix(name, "fanfare_build_info{")
		if !ok {
			continue
		}
		if value != 1 {
			t.Errorf("%s is %v", name, value)
		}
		for _, label := range []string{"version", "revision", "go"} {
			_, text, _ := strings.Cut(labels, label+`="`)
			if text, _, _ = strings.Cut(text, `"`); text == "" || !strings.Contains(out, text) {
				t.Errorf("%s %q is not what the command says:\n%s", label, text, out)
			}
		}
		if ratio := metrics(t, p)["fanfare_open_fds_ratio"]; ratio <= 0 || ratio >= 1 {
			t.Errorf("fanfare_open_fds_ratio is %v", ratio)
		}
		return
	}
	t.Error("no fanfare_build_info")
}

func TestVersionIsAskedForInTwoWays(t *testing.T) {
	code, out, _ := fail(t, command{args: []string{"version"}})
	if code != 0 || !strings.HasPrefix(out, "chat ") || !strings.Contains(out, "\ngo:       go1.") || !strings.Contains(out, "\nsystem:   ") {
		t.Errorf("exit code %d, %s", code, out)
	}
	if code, flag, _ := fail(t, command{args: []string{"--port=99999", "--version"}}); code != 0 || flag != out {
		t.Errorf("as a flag: exit code %d, %s", code, flag)
	}
}

func TestASocketIsFollowedOverTheAdminAddress(t *testing.T) {
	p := start(t, anywhere("--log-level=error"))
	get(t, p.admin+"/").want(t, 200, "PUT /debug/sockets/{id}")
	a, b := dialWebSocket(t, p.url), dialWebSocket(t, p.url)
	id := a.id
	ask(t, "PUT", p.admin+"/debug/sockets/"+id+"?for=1m", "").want(t, 204, "")
	get(t, p.admin+"/debug/sockets").want(t, 200, `"connected":true`)
	b.emit("chatMessage", "of the other")
	a.emit("chatMessage", "a secret")
	a.close()
	eventually(t, func() error {
		for _, line := range []string{`msg="event received" socket=` + id + " event=chatMessage bytes=12", `msg=disconnected socket=` + id + ` reason="transport close"`} {
			if !strings.Contains(p.log.String(), line) {
				return errors.New("the log has no line " + line)
			}
		}
		return nil
	})
	if strings.Contains(p.log.String(), "secret") || strings.Count(p.log.String(), "event received") != 1 {
		t.Error("more is written than what the one socket does")
	}
}

func TestSIGHUPHasASampleOfSocketsFollowed(t *testing.T) {
	p, path := configured(t, "log-level: info\n")
	dialWebSocket(t, p.url)
	rewrite(t, path, "log-level: info\nlog-sockets: [1/1]\n")
	p.reload(`changed=[log-sockets]`)
	a := dialWebSocket(t, p.url)
	eventually(t, func() error {
		if strings.Count(p.log.String(), "level=DEBUG msg=connected") != 1 {
			return errors.New("no line of the new socket alone")
		}
		return nil
	})
	a.close()
	rewrite(t, path, "log-sockets: [1/0]\n")
	p.reload("the old configuration stays in use")
	if !strings.Contains(p.log.String(), "1/1000") {
		t.Error("no advice")
	}
}
