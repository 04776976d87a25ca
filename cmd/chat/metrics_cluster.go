package main

import (
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/pprof"
)

// clusterNumbers are what all brokers have in common.
type clusterNumbers struct {
	outbox                    cluster.OutboxStats
	servers                   int // others; -1 where that is not known
	received, lost, malformed uint64
	reconnects                uint64
}

// clusterMetrics are none for a server that is alone.
func clusterMetrics(f fleet) []pprof.Metric {
	if f == nil {
		return nil
	}
	return f.metrics()
}

func (f redisFleet) metrics() []pprof.Metric {
	return brokerMetrics(f, func() clusterNumbers { return redisNumbers(f.Stats()) })
}

func redisNumbers(s redisadapter.Stats) clusterNumbers {
	return clusterNumbers{outbox: s.Outbox, servers: -1, received: s.Received, lost: s.Cluster.Lost, malformed: s.Malformed, reconnects: s.Gaps}
}

func (f *natsFleet) metrics() []pprof.Metric {
	return brokerMetrics(f, func() clusterNumbers { return natsNumbers(f.Stats()) })
}

func natsNumbers(s natsadapter.Stats) clusterNumbers {
	return clusterNumbers{outbox: s.Outbox, servers: len(s.Servers), received: s.Received, lost: s.Lost, malformed: s.Malformed, reconnects: s.Reconnects}
}

func brokerMetrics(f fleet, stats func() clusterNumbers) []pprof.Metric {
	gauge := func(name, help string, read func(clusterNumbers) float64) pprof.Metric {
		return single(stats, pprof.Gauge, name, help, read)
	}
	counter := func(name, help string, read func(clusterNumbers) uint64) pprof.Metric {
		return single(stats, pprof.Counter, name, help, read)
	}
	return []pprof.Metric{
		single(f.Ready, pprof.Gauge, "fanfare_adapter_degraded", "1 while something is amiss with the cluster: see the server's readiness.", func(err error) float64 {
			if err != nil {
				return 1
			}
			return 0
		}),
		gauge("fanfare_adapter_peers", "Other servers of the cluster; -1 where the broker does not tell.", func(n clusterNumbers) float64 { return float64(n.servers) }),
		counter("fanfare_adapter_publish_total", "Messages handed to the broker.", func(n clusterNumbers) uint64 { return n.outbox.Sent }),
		counter("fanfare_adapter_errors_total", "Attempts to hand over messages that failed.", func(n clusterNumbers) uint64 { return n.outbox.Failures }),
		counter("fanfare_adapter_dropped_total", "Messages given up for want of room while the broker was away or slow.", func(n clusterNumbers) uint64 { return n.outbox.Dropped }),
		gauge("fanfare_adapter_queue", "Messages that wait for the broker.", func(n clusterNumbers) float64 { return float64(n.outbox.Waiting) }),
		gauge("fanfare_adapter_queue_bytes", "Bytes of them.", func(n clusterNumbers) float64 { return float64(n.outbox.WaitingBytes) }),
		counter("fanfare_adapter_received_total", "Messages of other servers.", func(n clusterNumbers) uint64 { return n.received }),
		counter("fanfare_adapter_gap_total", "Messages of other servers that are known to be lost.", func(n clusterNumbers) uint64 { return n.lost }),
		counter("fanfare_adapter_malformed_total", "Messages dropped since they are not what servers send.", func(n clusterNumbers) uint64 { return n.malformed }),
		counter("fanfare_adapter_reconnects_total", "Times the broker was lost.", func(n clusterNumbers) uint64 { return n.reconnects }),
	}
}
