package main

import (
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/pprof"
)

// limitMetrics are about who was not let in, not heard, or hung up on, and why.
func limitMetrics(server *socketio.Server) []pprof.Metric {
	return []pprof.Metric{
		rejectedFor(server),
		single(server.Stats, pprof.Gauge, "fanfare_limit_peers", "Addresses that the limits per IP remember.", func(st socketio.Stats) float64 { return float64(st.Engine.Peers) }),
		single(server.Stats, pprof.Counter, "fanfare_handlers_held_total", "Events whose handlers had to wait because an event loop had too much to do.", func(st socketio.Stats) float64 { return float64(st.Engine.Congested) }),
		single(server.Stats, pprof.Counter, "fanfare_proxied_total", "Connections whose header of the PROXY protocol was read.", func(st socketio.Stats) float64 { return float64(st.Engine.Proxied) }),
	}
}

// rejectedFor adds up, by reason, what has metrics of its own: each limit and each bound.
func rejectedFor(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_rejected_total", Help: "Connections, requests, messages and clients that were refused, not heard or closed, by reason.", Kind: pprof.Counter, Label: "reason",
		Read: func(emit func(string, float64)) {
			st := server.Stats()
			e := &st.Engine
			for m := socketio.LimitConnections; m <= socketio.LimitBytesPerIP; m++ {
				emit(m.String(), float64(e.Limits[m]))
			}
			for option, n := range st.Exceeded {
				emit(option, float64(n))
			}
			for _, each := range []struct {
				reason string
				n      uint64
			}{
				{"capacity", e.Refused}, {"accept rate", e.Limited}, {"draining", e.TurnedAway}, {"not HTTP", e.BadRequests},
				{"body too large", e.TooLarge}, {"WebSocket fault", e.Faults}, {"violation", e.Violations}, {"hooks busy", e.Unjudged},
				{"slow", e.SlowClosed}, {"TLS handshake", e.TLSFailed}, {"PROXY header", e.ProxyFailed}, {"not a trusted proxy", e.ProxyRefused},
			} {
				emit(each.reason, float64(each.n))
			}
		},
	}
}
