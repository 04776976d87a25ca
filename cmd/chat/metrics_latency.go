package main

import (
	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/pprof"
)

// How long things take. Each is a sample: see engine.Stats and socketio.Stats.

func latencies(server *socketio.Server) []pprof.Metric {
	byNamespace := func(name, help string, read func(socketio.Stats) map[string]socketio.Durations) pprof.Metric {
		return pprof.Metric{
			Name: name, Help: help, Kind: pprof.Histogram, Label: "namespace",
			ReadHistogram: func(emit func(string, pprof.Distribution)) {
				for namespace, d := range read(server.Stats()) {
					emit(namespace, distribution(&d))
				}
			},
		}
	}
	single := func(name, help string, read func(engine.Stats) engine.Durations) pprof.Metric {
		return pprof.Metric{
			Name: name, Help: help, Kind: pprof.Histogram,
			ReadHistogram: func(emit func(string, pprof.Distribution)) {
				d := read(server.Stats().Engine)
				emit("", distribution(&d))
			},
		}
	}
	return []pprof.Metric{
		byNamespace("fanfare_handler_duration_seconds", "How long the handlers of an event ran, without the wait for them; of one event in 7.",
			func(st socketio.Stats) map[string]socketio.Durations { return st.Handlers }),
		byNamespace("fanfare_ack_duration_seconds", "From an event to a client until the client's acknowledgement.",
			func(st socketio.Stats) map[string]socketio.Durations { return st.Acks }),
		single("fanfare_broadcast_duration_seconds", "From a broadcast until an event loop has written it to all of its members; of one broadcast in 10 ms, once per loop with members.",
			func(st engine.Stats) engine.Durations { return st.Broadcasts }),
		single("fanfare_ping_rtt_seconds", "From a heartbeat to its answer; of four clients at a time per event loop.",
			func(st engine.Stats) engine.Durations { return st.PingRTT }),
	}
}

// seconds are the ends of the buckets.
var seconds = func() (s []float64) {
	for _, d := range engine.DurationBounds() {
		s = append(s, d.Seconds())
	}
	return s
}()

func distribution(d *engine.Durations) pprof.Distribution {
	return pprof.Distribution{Bounds: seconds, Counts: d.Counts[:], Sum: d.Sum.Seconds()}
}
