package report

import (
	"encoding/json"
	"io"
)

// Result is one measured run of one scenario against one server.
type Result struct {
	Scenario    string   `json:"scenario"`        // broadcast, echo, connect, idle, slow
	Server      string   `json:"server"`          // whom it was run against, such as "fanfare" or "node"
	Round       int      `json:"round,omitempty"` // from 1, where several servers take turns: what may be compared with each other
	Connections int      `json:"connections"`
	Payload     int      `json:"payload,omitempty"` // bytes of text in one message
	Backlog     int      `json:"backlog,omitempty"` // messages sent at once
	Seconds     float64  `json:"seconds"`           // of the measured phase
	Deliveries  Count    `json:"deliveries"`        // of the scenario's unit: deliveries, round trips or handshakes
	Latency     *Latency `json:"latency,omitempty"`
	Bystander   *Latency `json:"bystander,omitempty"` // echo of a client that is not part of the load
	ServerUsage Usage    `json:"server_usage"`
	ClientUsage Usage    `json:"client_usage"`
	Saturated   string   `json:"saturated"` // server, client, both or neither: who had no CPU left
	Memory      *Memory  `json:"memory,omitempty"`
	Machine     Machine  `json:"machine"`
	Command     string   `json:"command"` // that printed this
}

// Count says whether everything came that should have, once and in order.
type Count struct {
	Expected   uint64 `json:"expected"`
	Delivered  uint64 `json:"delivered"`
	Lost       uint64 `json:"lost"`
	Doubled    uint64 `json:"doubled"`
	Disordered uint64 `json:"disordered"`
}

// Complete reports that all of it came, once and in order.
func (c Count) Complete() bool {
	return c.Delivered == c.Expected && c.Lost+c.Doubled+c.Disordered == 0
}

// Usage is the CPU that one side used during the measured phase, from the kernel.
type Usage struct {
	UserSeconds   float64 `json:"user_seconds"`
	SystemSeconds float64 `json:"system_seconds"`
	Busy          float64 `json:"busy"`       // CPU seconds per second and core it may use, 0 to 1
	PerUnit       float64 `json:"per_unit"`   // microseconds of CPU per delivery, round trip or handshake
	RSS           int64   `json:"rss"`        // resident bytes at the end
	RSSBefore     int64   `json:"rss_before"` // and before the first connection
}

// CPU is user and system time together, in seconds.
func (u Usage) CPU() float64 { return u.UserSeconds + u.SystemSeconds }

// Memory is what the connections cost, in bytes per connection.
type Memory struct {
	Heap   float64 `json:"heap,omitempty"`   // Go heap, where the server can say
	RSS    float64 `json:"rss"`              // resident memory of the server's processes
	Kernel float64 `json:"kernel,omitempty"` // both ends' sockets: slab and TCP pages, machine-wide
}

// Machine says where and from what a result came.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	OS     string `json:"os"`
	Go     string `json:"go"`
	Commit string `json:"commit"` // short; with "+" when the tree had changes
}

// Write prints r as one line of JSON.
func (r *Result) Write(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// Read reads results until the input ends.
func Read(in io.Reader) ([]Result, error) {
	var all []Result
	for dec := json.NewDecoder(in); ; {
		var r Result
		switch err := dec.Decode(&r); err {
		case nil:
			all = append(all, r)
		case io.EOF:
			return all, nil
		default:
			return all, err
		}
	}
}
