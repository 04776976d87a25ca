package pprof

import (
	"log/slog"
	"net/http"
)

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

	// CommandLine is what /debug/pprof/cmdline shows, for programs with secrets in theirs. Nil: os.Args.
	CommandLine []string

	// Pages are the program's own, on the same address.
	Pages []Page

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
	// Histogram is how many of some happenings were how large. Its name ends in the unit, _seconds or _bytes.
	Histogram
)

// Distribution is a Histogram's values.
type Distribution struct {
	Bounds []float64 // upper ends of the buckets, in the name's unit, growing; the last bucket, which has none, follows
	Counts []uint64  // of each bucket alone, one more than Bounds; not added up, as Prometheus has them
	Sum    float64   // of all that was observed
}

// Metric is one number, or a family of numbers told apart by one label.
type Metric struct {
	// Name is what Prometheus calls it: lower-case letters, digits and underscores, with the unit at the end (fanfare_sent_bytes_total).
	Name string

	// Help is one sentence for the reader of /metrics. Not empty.
	Help string

	// Kind is Counter, Gauge or Histogram.
	Kind Kind

	// Label is the name of the label of a family, such as "reason". Empty: a single number.
	Label string

	// Const are labels with their values that every number of it has, such as the version of what runs. Bounded by nature: they are
	// given once.
	Const map[string]string

	// Read emits the present value, or one value for each value of the label; a single number's label is ignored. It is called at
	// each scrape from any goroutine, one call at a time, and must be safe for that. emit is valid until Read returns.
	Read func(emit func(label string, value float64))

	// ReadHistogram is Read of a Histogram, and of nothing else.
	ReadHistogram func(emit func(label string, value Distribution))
}

// Page is something of the program's own to be looked at or called.
type Page struct {
	// Pattern is net/http's: method and path, such as "GET /debug/sockets".
	Pattern string
	// Help is a few words for the list of pages at "/"; empty: it is not in there.
	Help string
	// Handler answers. Called from any goroutine.
	Handler http.Handler
}
