package main

import (
	"fmt"

	"github.com/fanfare-go/fanfare/bench/report"
	"gonum.org/v1/plot/vg/draw"
)

func rss(r *report.Result) float64 { return r.Memory.RSS }

// held are the results about connections that do nothing.
func held(d *data) []report.Result {
	return d.where(func(r *report.Result) bool {
		return r.Memory != nil && r.Memory.RSS > 0 && (r.Scenario == "idle" || r.Scenario == "scale")
	})
}

// memoryChart compares what an idle connection costs in memory.
func memoryChart(d *data, o *options) (*chart, error) {
	all, members, err := oneSize(held(d), o.members)
	if err != nil {
		return nil, fmt.Errorf("plots: no memory chart: of idle connections' memory %w", err)
	}
	groups, figures := byServer(all), make(map[string]float64)
	runs, kernel := 0, ""
	for name, group := range groups {
		figures[name] = spreadOf(group, rss).median
		runs = max(runs, len(group))
	}
	if k := spreadOf(all, func(r *report.Result) float64 { return r.Memory.Kernel }).median; k > 0 {
		kernel = fmt.Sprintf("The kernel adds %s for both ends.", size(k))
	}
	var bars []bar
	for _, name := range ranked(figures) {
		b := bar{name: name, value: spreadOf(groups[name], rss)}
		b.label = size(b.value.median)
		if heap := spreadOf(groups[name], func(r *report.Result) float64 { return r.Memory.Heap }).median; heap > 0 {
			b.label += fmt.Sprintf(" (Go heap %s)", size(heap))
		}
		bars = append(bars, b)
	}
	return &chart{
		name: "memory", title: fmt.Sprintf("What an idle connection costs in memory, %s connections", count(members)),
		note: "Growth of the server's resident memory per connection; lower is better. " +
			runsNote(runs, kernel, kernel != ""),
		machine: machineLine(all), height: barsHeight(len(bars)),
		draw: func(c draw.Canvas) { drawBars(c, bars, "resident bytes per connection", size, "") },
	}, nil
}

// growthChart shows what a connection costs in memory as there are more.
func growthChart(d *data, _ *options) (*chart, error) {
	all := held(d)
	lines, sizes := medianLines(all, rss)
	if len(sizes) < 2 {
		return nil, fmt.Errorf("plots: no chart of memory over connections: idle connections have %d sizes, two are needed", len(sizes))
	}
	low, high := bounds(lines)
	low, high = low*0.8, high*1.25
	a := axes{
		x: "connections", y: "resident memory per connection",
		xTicks: sizeTicks(sizes), yTicks: decades(low, high, size), logY: true, low: low, high: high,
		markers: true, right: 84,
	}
	return &chart{
		name: "memory-connections", title: "What an idle connection costs as there are more",
		note:    "Growth of the servers' resident memory per connection, medians, both axes logarithmic; lower is better",
		machine: machineLine(all), height: 430,
		draw: func(c draw.Canvas) { drawLines(c, lines, d.colours, a) },
	}, nil
}
