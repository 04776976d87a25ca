package main

import (
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/pprof"
)

// forwardMetrics are none where nothing is passed on.
func forwardMetrics(f *forward.Forwarder) []pprof.Metric {
	if f == nil {
		return nil
	}
	gauge := func(name, help string, read func(tunnel.Stats) int) pprof.Metric {
		return single(f.Stats, pprof.Gauge, name, help, read)
	}
	counter := func(name, help string, read func(tunnel.Stats) uint64) pprof.Metric {
		return single(f.Stats, pprof.Counter, name, help, read)
	}
	return []pprof.Metric{
		gauge("fanfare_forward_peers", "Other servers that requests can be passed on to.", func(s tunnel.Stats) int { return s.Peers }),
		gauge("fanfare_forward_streams", "Connections through the cluster at this moment: requests that have reached the wrong server.", func(s tunnel.Stats) int { return s.Streams }),
		counter("fanfare_forward_dialed_total", "Connections made to other servers, for requests that came here.", func(s tunnel.Stats) uint64 { return s.Dialed }),
		counter("fanfare_forward_accepted_total", "Connections of other servers, for sessions that are here.", func(s tunnel.Stats) uint64 { return s.Accepted }),
		counter("fanfare_forward_refused_total", "Connections that were one too many.", func(s tunnel.Stats) uint64 { return s.Refused }),
		counter("fanfare_forward_lost_total", "Connections that broke because the broker had lost a part.", func(s tunnel.Stats) uint64 { return s.Lost }),
		counter("fanfare_forward_bytes_in_total", "Bytes received over them.", func(s tunnel.Stats) uint64 { return s.BytesIn }),
		counter("fanfare_forward_bytes_out_total", "Bytes sent over them.", func(s tunnel.Stats) uint64 { return s.BytesOut }),
	}
}
