package pprof_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/fanfare-go/fanfare/pprof"
)

// one reads a single number.
func one(v float64) func(func(string, float64)) {
	return func(emit func(string, float64)) { emit("ignored", v) }
}

func TestMetricsAreReadAtEachScrape(t *testing.T) {
	var sent atomic.Int64
	s := start(t, pprof.Options{Metrics: []pprof.Metric{
		{Name: "fanfare_sent_bytes_total", Help: "Bytes sent.", Kind: pprof.Counter, Read: func(emit func(string, float64)) {
			emit("", float64(sent.Load()))
		}},
		{Name: "fanfare_sessions", Help: "Open sessions.", Kind: pprof.Gauge, Label: "transport", Read: func(emit func(string, float64)) {
			emit("polling", 3)
			emit("websocket", 39)
		}},
		{Name: "fanfare_closed_total", Help: "Closed sessions.", Kind: pprof.Counter, Label: "reason", Read: func(func(string, float64)) {}},
	}})
	for _, want := range []string{"fanfare_sent_bytes_total 1", "fanfare_sent_bytes_total 2"} {
		sent.Add(1)
		w := get(s, "/metrics")
		for _, line := range []string{
			want,
			"# TYPE fanfare_sent_bytes_total counter",
			"# HELP fanfare_sessions Open sessions.",
			"# TYPE fanfare_sessions gauge",
			`fanfare_sessions{transport="polling"} 3`,
			`fanfare_sessions{transport="websocket"} 39`,
			"# TYPE go_goroutines gauge",
			"# TYPE process_cpu_seconds_total counter",
		} {
			if !strings.Contains(w.Body.String(), line+"\n") {
				t.Errorf("no line %q", line)
			}
		}
		if w.Code != http.StatusOK {
			t.Errorf("status %d", w.Code)
		}
	}
	problems, err := testutil.GatherAndLint(s.Gatherer())
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestNewRefusesInvalidMetrics(t *testing.T) {
	valid := pprof.Metric{Name: "fanfare_x", Help: "An x.", Kind: pprof.Gauge, Read: one(1)}
	tests := []struct {
		name   string
		change func(m *pprof.Metric)
		says   string
	}{
		{"no name", func(m *pprof.Metric) { m.Name = "" }, "letters"},
		{"a capital letter", func(m *pprof.Metric) { m.Name = "fanfareX" }, "letters"},
		{"a digit first", func(m *pprof.Metric) { m.Name = "2x" }, "letters"},
		{"a colon", func(m *pprof.Metric) { m.Name = "fanfare:x" }, "letters"},
		{"a name of the runtime", func(m *pprof.Metric) { m.Name = "go_goroutines" }, "taken"},
		{"a name of the process", func(m *pprof.Metric) { m.Name = "process_x" }, "taken"},
		{"a name of the handler", func(m *pprof.Metric) { m.Name = "promhttp_x" }, "taken"},
		{"no help", func(m *pprof.Metric) { m.Help = "" }, "help"},
		{"no kind", func(m *pprof.Metric) { m.Kind = 0 }, "kind"},
		{"an unknown kind", func(m *pprof.Metric) { m.Kind = 9 }, "kind"},
		{"a counter without _total", func(m *pprof.Metric) { m.Kind = pprof.Counter }, "_total"},
		{"a gauge with _total", func(m *pprof.Metric) { m.Name = "fanfare_x_total" }, "_total"},
		{"a bad label", func(m *pprof.Metric) { m.Label = "a-b" }, "label"},
		{"a hidden label", func(m *pprof.Metric) { m.Label = "__name__" }, "label"},
		{"nothing to read", func(m *pprof.Metric) { m.Read = nil }, "Read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := valid
			tt.change(&m)
			_, err := pprof.New(pprof.Options{Metrics: []pprof.Metric{m}})
			if !errors.Is(err, pprof.ErrMetric) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := pprof.New(pprof.Options{Metrics: []pprof.Metric{valid, valid}}); !errors.Is(err, pprof.ErrMetric) {
		t.Errorf("the same name twice: error %v", err)
	}
	if _, err := pprof.New(pprof.Options{Metrics: []pprof.Metric{valid}}); err != nil {
		t.Errorf("the valid one: %v", err)
	}
}

func TestAFaultyMetricLeavesTheOthers(t *testing.T) {
	tests := []struct {
		name string
		read func(func(string, float64))
		says string // in the log
	}{
		{"panics", func(func(string, float64)) { panic("oops") }, "oops"},
		{"emits twice", func(emit func(string, float64)) { emit("a", 1); emit("a", 2) }, "collected before"},
		{"emits what is not UTF-8", func(emit func(string, float64)) { emit("\xff", 1) }, "UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			s := start(t, pprof.Options{
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Metrics: []pprof.Metric{
					{Name: "bad", Help: "A bad one.", Kind: pprof.Gauge, Label: "x", Read: tt.read},
					{Name: "good", Help: "A good one.", Kind: pprof.Gauge, Read: one(1)},
				},
			})
			w := get(s, "/metrics")
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "\ngood 1\n") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if !strings.Contains(log.String(), tt.says) {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}

func TestAStuckMetricLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := func(func(string, float64)) { <-release }
		s := start(t, pprof.Options{Metrics: []pprof.Metric{
			{Name: "stuck", Help: "A stuck one.", Kind: pprof.Gauge, Read: stuck},
			{Name: "also_stuck", Help: "Another one.", Kind: pprof.Gauge, Read: stuck},
			{Name: "good", Help: "A good one.", Kind: pprof.Gauge, Read: one(1)},
		}})
		for range 2 {
			w := get(s, "/metrics")
			if body := w.Body.String(); !strings.Contains(body, "\ngood 1\n") || !strings.Contains(body, "\ngo_goroutines ") {
				t.Errorf("%d %s", w.Code, body)
			}
		}
		close(release)
	})
}
