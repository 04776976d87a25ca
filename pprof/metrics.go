package pprof

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapes is how many scrapes may run at a time: two Prometheus servers and a person, with one to spare.
const scrapes = 4

// sample is one emitted value.
type sample struct {
	label  string
	value  float64
	spread *Distribution // of a histogram; nil otherwise
}

// family offers a Metric to a registry.
type family struct {
	desc     *prometheus.Desc
	kind     prometheus.ValueType
	labelled bool
	samples  question[[]sample]
}

// newRegistry returns a registry of our own (not the library's global one) with the metrics of the runtime, of the process and ms.
func newRegistry(ms []Metric) (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for _, m := range ms {
		if why := m.fault(); why != "" {
			return nil, fmt.Errorf("%w: %q: %s", ErrMetric, m.Name, why)
		}
		if err := r.Register(newFamily(m)); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrMetric, m.Name, err)
		}
	}
	return r, nil
}

// metrics serves a registry. What fails is logged and left out, the rest is served.
func metrics(r *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            r,
		MaxRequestsInFlight: scrapes,
	})
}

// fault says what is wrong with m; empty: nothing.
func (m *Metric) fault() string {
	counts := strings.HasSuffix(m.Name, "_total")
	switch {
	case !isName(m.Name):
		return "a name has lower-case letters, digits and underscores, and begins with a letter"
	case reserved(m.Name):
		return "the prefixes go_, process_ and promhttp_ are taken"
	case m.Help == "":
		return "no help text"
	case m.Kind != Counter && m.Kind != Gauge && m.Kind != Histogram:
		return "the kind is neither Counter, Gauge nor Histogram"
	case m.Kind == Histogram && !strings.HasSuffix(m.Name, "_seconds") && !strings.HasSuffix(m.Name, "_bytes"):
		return "the name of a histogram ends in its unit, _seconds or _bytes"
	case (m.Kind == Counter) != counts:
		return "the names of counters, and of nothing else, end in _total"
	case m.Label != "" && !isName(m.Label):
		return "the label's name has lower-case letters, digits and underscores, and begins with a letter"
	case m.Kind == Histogram && (m.ReadHistogram == nil || m.Read != nil):
		return "a histogram has ReadHistogram in place of Read"
	case m.Kind != Histogram && (m.Read == nil || m.ReadHistogram != nil):
		return "no Read function"
	}
	for name := range m.Const {
		if !isName(name) || name == m.Label {
			return "a label's name has lower-case letters, digits and underscores, begins with a letter, and is there once"
		}
	}
	return ""
}

// isName reports whether s is a name in the customary form, which is narrower than what Prometheus accepts.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// reserved reports whether a name belongs to the collectors that are always there.
func reserved(name string) bool {
	prefix, _, _ := strings.Cut(name, "_")
	return prefix == "go" || prefix == "process" || prefix == "promhttp"
}

// newFamily makes the collector of a valid Metric.
func newFamily(m Metric) *family {
	f := &family{kind: prometheus.CounterValue, labelled: m.Label != ""}
	if m.Kind == Gauge {
		f.kind = prometheus.GaugeValue
	}
	var labels []string
	if f.labelled {
		labels = []string{m.Label}
	}
	f.desc = prometheus.NewDesc(m.Name, m.Help, labels, m.Const)
	f.samples.ask = func() (ss []sample) {
		if m.Kind == Histogram {
			m.ReadHistogram(func(label string, d Distribution) { ss = append(ss, sample{label: label, spread: &d}) })
		} else {
			m.Read(func(label string, value float64) { ss = append(ss, sample{label: label, value: value}) })
		}
		return ss
	}
	return f
}

// Describe implements prometheus.Collector.
func (f *family) Describe(ch chan<- *prometheus.Desc) { ch <- f.desc }

// Collect implements prometheus.Collector: it reads the metric now. The registry collects all families at the same time, so that one
// which is stuck delays a scrape by patience, and several do not by more.
func (f *family) Collect(ch chan<- prometheus.Metric) {
	ss, err := f.samples.get(context.Background())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(f.desc, err)
		return
	}
	for _, s := range ss {
		ch <- f.metric(s)
	}
}

// metric is one sample in the library's form; a bad label value, not UTF-8, becomes an error in its place.
func (f *family) metric(s sample) prometheus.Metric {
	var labels []string
	if f.labelled {
		labels = []string{s.label}
	}
	var (
		m   prometheus.Metric
		err error
	)
	if s.spread != nil {
		m, err = s.spread.metric(f.desc, labels)
	} else {
		m, err = prometheus.NewConstMetric(f.desc, f.kind, s.value, labels...)
	}
	if err != nil {
		return prometheus.NewInvalidMetric(f.desc, err)
	}
	return m
}

// metric is the distribution in the library's form: its buckets are added up.
func (d *Distribution) metric(desc *prometheus.Desc, labels []string) (prometheus.Metric, error) {
	if len(d.Counts) != len(d.Bounds)+1 {
		return nil, fmt.Errorf("%w: %d counts for %d bounds", ErrMetric, len(d.Counts), len(d.Bounds))
	}
	buckets, sum := make(map[float64]uint64, len(d.Bounds)), uint64(0)
	for i, bound := range d.Bounds {
		sum += d.Counts[i]
		buckets[bound] = sum
	}
	return prometheus.NewConstHistogram(desc, sum+d.Counts[len(d.Bounds)], d.Sum, buckets, labels...)
}
