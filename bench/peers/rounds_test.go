package main

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// small is every scenario at a size that takes no time.
var small = sizes{
	members: []int{20}, backlogs: []int{4}, deep: []int{20}, echo: 20, inflight: 5, connect: 20, idle: 20,
	measured: 50 * time.Millisecond, settle: 100,
}

func sessionOf(t *testing.T, out io.Writer, only string) *session {
	t.Helper()
	peers, err := choosePeers(only)
	if err != nil {
		t.Fatal(err)
	}
	if err := programs.useLoadgen(""); err != nil {
		t.Fatal(err)
	}
	return &session{
		build: programs, peers: peers, groups: small.cells(), rounds: 2,
		serverCPU: 0, clientCPU: min(1, runtime.NumCPU()-1), out: out, progress: t.Output(),
	}
}

// One peer for each dialect goes the whole way, from the program to the table.
func TestASessionMeasuresEveryCellInEveryRound(t *testing.T) {
	var lines bytes.Buffer
	s := sessionOf(t, &lines, "bare,centrifuge,fanfare")
	results, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written, err := report.Read(&lines)
	if err != nil || len(written) != len(results) {
		t.Fatalf("%d results written of %d, %v", len(written), len(results), err)
	}
	cells := slices.Concat(s.groups...)
	if want := len(cells) * len(s.peers) * s.rounds; len(results) != want {
		t.Fatalf("%d results, want %d", len(results), want)
	}
	for i, r := range results {
		if !r.Deliveries.Complete() || r.Round < 1 || r.Round > s.rounds || r.Server != s.peers[i%len(s.peers)].name {
			t.Errorf("result %d: %s, round %d, %s: %+v", i, r.Scenario, r.Round, r.Server, r.Deliveries)
		}
		if r.Scenario != idle && (r.Deliveries.Delivered == 0 || figure(&r) <= 0) {
			t.Errorf("result %d: %s of %s: %d delivered for %v", i, r.Scenario, r.Server, r.Deliveries.Delivered, figure(&r))
		}
	}
	row := cellsOf(t, markdown(results), "Broadcast: 20 members, 128 B, backlog 4", "fanfare")
	if row["× bare"] == missing || row["× bare, one at a time"] == missing || row["runs"] != "2" {
		t.Errorf("the row of fanfare: %v", row)
	}
}

func TestARunThatFailsIsCountedAndTold(t *testing.T) {
	s := sessionOf(t, io.Discard, "bare")
	var progress strings.Builder
	s.progress, s.rounds, s.groups = &progress, 1, s.groups[:1]
	s.peers[0].dialect = "klingon"
	results, err := s.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "peers: 2 runs failed") {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(progress.String(), "klingon") {
		t.Errorf("progress does not say why: %s", progress.String())
	}
	row := cellsOf(t, markdown(results), "Broadcast: 20 members, 128 B, backlog 1", "bare")
	wantCells(t, row, map[string]string{"µs CPU per delivery": missing, "runs": "0, **1 broken**"})
}

func TestAnInterruptedSessionEndsWithWhatItHas(t *testing.T) {
	s := sessionOf(t, io.Discard, "bare")
	ctx, cancel := context.WithCancel(t.Context())
	s.progress = writerFunc(func(p []byte) (int, error) { // the first progress is the first result
		cancel()
		return len(p), nil
	})
	results, err := s.run(ctx)
	if err == nil || err.Error() != "peers: interrupted" || len(results) != 1 {
		t.Fatalf("%d results, error %v", len(results), err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestAServerThatSaysNothingUsefulIsAnError(t *testing.T) {
	p := peer{name: "bare", args: []string{"stray"}}
	_, err := programs.start(p, anyCPU)
	if err == nil || !strings.HasPrefix(err.Error(), "peers: bare: the server said") {
		t.Fatal(err)
	}
}
