package main

import (
	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/pprof"
)

// authMetrics lists the numbers of who is let in. No label is taken from a client or a token.
func authMetrics(g *auth.Guard) []pprof.Metric {
	labelled := func(name, help string, read func(auth.Stats) map[string]uint64) pprof.Metric {
		return pprof.Metric{Name: name, Help: help, Kind: pprof.Counter, Label: "result", Read: func(emit func(string, float64)) {
			for result, n := range read(g.Stats()) {
				emit(result, float64(n))
			}
		}}
	}
	gauge := func(name, help string, read func(auth.Stats) float64) pprof.Metric {
		return single(g.Stats, pprof.Gauge, name, help, read)
	}
	return []pprof.Metric{
		labelled("fanfare_auth_total", "Clients that asked to be let in, and refreshes, by what became of them.", func(st auth.Stats) map[string]uint64 { return st.Results }),
		labelled("fanfare_auth_webhook_total", "Questions to the authentication backend by how they ended.", func(st auth.Stats) map[string]uint64 { return st.Webhook }),
		labelled("fanfare_auth_jwks_total", "Fetches of the key set.", func(st auth.Stats) map[string]uint64 {
			return map[string]uint64{"fetched": st.Fetched, "failed": st.FetchFailed}
		}),
		gauge("fanfare_auth_webhook_busy", "Questions to the authentication backend at the moment.", func(st auth.Stats) float64 { return float64(st.WebhookBusy) }),
		gauge("fanfare_auth_webhook_waiting", "Clients that wait to have the authentication backend asked.", func(st auth.Stats) float64 { return float64(st.WebhookWaiting) }),
		gauge("fanfare_auth_keys", "Keys to verify tokens with.", func(st auth.Stats) float64 { return float64(st.Keys) }),
		gauge("fanfare_auth_jwks_fetched_timestamp_seconds", "When the key set was fetched, in seconds since 1970; 0 if it was not.", func(st auth.Stats) float64 {
			if st.FetchedAt.IsZero() {
				return 0
			}
			return float64(st.FetchedAt.Unix())
		}),
	}
}
