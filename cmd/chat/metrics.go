package main

import (
	"slices"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/pprof"
)

// metricsOf lists the server's numbers for Prometheus. No label is taken from a
// client: rooms and socket ids never become one.
func metricsOf(p *parts) []pprof.Metric {
	return slices.Concat(latencies(p.server), serverMetrics(p.server), historyMetrics(p.history), drainMetrics(p.ready), authMetrics(p.guard),
		apiMetrics(p.api.server), limitMetrics(p.server), adminUIMetrics(p.adminUI), chatMetrics(p.chat), clusterMetrics(p.fleet), forwardMetrics(p.forward))
}

// serverMetrics are those of the library.
func serverMetrics(server *socketio.Server) []pprof.Metric {
	gauge := func(name, help string, read func(socketio.Stats) float64) pprof.Metric {
		return single(server.Stats, pprof.Gauge, name, help, read)
	}
	counter := func(name, help string, read func(socketio.Stats) uint64) pprof.Metric {
		return single(server.Stats, pprof.Counter, name, help, read)
	}
	return []pprof.Metric{
		buildInfo(), openDescriptors(), rooms(server),
		sessions(server), sockets(server), closed(server), rejected(server), slow(server), limited(server), exceeded(server),
		gauge("fanfare_tcp_connections", "Open TCP connections on the event loops.", func(st socketio.Stats) float64 { return float64(st.Engine.Connections) }),
		gauge("fanfare_http_connections", "Open connections that ask for pages.", func(st socketio.Stats) float64 { return float64(st.Engine.Handed) }),
		gauge("fanfare_outqueue_bytes", "Bytes waiting for clients that cannot take more.", func(st socketio.Stats) float64 { return float64(st.Engine.QueuedBytes) }),
		gauge("fanfare_held_sessions", "Sessions whose frames wait for their loop's next turns.", func(st socketio.Stats) float64 { return float64(st.Engine.Held) }),
		gauge("fanfare_loop_tasks", "Sends, publishes, joins and the like that wait for their loop.", func(st socketio.Stats) float64 { return float64(st.Engine.Tasks) }),
		gauge("fanfare_loop_lag_seconds", "How long the slowest event loop has owed a turn.", func(st socketio.Stats) float64 { return st.Engine.LoopLag.Seconds() }),
		gauge("fanfare_handlers_busy", "Handlers running.", func(st socketio.Stats) float64 { return float64(st.Busy) }),
		gauge("fanfare_handlers_waiting", "Sockets waiting for a handler to be free.", func(st socketio.Stats) float64 { return float64(st.Waiting) }),
		counter("fanfare_connections_total", "Sessions opened.", func(st socketio.Stats) uint64 { return st.Engine.Opened }),
		counter("fanfare_accepted_total", "TCP connections taken by an event loop.", func(st socketio.Stats) uint64 { return st.Engine.Accepted }),
		counter("fanfare_refused_total", "TCP connections refused for want of room.", func(st socketio.Stats) uint64 { return st.Engine.Refused }),
		counter("fanfare_limited_total", "New sessions refused by the accept rate.", func(st socketio.Stats) uint64 { return st.Engine.Limited }),
		counter("fanfare_requests_total", "HTTP requests for Engine.IO.", func(st socketio.Stats) uint64 { return st.Engine.Requests }),
		counter("fanfare_bad_requests_total", "Requests that were not HTTP.", func(st socketio.Stats) uint64 { return st.Engine.BadRequests }),
		counter("fanfare_too_large_total", "Request bodies over the limit.", func(st socketio.Stats) uint64 { return st.Engine.TooLarge }),
		counter("fanfare_upgrades_total", "Sessions moved from polling to WebSocket.", func(st socketio.Stats) uint64 { return st.Engine.Upgrades }),
		counter("fanfare_upgrades_failed_total", "Upgrades that were begun and failed.", func(st socketio.Stats) uint64 { return st.Engine.UpgradesLost }),
		counter("fanfare_websocket_faults_total", "WebSocket protocol errors.", func(st socketio.Stats) uint64 { return st.Engine.Faults }),
		counter("fanfare_violations_total", "Socket.IO protocol violations.", func(st socketio.Stats) uint64 { return st.Violations }),
		counter("fanfare_mailbox_overflows_total", "Clients closed for sending more than their mailbox holds.", func(st socketio.Stats) uint64 { return st.Overflows }),
		directed(server, "fanfare_packets_total", "Engine.IO packets.", func(st socketio.Stats) uint64 { return st.Engine.PacketsIn }, func(st socketio.Stats) uint64 { return st.Engine.PacketsOut }),
		directed(server, "fanfare_bytes_total", "Bytes of packets, as they were over WebSocket or in the bodies of polling.", func(st socketio.Stats) uint64 { return st.Engine.BytesIn }, func(st socketio.Stats) uint64 { return st.Engine.BytesOut }),
		counter("fanfare_events_received_total", "Events received.", func(st socketio.Stats) uint64 { return st.Events }),
		counter("fanfare_deliveries_total", "Members reached by broadcasts.", func(st socketio.Stats) uint64 { return st.Engine.Deliveries }),
		counter("fanfare_writes_total", "System calls that sent frames over WebSocket.", func(st socketio.Stats) uint64 { return st.Engine.Writes }),
		counter("fanfare_volatile_dropped_total", "Volatile packets dropped.", func(st socketio.Stats) uint64 { return st.Engine.VolatileDrops }),
		counter("fanfare_slow_dropped_total", "Packets dropped for clients that take too little.", func(st socketio.Stats) uint64 { return st.Engine.SlowDrops }),
		counter("fanfare_deflated_total", "Messages compressed for WebSocket, each once for all who receive it.", func(st socketio.Stats) uint64 { return st.Engine.Deflated }),
		counter("fanfare_deflated_from_bytes_total", "Bytes of messages compressed for WebSocket, before.", func(st socketio.Stats) uint64 { return st.Engine.DeflatedFrom }),
		counter("fanfare_deflated_to_bytes_total", "Bytes of messages compressed for WebSocket, after.", func(st socketio.Stats) uint64 { return st.Engine.DeflatedTo }),
		counter("fanfare_inflated_total", "Compressed messages received over WebSocket.", func(st socketio.Stats) uint64 { return st.Engine.Inflated }),
		counter("fanfare_inflated_from_bytes_total", "Bytes of compressed messages received, as they came.", func(st socketio.Stats) uint64 { return st.Engine.InflatedFrom }),
		counter("fanfare_inflated_to_bytes_total", "Bytes of compressed messages received, decompressed.", func(st socketio.Stats) uint64 { return st.Engine.InflatedTo }),
		counter("fanfare_encoded_total", "Answers of polling compressed.", func(st socketio.Stats) uint64 { return st.Engine.Encoded }),
		counter("fanfare_encoded_from_bytes_total", "Bytes of answers of polling compressed, before.", func(st socketio.Stats) uint64 { return st.Engine.EncodedFrom }),
		counter("fanfare_encoded_to_bytes_total", "Bytes of answers of polling compressed, after.", func(st socketio.Stats) uint64 { return st.Engine.EncodedTo }),
		counter("fanfare_tls_handshakes_total", "TLS handshakes that succeeded.", func(st socketio.Stats) uint64 { return st.Engine.TLSHandshakes }),
		counter("fanfare_tls_failed_total", "TLS handshakes that failed, or took too long.", func(st socketio.Stats) uint64 { return st.Engine.TLSFailed }),
		counter("fanfare_tls_faults_total", "TLS connections closed for bytes that are not their peer's.", func(st socketio.Stats) uint64 { return st.Engine.TLSFaults }),
		gauge("fanfare_requests_parked", "Requests that wait for a middleware or a hook.", func(st socketio.Stats) float64 { return float64(st.Engine.Parked) }),
		counter("fanfare_requests_unjudged_total", "Requests refused because too many waited for a hook, or one took too long.", func(st socketio.Stats) uint64 { return st.Engine.Unjudged }),
		counter("fanfare_turned_away_total", "Requests for new sessions while the server was drained.", func(st socketio.Stats) uint64 { return st.Engine.TurnedAway }),
		counter("fanfare_eio3_total", "Sessions opened by clients of Socket.IO 2.", func(st socketio.Stats) uint64 { return st.Engine.OpenedEIO3 }),
		gauge("fanfare_child_namespaces", "Namespaces made for parents.", func(st socketio.Stats) float64 { return float64(st.Children) }),
		gauge("fanfare_broadcast_acks", "Broadcasts that wait for acknowledgements.", func(st socketio.Stats) float64 { return float64(st.BroadcastAcks) }),
		counter("fanfare_broadcast_acks_refused_total", "Broadcasts, and acknowledgements of them, that were one too many.", func(st socketio.Stats) uint64 { return st.AcksRefused }),
		counter("fanfare_notices_lost_total", "Notices of rooms and presence beyond their bound.", func(st socketio.Stats) uint64 { return st.NoticesLost }),
		counter("fanfare_presence_refused_total", "Sockets that presence had no room for.", func(st socketio.Stats) uint64 { return st.PresenceRefused }),
		gauge("fanfare_recovery_events", "Events kept for recovery and histories.", func(st socketio.Stats) float64 { return float64(st.Recovery.Events) }),
		gauge("fanfare_recovery_bytes", "Bytes of events kept for recovery and histories.", func(st socketio.Stats) float64 { return float64(st.Recovery.Bytes) }),
		gauge("fanfare_recovery_waiting", "Sockets that may return.", func(st socketio.Stats) float64 { return float64(st.Recovery.Waiting) }),
		counter("fanfare_recovered_total", "Sockets that returned.", func(st socketio.Stats) uint64 { return st.Recovery.Recovered }),
		counter("fanfare_recovery_replayed_total", "Events that returning sockets were sent.", func(st socketio.Stats) uint64 { return st.Recovery.Replayed }),
		counter("fanfare_recovery_refused_total", "Sockets that came back for events that were given up.", func(st socketio.Stats) uint64 { return st.Recovery.Refused }),
		counter("fanfare_recovery_expired_total", "Sockets that did not come back in time.", func(st socketio.Stats) uint64 { return st.Recovery.Expired }),
		counter("fanfare_recovery_crowded_total", "Waiting sockets given up for want of room.", func(st socketio.Stats) uint64 { return st.Recovery.Crowded }),
		counter("fanfare_recovery_evicted_total", "Events given up for want of room.", func(st socketio.Stats) uint64 { return st.Recovery.Evicted }),
		counter("fanfare_handler_errors_total", "Errors of handlers.", func(st socketio.Stats) uint64 { return st.Errors }),
		counter("fanfare_panics_total", "Panics caught.", func(st socketio.Stats) uint64 { return st.Panics + st.Engine.Panics }),
	}
}

// number is what a metric may be read as.
type number interface{ ~int | ~uint64 | ~float64 }

// single is a metric without a label: one of the numbers that a part of the program has,
// which is asked for them each time.
func single[S any, N number](stats func() S, kind pprof.Kind, name, help string, read func(S) N) pprof.Metric {
	return pprof.Metric{Name: name, Help: help, Kind: kind, Read: func(emit func(string, float64)) {
		emit("", float64(read(stats())))
	}}
}
