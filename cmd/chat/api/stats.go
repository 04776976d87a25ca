package api

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Buckets are the upper bounds of the histograms of durations, in seconds.
var Buckets = [...]float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// statuses are those that requests are answered with; others count as the last.
var statuses = [...]int{
	http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusRequestTimeout, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
	http.StatusUnprocessableEntity, http.StatusNotImplemented, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	http.StatusInternalServerError,
}

// endpointStats are the numbers of one endpoint. Atomic.
type endpointStats struct {
	codes   [len(statuses)]atomic.Uint64
	buckets [len(Buckets) + 1]atomic.Uint64
	took    atomic.Int64 // all of them together, in ns
}

func (e *endpointStats) count(status int, took time.Duration) {
	i := 0
	for i < len(statuses)-1 && statuses[i] != status {
		i++
	}
	e.codes[i].Add(1)
	i = 0
	for i < len(Buckets) && took.Seconds() > Buckets[i] {
		i++
	}
	e.buckets[i].Add(1)
	e.took.Add(int64(took))
}

// EndpointStats are the numbers of one path since the start.
type EndpointStats struct {
	Endpoint string                   // its path; "other" for paths that there are not
	Codes    map[int]uint64           // answers by status, without those that were never given
	Buckets  [len(Buckets) + 1]uint64 // requests that took up to Buckets[i], those of the buckets before not counted; the last is beyond
	Seconds  float64                  // that they took together
}

// Stats are the numbers of the API.
type Stats struct {
	Endpoints  []EndpointStats
	Active     int    // requests at work
	Idempotent int    // answers kept for Idempotency-Key
	Replayed   uint64 // answers that were given again
}

// Stats returns the numbers of this moment. Safe for concurrent use.
func (s *Server) Stats() Stats {
	st := Stats{Active: len(s.slots)}
	st.Idempotent, st.Replayed = s.replays.numbers()
	for i := range s.stats {
		st.Endpoints = append(st.Endpoints, s.stats[i].read(endpointName(i)))
	}
	return st
}

func (e *endpointStats) read(name string) EndpointStats {
	st := EndpointStats{Endpoint: name, Codes: make(map[int]uint64), Seconds: time.Duration(e.took.Load()).Seconds()}
	for i := range e.codes {
		if n := e.codes[i].Load(); n > 0 {
			st.Codes[statuses[i]] = n
		}
	}
	for i := range e.buckets {
		st.Buckets[i] = e.buckets[i].Load()
	}
	return st
}
