package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// peers are made-up servers with figures of the size that such have.
var peers = []struct {
	name   string
	cpu    float64 // µs per delivery to 1,000 members
	memory float64 // resident bytes per idle connection
}{
	{"bare", 5.4, 300}, {ours, 5.6, 1250}, {"gnet", 7.9, 670}, {"gws", 9.4, 9100}, {"gorilla", 9.5, 17_600},
	{"nbio", 10.7, 1400}, {"centrifuge", 12.5, 28_800}, {"node", 14.4, 15_700}, {"zishang520", 30.3, 55_700},
}

// sample has three rounds of broadcasts in four sizes and idle connections in two.
func sample() (all []report.Result) {
	machine := report.Machine{CPU: "AMD EPYC", Cores: 2, OS: "linux 6.18", Go: "go1.26.8", Commit: "1234567"}
	for round := 1; round <= 3; round++ {
		for _, p := range peers {
			for _, n := range []int{100, 1000, 10_000, 18_000} {
				noise := 1 + 0.04*float64(round-2)*math.Sin(float64(n)+p.cpu)
				cpu := p.cpu * (1 + 0.14*math.Log10(float64(n)/1000)) * noise
				count := report.Count{Expected: 1, Delivered: 1}
				all = append(all, report.Result{Scenario: "broadcast", Server: p.name, Round: round, Connections: n, Payload: 128, Backlog: 1,
					Deliveries: count, Latency: latencies(cpu, n), ServerUsage: report.Usage{PerUnit: cpu}, Machine: machine})
			}
			for _, n := range []int{1000, 10_000} {
				memory := &report.Memory{RSS: p.memory * (1 + 300/float64(n)), Kernel: 9000}
				if p.name == ours {
					memory.Heap = 900
				}
				all = append(all, report.Result{Scenario: "idle", Server: p.name, Round: round, Connections: n, Memory: memory, Machine: machine})
			}
		}
	}
	return append(all, report.Result{Scenario: "scale", Server: ours, Connections: 200_000, Deliveries: report.Count{Expected: 1, Delivered: 1},
		Memory: &report.Memory{RSS: 1250, Heap: 917, Kernel: 8650}, Machine: machine})
}

// latencies are those of a server that writes to one member after the other.
func latencies(cpu float64, members int) *report.Latency {
	var h report.Histogram
	for i := range 2000 {
		at := cpu * float64(members) * (float64(i)/2000 + 0.05*math.Pow(float64(i)/2000, 8))
		h.Add(time.Duration(at*1000)+300*time.Microsecond, 1)
	}
	return h.Latency()
}

// written is a file with results.
func written(t *testing.T, all []report.Result) string {
	t.Helper()
	var b bytes.Buffer
	for _, r := range all {
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "results.jsonl")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
