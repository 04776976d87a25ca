package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/fanfare-go/fanfare/bench/report"
)

// ours is the server that the charts point out, bare what the others are compared with.
const (
	ours = "fanfare"
	bare = "bare"
)

// data are the results that count, and who is in them.
type data struct {
	results []report.Result
	colours map[string]colour // by server, the same in every chart
}

// load reads all files, in the order given.
func load(files []string) (all []report.Result, err error) {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("plots: %w", err)
		}
		results, err := report.Read(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("plots: %s, after %d results: %w", name, len(results), err)
		}
		all = append(all, results...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("plots: no results in %s", strings.Join(files, ", "))
	}
	return all, nil
}

// sift keeps the results in which everything arrived. Where many were asked for and
// nothing was expected, as of idle connections, all did.
func sift(results []report.Result) (d *data, broken int) {
	d = &data{}
	servers := make(map[string]bool)
	for _, r := range results {
		if !r.Deliveries.Complete() {
			broken++
			continue
		}
		d.results = append(d.results, r)
		servers[r.Server] = true
	}
	d.colours = coloursFor(slices.Sorted(maps.Keys(servers)))
	return d, broken
}

// where keeps the results that a chart is about.
func (d *data) where(keep func(*report.Result) bool) (all []report.Result) {
	for _, r := range d.results {
		if keep(&r) {
			all = append(all, r)
		}
	}
	return all
}

// broadcasts are those of the sizes asked for.
func (d *data) broadcasts(o *options) []report.Result {
	return d.where(func(r *report.Result) bool {
		return r.Scenario == "broadcast" && r.Payload == o.payload && max(r.Backlog, 1) == o.backlog
	})
}

// oneSize keeps the results with one number of connections: that asked for, or else
// the one that most servers have, and of several the largest.
func oneSize(all []report.Result, members int) ([]report.Result, int, error) {
	servers := make(map[int]map[string]bool)
	for _, r := range all {
		if servers[r.Connections] == nil {
			servers[r.Connections] = make(map[string]bool)
		}
		servers[r.Connections][r.Server] = true
	}
	if len(servers) == 0 {
		return nil, 0, errors.New("there are none")
	}
	if members == 0 {
		for _, n := range slices.Sorted(maps.Keys(servers)) {
			if len(servers[n]) >= len(servers[members]) {
				members = n
			}
		}
	}
	if servers[members] == nil {
		return nil, 0, fmt.Errorf("there are none with %d connections", members)
	}
	return slices.DeleteFunc(slices.Clone(all), func(r report.Result) bool { return r.Connections != members }), members, nil
}

// byServer groups results, in the order of the input.
func byServer(all []report.Result) map[string][]report.Result {
	groups := make(map[string][]report.Result)
	for _, r := range all {
		groups[r.Server] = append(groups[r.Server], r)
	}
	return groups
}

// spread is a median and what the runs lay between.
type spread struct {
	low, median, high float64
	runs              int
}

func spreadOf(all []report.Result, figure func(*report.Result) float64) spread {
	var values []float64
	for _, r := range all {
		values = append(values, figure(&r))
	}
	return spread{slices.Min(values), median(values), slices.Max(values), len(values)}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// ratio is the median of the ratios within a round, where both have one, and otherwise
// the ratio of the medians.
func ratio(of, to []report.Result, figure func(*report.Result) float64) float64 {
	rounds := make(map[int]float64)
	for _, r := range to {
		if r.Round > 0 {
			rounds[r.Round] = figure(&r)
		}
	}
	var ratios []float64
	for _, r := range of {
		if base := rounds[r.Round]; r.Round > 0 && base > 0 {
			ratios = append(ratios, figure(&r)/base)
		}
	}
	if len(ratios) > 0 {
		return median(ratios)
	}
	return spreadOf(of, figure).median / spreadOf(to, figure).median
}

func perUnit(r *report.Result) float64 { return r.ServerUsage.PerUnit }

// ranked lists servers by a figure, the best first, and by name where it is the same.
func ranked(figures map[string]float64) []string {
	return slices.SortedFunc(maps.Keys(figures), func(a, b string) int {
		return cmp.Or(cmp.Compare(figures[a], figures[b]), strings.Compare(a, b))
	})
}

// machineLine says where the results come from; each different machine or commit.
func machineLine(all []report.Result) string {
	var lines []string
	for _, r := range all {
		m := r.Machine
		line := fmt.Sprintf("%s, %d cores, %s, %s, commit %s", m.CPU, m.Cores, m.OS, m.Go, cmp.Or(m.Commit, "unknown"))
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) > 2 {
		lines = append(lines[:1], fmt.Sprintf("and %d other machines or commits", len(lines)-1))
	}
	return strings.Join(lines, "; ")
}
