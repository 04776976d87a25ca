package pprof

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Patience is how long a function of the program may take.
const Patience time.Duration = patience

// Gatherer is what /metrics serves.
func (s *Server) Gatherer() prometheus.Gatherer { return s.registry }
