package main_test

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// adminPaths are for operators only.
var adminPaths = []string{
	"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine",
	"/debug/pprof/cmdline", "/debug/pprof/profile?seconds=1", "/debug/pprof/symbol", "/debug/pprof/trace?seconds=1",
}

func TestAdminPathsAnswerOnTheAdminAddressOnly(t *testing.T) {
	p := start(t, anywhere())
	for path, text := range map[string]string{
		"/":                              "/debug/pprof/",
		"/healthz":                       `{"status":"ok"}`,
		"/readyz":                        `{"status":"ok"}`,
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
		"/metrics":                       "go_goroutines",
	} {
		get(t, p.admin+path).want(t, 200, text)
	}
	for _, path := range adminPaths {
		if path == "/readyz" { // has a page of its own there, for load balancers
			continue
		}
		get(t, p.url+path).want(t, 404, "")
		get(t, p.url+"//"+path).want(t, 404, "")
		if a := get(t, p.url+"/socket.io/.."+path); a.StatusCode/100 != 4 {
			t.Errorf("/socket.io/..%s: status %d", path, a.StatusCode)
		}
	}
	get(t, p.admin+polling).want(t, 404, "")
}

func TestMetricsCountWhatHappened(t *testing.T) {
	p := start(t, anywhere())
	get(t, p.url+"/socket.io/?EIO=4&transport=pigeon").want(t, 400, "Transport unknown")
	everything := metrics(t, p)
	for _, family := range families {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(everything)), func(name string) bool {
			return name == family || strings.HasPrefix(name, family+"{")
		}) {
			t.Errorf("no %s", family)
		}
	}

	poller := dialPolling(t, p.url)
	sockets := []*wireSocket{dialWebSocket(t, p.url), dialWebSocket(t, p.url)}
	poller.emit("chatMessage", "one")
	poller.expect(`42["reply","one"`)
	sockets[0].emit("chatMessage", "two")
	sockets[0].expect(`42["reply","two"`)
	sockets[1].emit("nobody listens", "three")
	sockets[1].emit("chatMessage", "four")
	sockets[1].expect(`42["reply","four"`)
	get(t, p.url+"/socket.io/?EIO=3&transport=polling").want(t, 400, "Unsupported protocol version")
	p.counts(map[string]float64{
		`fanfare_connections{transport="polling"}`:                                 1,
		`fanfare_connections{transport="websocket"}`:                               2,
		`fanfare_sockets{namespace="/"}`:                                           3,
		"fanfare_connections_total":                                                3,
		"fanfare_events_received_total":                                            4,
		`fanfare_packets_total{direction="received"}`:                              3 + 4,
		"fanfare_deliveries_total":                                                 3 * 3,
		`fanfare_handshakes_rejected_total{reason="Transport unknown"}`:            1,
		`fanfare_handshakes_rejected_total{reason="Unsupported protocol version"}`: 1,
		"fanfare_upgrades_total":                                                   0,
		"fanfare_violations_total":                                                 0,
		"fanfare_panics_total":                                                     0,
		"fanfare_handlers_busy":                                                    0,
		"fanfare_http_connections":                                                 0,
	})
	if waits := metrics(t, p)["fanfare_outqueue_bytes"]; waits < float64(len(`42["reply","two"]42["reply","four"]`)) {
		t.Errorf("%v bytes wait for the client that does not poll", waits)
	}

	sockets[0].close()
	sockets[1].send("4nonsense")
	poller.post("1")
	p.counts(map[string]float64{
		`fanfare_connections{transport="polling"}`:            0,
		`fanfare_connections{transport="websocket"}`:          0,
		`fanfare_sockets{namespace="/"}`:                      0,
		"fanfare_connections_total":                           3,
		`fanfare_disconnects_total{reason="transport close"}`: 2,
		`fanfare_disconnects_total{reason="forced close"}`:    1,
		"fanfare_violations_total":                            1,
		"fanfare_outqueue_bytes":                              0,
	})
}

func TestMetricsCountPagesAndGarbage(t *testing.T) {
	p := start(t, anywhere())
	for range 3 {
		get(t, p.url+"/").want(t, 200, "<title>")
	}
	raw(t, p, "SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
	p.counts(map[string]float64{
		"fanfare_accepted_total":     4,
		"fanfare_bad_requests_total": 1,
		"fanfare_connections_total":  0,
		"fanfare_tcp_connections":    0,
		"fanfare_http_connections":   0,
	})
}

// families are the names that dashboards are built on.
var families = []string{
	"fanfare_limits_met_total", "fanfare_tls_handshakes_total", "fanfare_tls_failed_total", "fanfare_tls_faults_total",
	"fanfare_connections", "fanfare_sockets", "fanfare_handshakes_rejected_total",
	"fanfare_tcp_connections", "fanfare_http_connections", "fanfare_outqueue_bytes", "fanfare_loop_lag_seconds",
	"fanfare_handlers_busy", "fanfare_handlers_waiting", "fanfare_connections_total", "fanfare_accepted_total",
	"fanfare_refused_total", "fanfare_limited_total", "fanfare_requests_total", "fanfare_bad_requests_total", "fanfare_too_large_total", "fanfare_upgrades_total",
	"fanfare_upgrades_failed_total", "fanfare_websocket_faults_total", "fanfare_violations_total",
	"fanfare_mailbox_overflows_total", "fanfare_packets_total", "fanfare_bytes_total", "fanfare_rooms", "fanfare_open_fds_ratio", "fanfare_build_info",
	"fanfare_handler_duration_seconds_count", "fanfare_ack_duration_seconds_count", "fanfare_broadcast_duration_seconds_count", "fanfare_ping_rtt_seconds_count",
	"fanfare_events_received_total", "fanfare_deliveries_total", "fanfare_volatile_dropped_total",
	"fanfare_draining", "fanfare_drain_clients_left", "fanfare_turned_away_total", "fanfare_slow_consumers_total", "fanfare_handler_errors_total", "fanfare_panics_total",
	"go_goroutines", "process_open_fds",
}

// counts waits until the program's metrics have these values.
func (p *process) counts(want map[string]float64) {
	p.t.Helper()
	eventually(p.t, func() error {
		have := metrics(p.t, p)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if value, ok := have[name]; !ok || value != want[name] {
				return fmt.Errorf("%s is %v, want %v", name, value, want[name])
			}
		}
		return nil
	})
}

// metrics scrapes the program as Prometheus does.
func metrics(t *testing.T, p *process) map[string]float64 {
	t.Helper()
	a := get(t, p.admin+"/metrics")
	a.want(t, 200, "# TYPE fanfare_connections gauge")
	samples := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(a.body)); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		samples[line[:at]] = value
	}
	return samples
}

// The command line is there to be read, but for what is secret in it.
func TestTheCommandLineIsShownWithoutSecrets(t *testing.T) {
	p := start(t, anywhere("--auth-secret="+chatSecret, "--history", "memory", "--log-level=debug"))
	shown := get(t, p.admin+"/debug/pprof/cmdline").body
	if strings.Contains(shown, chatSecret) || !strings.Contains(shown, "--auth-secret=(redacted)\x00") || !strings.Contains(shown, "--log-level=debug") {
		t.Errorf("%q", shown)
	}
}
