package main

import (
	"strconv"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/pprof"
)

// apiMetrics are the publishing API's, where there is one. Endpoints and codes are known
// beforehand.
func apiMetrics(server *api.Server) []pprof.Metric {
	if server == nil {
		return nil
	}
	all := []pprof.Metric{
		single(server.Stats, pprof.Gauge, "fanfare_api_requests_active", "Requests of the API at work.", func(st api.Stats) float64 { return float64(st.Active) }),
		single(server.Stats, pprof.Gauge, "fanfare_api_idempotent", "Answers of the API that are kept for Idempotency-Key.", func(st api.Stats) float64 { return float64(st.Idempotent) }),
		single(server.Stats, pprof.Counter, "fanfare_api_replayed_total", "Answers of the API that were given again.", func(st api.Stats) float64 { return float64(st.Replayed) }),
		{
			Name: "fanfare_api_request_duration_seconds", Help: "How long requests of the API take.", Kind: pprof.Histogram, Label: "endpoint",
			ReadHistogram: func(emit func(string, pprof.Distribution)) {
				for _, e := range server.Stats().Endpoints {
					emit(e.Endpoint, pprof.Distribution{Bounds: api.Buckets[:], Counts: e.Buckets[:], Sum: e.Seconds})
				}
			},
		},
	}
	for i, e := range server.Stats().Endpoints {
		all = append(all, apiRequests(server, i, e.Endpoint))
	}
	return all
}

// apiRequests counts the answers of one endpoint.
func apiRequests(server *api.Server, number int, endpoint string) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_api_requests_total", Help: "Requests of the API that were answered.", Kind: pprof.Counter, Label: "code",
		Const: map[string]string{"endpoint": endpoint},
		Read: func(emit func(string, float64)) {
			for code, n := range server.Stats().Endpoints[number].Codes {
				emit(strconv.Itoa(code), float64(n))
			}
		},
	}
}
