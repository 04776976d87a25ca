package main

import "github.com/fanfare-go/fanfare/pprof"

// drainMetrics say how far a stop has come. That new clients were turned away meanwhile
// is fanfare_turned_away_total.
func drainMetrics(r *readiness) []pprof.Metric {
	stopping := func() bool { return r.stopping.Load() || r.server.Stats().Engine.Emptying }
	return []pprof.Metric{
		single(stopping, pprof.Gauge, "fanfare_draining", "1 from the signal to stop on, its delay included.", func(stopping bool) int {
			if stopping {
				return 1
			}
			return 0
		}),
		single(stopping, pprof.Gauge, "fanfare_drain_clients_left", "Clients that are still to be closed; 0 unless draining.", func(stopping bool) int {
			if stopping {
				return sessionsOf(r.server)
			}
			return 0
		}),
	}
}
