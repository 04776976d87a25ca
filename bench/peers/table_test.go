package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/bench/report"
)

// run1 is a result in which everything arrived.
func run1(server string, round, backlog int, perUnit float64) report.Result {
	return report.Result{
		Scenario: broadcast, Server: server, Round: round, Connections: 1000, Payload: 128, Backlog: backlog, Seconds: 2,
		Deliveries:  report.Count{Expected: 200_000, Delivered: 200_000},
		Latency:     &report.Latency{P50: 1000 * float64(round), P99: 20_000},
		ServerUsage: report.Usage{PerUnit: perUnit, Busy: 0.95}, ClientUsage: report.Usage{Busy: 0.4},
		Saturated: "server", Machine: report.Machine{CPU: "Z80", Cores: 2, OS: "linux 6", Go: "go1.26", Commit: "abc"},
	}
}

// cellsOf is the row of a peer in the table below a title, without its edges.
func cellsOf(t *testing.T, table, title, peer string) map[string]string {
	t.Helper()
	_, section, ok := strings.Cut(table, "### "+title+"\n")
	if !ok {
		t.Fatalf("no section %q in\n%s", title, table)
	}
	section, _, _ = strings.Cut(section, "###")
	var header []string
	for line := range strings.Lines(section) {
		fields := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		switch fields[0] {
		case "peer":
			header = fields
		case peer:
			if len(fields) != len(header) {
				t.Fatalf("%d cells below %d headings: %s", len(fields), len(header), line)
			}
			cells := map[string]string{}
			for i, h := range header {
				cells[h] = fields[i]
			}
			return cells
		}
	}
	t.Fatalf("no row %q in\n%s", peer, section)
	return nil
}

func wantCells(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	// The machine is twice as slow in round 2: the ratio is 2 in each round, while
	// that of the medians would be another.
	table := markdown([]report.Result{
		run1(bare, 1, 1, 4), run1("x", 1, 1, 8),
		run1(bare, 2, 1, 8), run1("x", 2, 1, 16),
		run1(bare, 3, 1, 5), // and x failed
		run1(nodeJS, 1, 1, 16),
	})
	row := cellsOf(t, table, "Broadcast: 1,000 members, 128 B, backlog 1", "x")
	wantCells(t, row, map[string]string{
		"µs CPU per delivery": "12.0", "least–most": "8.00–16.0", "× bare": "2.00", "× node": "0.50", "runs": "2",
		"p50 ms": "1.50", "p99 ms": "20.0", "per second": "100,000", "server busy": "95 %", "client busy": "40 %", "saturated": "server",
	})
	if _, ok := row["× zishang520"]; ok {
		t.Error("a column for a peer that was not there")
	}
	if !strings.Contains(table, "Z80, 2 cores, linux 6, go1.26, commit abc") {
		t.Errorf("no machine in\n%s", table)
	}
	if !strings.Contains(table, "| x | 12.0 (2.00) |") {
		t.Errorf("not in the overview:\n%s", table)
	}
}

func TestABacklogIsComparedWithTheBareLoopsSingleWrite(t *testing.T) {
	table := markdown([]report.Result{
		run1(bare, 1, 1, 6), run1(bare, 1, 16, 5), run1("x", 1, 16, 0.6),
		run1("x", 2, 16, 1), // bare failed here: no ratio from this round
	})
	wantCells(t, cellsOf(t, table, "Broadcast: 1,000 members, 128 B, backlog 16", "x"), map[string]string{
		"µs CPU per delivery": "0.80", "× bare": "0.12", "× bare, one at a time": "0.10",
	})
}

func TestARunThatLostSomethingDoesNotCount(t *testing.T) {
	broken := run1("x", 2, 1, 1)
	broken.Deliveries.Delivered--
	broken.Deliveries.Lost = 1
	only := run1("y", 1, 1, 3)
	only.Deliveries.Doubled = 1
	table := markdown([]report.Result{run1(bare, 1, 1, 4), run1("x", 1, 1, 8), broken, only})
	const title = "Broadcast: 1,000 members, 128 B, backlog 1"
	wantCells(t, cellsOf(t, table, title, "x"), map[string]string{"µs CPU per delivery": "8.00", "runs": "1, **1 broken**"})
	wantCells(t, cellsOf(t, table, title, "y"), map[string]string{
		"µs CPU per delivery": missing, "least–most": missing, "× bare": missing, "saturated": missing, "runs": "0, **1 broken**",
	})
}

func TestWhoWasSaturatedInMostRuns(t *testing.T) {
	other := run1("x", 3, 1, 8)
	other.Saturated = "both"
	table := markdown([]report.Result{run1("x", 1, 1, 8), run1("x", 2, 1, 8), other})
	wantCells(t, cellsOf(t, table, "Broadcast: 1,000 members, 128 B, backlog 1", "x"), map[string]string{"saturated": "server (2 of 3)"})
}

func TestEveryScenarioHasItsUnit(t *testing.T) {
	result := func(scenario string) report.Result {
		r := run1("x", 1, 0, 7)
		r.Scenario = scenario
		return r
	}
	memory := result(idle)
	memory.Memory = &report.Memory{RSS: 1234.4}
	table := markdown([]report.Result{result(echo), result(connect), memory})
	wantCells(t, cellsOf(t, table, "Round trip: 1,000 connections, 128 B", "x"), map[string]string{"µs CPU per round trip": "7.00", "p99 ms": "20.0"})
	wantCells(t, cellsOf(t, table, "Handshakes: storm of 1,000", "x"), map[string]string{"µs CPU per handshake": "7.00", "per second": "100,000"})
	wantCells(t, cellsOf(t, table, "Idle: 1,000 connections", "x"), map[string]string{"B RSS per connection": "1,234", "runs": "1"})
}

func TestATableIsPrintedAgainFromItsFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "results.jsonl")
	r := run1(bare, 1, 1, 4)
	f, err := create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	if err := tabulate(&again, name); err != nil || again.String() != markdown([]report.Result{r}) {
		t.Fatal(again.String(), err)
	}
	if err := os.WriteFile(name, []byte("no json"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := tabulate(io.Discard, name); err == nil || !strings.HasPrefix(err.Error(), "peers: --table: ") {
		t.Fatal(err)
	}
}

func TestNoResultsAreNoTable(t *testing.T) {
	if got := markdown(nil); got != "No results.\n" {
		t.Fatal(got)
	}
}
