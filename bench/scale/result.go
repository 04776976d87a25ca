package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// result is a report of a run with what only this program has.
type result struct {
	report.Result
	Processes         int           `json:"processes"`           // servers, and as many clients
	Held              int           `json:"held"`                // connections that stood when the broadcasts began
	Rounds            int           `json:"rounds"`              // broadcasts of each server
	Together          bool          `json:"together"`            // all servers at once
	Cluster           string        `json:"cluster,omitempty"`   // what makes the servers one: a broadcast is to the connections of all
	BrokerBytes       float64       `json:"broker_bytes"`        // per broadcast: between the servers, or to the broker
	ConnectsPerSecond float64       `json:"connects_per_second"` // finished handshakes
	ConnectCPU        float64       `json:"connect_cpu"`         // microseconds of the servers' CPU per handshake
	Heartbeats        uint64        `json:"heartbeats"`          // pings that clients answered, in all
	HeartbeatCPU      float64       `json:"heartbeat_cpu"`       // microseconds of the servers' CPU each, while nothing else happened
	Meanwhile         uint64        `json:"meanwhile"`           // heartbeats during the broadcasts, whose CPU is part of ServerUsage
	NetPerUnit        float64       `json:"net_per_unit"`        // ServerUsage.PerUnit without those, at that price
	ClientRSS         float64       `json:"client_rss"`          // bytes per connection, resident memory of the client processes
	KernelSlab        float64       `json:"kernel_slab"`         // bytes per connection, both ends; the part of Memory.Kernel in slab caches
	KernelCaches      []cacheGrowth `json:"kernel_caches"`       // where root may see them
}

func (r *result) write(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// usage is what some processes have used so far.
type usage struct {
	user, system, scheduled float64 // seconds
	rss                     int64   // bytes
	at                      time.Time
}

func usageOf(children []*child) (u usage, err error) {
	u.at = time.Now()
	for _, c := range children {
		user, system, err := c.process().CPU()
		if err != nil {
			return u, err
		}
		scheduled, err := c.process().Scheduled()
		if err != nil {
			return u, err
		}
		rss, err := c.process().RSS()
		if err != nil {
			return u, err
		}
		u.user, u.system, u.scheduled, u.rss = u.user+user, u.system+system, u.scheduled+scheduled, u.rss+rss
	}
	return u, nil
}

// since is what has been used from one moment to another, by processes that may use so
// many cores, for so many units of work.
func (u usage) since(before usage, cores int, units uint64) report.Usage {
	cpu := u.scheduled - before.scheduled
	return report.Usage{
		UserSeconds: u.user - before.user, SystemSeconds: u.system - before.system,
		Busy:    cpu / u.at.Sub(before.at).Seconds() / float64(cores),
		PerUnit: cpu * 1e6 / float64(max(units, 1)),
		RSS:     u.rss,
	}
}

// saturated says who had no CPU left.
func saturated(server, client report.Usage) string {
	const full = 0.9
	switch s, c := server.Busy > full, client.Busy > full; {
	case s && c:
		return "both"
	case s:
		return "server"
	case c:
		return "client"
	}
	return "neither"
}

// addTo adds what another process summed up, exact to the buckets it used.
func addTo(h *report.Histogram, l *report.Latency) {
	if l == nil {
		return
	}
	for _, b := range l.Buckets {
		h.Add(time.Duration(b.UpTo*1e3), b.Count)
	}
}
