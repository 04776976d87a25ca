package pprof

import "errors"

// From New.
var (
	// ErrMetric says that a Metric cannot be offered as it is described; the text names it and the reason.
	ErrMetric = errors.New("pprof: invalid metric")
	// ErrPage says that a Page cannot be offered; the text names its pattern and the reason.
	ErrPage = errors.New("pprof: invalid page")
)

// From Listen and Serve.
var (
	// ErrServed is returned by Listen and Serve of a Server whose Serve was called already.
	ErrServed = errors.New("pprof: server was used already")
)

// In answers and logs.
var (
	// ErrSlow says that a function of the program did not answer in time; most likely it is stuck.
	ErrSlow = errors.New("pprof: no answer in time")
	// ErrPanic says that a function of the program panicked instead of answering.
	ErrPanic = errors.New("pprof: panic")
)
