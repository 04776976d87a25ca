package pprof_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/pprof"
)

func TestHistogramsAreAddedUpForPrometheus(t *testing.T) {
	s := start(t, pprof.Options{Metrics: []pprof.Metric{
		{
			Name: "fanfare_handler_duration_seconds", Help: "Handlers.", Kind: pprof.Histogram, Label: "namespace", Const: map[string]string{"node": "a"},
			ReadHistogram: func(emit func(string, pprof.Distribution)) {
				emit("/", pprof.Distribution{Bounds: []float64{.001, .1}, Counts: []uint64{3, 2, 1}, Sum: 1.5})
				emit("/empty", pprof.Distribution{Bounds: []float64{.001, .1}, Counts: make([]uint64, 3)})
			},
		},
		{
			Name: "fanfare_build_info", Help: "What runs.", Kind: pprof.Gauge, Const: map[string]string{"version": "v1", "go": "go1"}, Read: one(1),
		},
	}})
	body := get(s, "/metrics").Body.String()
	for _, line := range []string{
		"# TYPE fanfare_handler_duration_seconds histogram",
		`fanfare_handler_duration_seconds_bucket{namespace="/",node="a",le="0.001"} 3`,
		`fanfare_handler_duration_seconds_bucket{namespace="/",node="a",le="0.1"} 5`,
		`fanfare_handler_duration_seconds_bucket{namespace="/",node="a",le="+Inf"} 6`,
		`fanfare_handler_duration_seconds_sum{namespace="/",node="a"} 1.5`,
		`fanfare_handler_duration_seconds_count{namespace="/",node="a"} 6`,
		`fanfare_handler_duration_seconds_count{namespace="/empty",node="a"} 0`,
		`fanfare_build_info{go="go1",version="v1"} 1`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
}

func TestAnInvalidHistogramIsRefused(t *testing.T) {
	read := func(func(string, pprof.Distribution)) {}
	for why, m := range map[string]pprof.Metric{
		"no unit":       {Name: "x", Help: "X.", Kind: pprof.Histogram, ReadHistogram: read},
		"no read":       {Name: "x_seconds", Help: "X.", Kind: pprof.Histogram},
		"two reads":     {Name: "x_seconds", Help: "X.", Kind: pprof.Histogram, ReadHistogram: read, Read: one(1)},
		"a gauge's":     {Name: "x_seconds", Help: "X.", Kind: pprof.Gauge, ReadHistogram: read, Read: one(1)},
		"a label twice": {Name: "x", Help: "X.", Kind: pprof.Gauge, Read: one(1), Label: "a", Const: map[string]string{"a": "1"}},
		"a bad label":   {Name: "x", Help: "X.", Kind: pprof.Gauge, Read: one(1), Const: map[string]string{"A": "1"}},
	} {
		if _, err := pprof.New(pprof.Options{Metrics: []pprof.Metric{m}}); !errors.Is(err, pprof.ErrMetric) {
			t.Errorf("%s: error %v", why, err)
		}
	}
}

func TestADistributionWithTooFewCountsLeavesTheOthers(t *testing.T) {
	var log strings.Builder
	s := start(t, pprof.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Metrics: []pprof.Metric{
		{Name: "bad_seconds", Help: "Bad.", Kind: pprof.Histogram, ReadHistogram: func(emit func(string, pprof.Distribution)) {
			emit("", pprof.Distribution{Bounds: []float64{1}, Counts: []uint64{1}})
		}},
		{Name: "good", Help: "Good.", Kind: pprof.Gauge, Read: one(1)},
	}})
	if body := get(s, "/metrics").Body.String(); !strings.Contains(body, "\ngood 1\n") || strings.Contains(body, "bad_seconds") {
		t.Error(body)
	}
	if !strings.Contains(log.String(), "1 counts for 1 bounds") {
		t.Errorf("logged %q", log.String())
	}
}
