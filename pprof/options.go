package pprof

import "log/slog"

// DefaultAddr is where a Server listens when Options.Addr is empty: port 6060 by Go's custom, reachable from this host only.
const DefaultAddr = "127.0.0.1:6060"

// Options configure a Server. The zero value serves profiles, the go_ and process_ metrics, and checks that always pass.
type Options struct {
	// Addr is the TCP address to listen on, "host:port"; port 0 picks a free one. Empty: DefaultAddr. Whether to listen at all is
	// the caller's decision.
	Addr string

	// Metrics are the program's numbers, read at every scrape. The names must not begin with go_, process_ or promhttp_, which are
	// taken.
	Metrics []Metric

	// Live is asked by /healthz: nil means that the program works, an error that it should be restarted (status 503 with the
	// error's text). Called from any goroutine, one call at a time. Nil: always live.
	Live func() error

	// Ready is asked by /readyz: nil means that the program takes traffic. Called like Live. Nil: always ready.
	Ready func() error

	// Logger gets failed scrapes and the HTTP server's complaints. Nil: slog.Default().
	Logger *slog.Logger
}

// Kind says how a metric's values behave.
type Kind uint8

// The kinds of metrics.
const (
	// Counter only rises, except when the program starts again. Its name ends in _total.
	Counter Kind = 1 + iota
	// Gauge goes up and down. Its name does not end in _total.
	Gauge
)

// Metric is one number, or a family of numbers told apart by one label.
type Metric struct {
	// Name is what Prometheus calls it: lower-case letters, digits and underscores, with the unit at the end (fanfare_sent_bytes_total).
	Name string

	// Help is one sentence for the reader of /metrics. Not empty.
	Help string

	// Kind is Counter or Gauge.
	Kind Kind

	// Label is the name of the label of a family, such as "reason". Empty: a single number.
	Label string

	// Read emits the present value, or one value for each value of the label; a single number's label is ignored. It is called at
	// each scrape from any goroutine, one call at a time, and must be safe for that. emit is valid until Read returns.
	Read func(emit func(label string, value float64))
}
