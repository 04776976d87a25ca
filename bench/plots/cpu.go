package main

import (
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/fanfare-go/fanfare/bench/report"
)

// peersChart compares the servers at one size: bars of CPU per delivery, with the ratio
// to the bare loop.
func peersChart(d *data, o *options) (*chart, error) {
	all, members, err := oneSize(d.broadcasts(o), o.members)
	if err != nil {
		return nil, fmt.Errorf("plots: no peers chart: of broadcasts of %d bytes, backlog %d, %w", o.payload, o.backlog, err)
	}
	groups, figures := byServer(all), make(map[string]float64)
	runs := 0
	for name, group := range groups {
		figures[name] = spreadOf(group, perUnit).median
		runs = max(runs, len(group))
	}
	var bars []bar
	for _, name := range ranked(figures) {
		b := bar{name: name, value: spreadOf(groups[name], perUnit)}
		b.label = short(b.value.median) + " µs"
		if base := groups[bare]; base != nil && name != bare {
			b.label += fmt.Sprintf(" (%.2f × bare)", ratio(groups[name], base, perUnit))
		}
		bars = append(bars, b)
	}
	return &chart{
		name: "peers", title: fmt.Sprintf("What one delivery costs the server, %s members", count(members)),
		note: fmt.Sprintf("CPU time per delivery of a %d-byte broadcast%s; lower is better. %s", o.payload, backlogNote(o),
			runsNote(runs, "Dashed: a bare loop of writes, the limit.", groups[bare] != nil)),
		machine: machineLine(all), height: barsHeight(len(bars)),
		draw: func(c draw.Canvas) { drawBars(c, bars, "µs of server CPU per delivery", plainNumber, bare) },
	}, nil
}

func backlogNote(o *options) string {
	if o.backlog == 1 {
		return ""
	}
	return fmt.Sprintf(", %d at once", o.backlog)
}

func runsNote(runs int, limit string, hasLimit bool) (s string) {
	if runs > 1 {
		s = "Medians; whiskers: all runs. "
	}
	if hasLimit {
		s += limit
	}
	return s
}

func plainNumber(v float64) string { return fmt.Sprintf("%g", v) }

// cpuChart shows how the price of a delivery grows with the members.
func cpuChart(d *data, o *options) (*chart, error) {
	all := d.broadcasts(o)
	lines, sizes := medianLines(all, perUnit)
	if len(sizes) < 2 {
		return nil, fmt.Errorf("plots: no chart of CPU over members: broadcasts of %d bytes, backlog %d, have %d sizes, two are needed", o.payload, o.backlog, len(sizes))
	}
	low, high := bounds(lines)
	low, high = low*0.85, high*1.15
	a := axes{
		x: "members (connections)", y: "µs of server CPU per delivery",
		xTicks: sizeTicks(sizes), yTicks: decades(low, high, plainNumber), logY: true, low: low, high: high,
		markers: true, right: 84,
	}
	return &chart{
		name: "cpu-members", title: "What a delivery costs as the room grows",
		note:    fmt.Sprintf("CPU time per delivery of a %d-byte broadcast%s, medians, both axes logarithmic; lower is better", o.payload, backlogNote(o)),
		machine: machineLine(all), height: 430,
		draw: func(c draw.Canvas) { drawLines(c, lines, d.colours, a) },
	}, nil
}

// medianLines has a line of medians over connections for each server, and all the
// numbers of connections.
func medianLines(all []report.Result, figure func(*report.Result) float64) (lines []series, sizes []int) {
	groups := byServer(all)
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		bySize := make(map[int][]report.Result)
		for _, r := range groups[name] {
			bySize[r.Connections] = append(bySize[r.Connections], r)
		}
		s := series{name: name}
		for _, n := range slices.Sorted(maps.Keys(bySize)) {
			s.points = append(s.points, plotter.XY{X: float64(n), Y: spreadOf(bySize[n], figure).median})
			if !slices.Contains(sizes, n) {
				sizes = append(sizes, n)
			}
		}
		lines = append(lines, s)
	}
	slices.Sort(sizes)
	return lines, sizes
}

func bounds(lines []series) (low, high float64) {
	low = lines[0].points[0].Y
	for _, s := range lines {
		for _, p := range s.points {
			low, high = min(low, p.Y), max(high, p.Y)
		}
	}
	return low, high
}

// sizeTicks are the sizes themselves, written where there is room.
func sizeTicks(sizes []int) (ticks []plot.Tick) {
	last := 0
	for _, n := range sizes {
		label := count(n)
		if last > 0 && float64(n)/float64(last) < 1.5 {
			label = ""
		} else {
			last = n
		}
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: label})
	}
	return ticks
}
