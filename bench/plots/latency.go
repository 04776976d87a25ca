package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fanfare-go/fanfare/bench/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// latencyChart shows how many deliveries have come after how long.
func latencyChart(d *data, o *options) (*chart, error) {
	timed := slices.DeleteFunc(d.broadcasts(o), func(r report.Result) bool { return r.Latency == nil || len(r.Latency.Buckets) == 0 })
	all, members, err := oneSize(timed, o.members)
	if err != nil {
		return nil, fmt.Errorf("plots: no latency chart: of broadcasts of %d bytes, backlog %d, with latencies %w", o.payload, o.backlog, err)
	}
	groups, medians := byServer(all), make(map[string]float64)
	curves := make(map[string]series)
	for name, group := range groups {
		s := distribution(name, group)
		curves[name], medians[name] = s, reach(s.points, 50)
	}
	var lines []series
	low, high := reach(curves[ranked(medians)[0]].points, 1), 0.0 // who waits for less is not worth the room
	for _, name := range ranked(medians) {
		s := curves[name]
		lines = append(lines, s)
		low = min(low, reach(s.points, 1))
		high = max(high, s.points[len(s.points)-1].X)
	}
	a := axes{
		x: "time from send to receipt", y: "deliveries that have come, %",
		xTicks: decades(low, high, duration), yTicks: percents, low: 0, high: 100, from: low,
		right: 212, legend: []string{"half after", "99 % after"},
	}
	return &chart{
		name: "latency", title: fmt.Sprintf("How soon a broadcast reaches %s members", count(members)),
		note:    fmt.Sprintf("Share of the deliveries of a %d-byte broadcast%s that have come by when, time axis logarithmic; further left is better", o.payload, backlogNote(o)),
		machine: machineLine(all), height: 430,
		draw: func(c draw.Canvas) { drawLines(c, lines, d.colours, a) },
	}, nil
}

var percents = []plot.Tick{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}}

// distribution adds the runs of a server up, into what share has come by when.
func distribution(name string, runs []report.Result) series {
	var buckets []report.Bucket
	total := uint64(0)
	for _, r := range runs {
		for _, b := range r.Latency.Buckets {
			buckets = append(buckets, b)
			total += b.Count
		}
	}
	slices.SortStableFunc(buckets, func(a, b report.Bucket) int { return cmp.Compare(a.UpTo, b.UpTo) })
	s, sum := series{name: name}, uint64(0)
	for i, b := range buckets {
		sum += b.Count
		if i+1 < len(buckets) && buckets[i+1].UpTo == b.UpTo {
			continue
		}
		s.points = append(s.points, plotter.XY{X: max(b.UpTo, 1), Y: 100 * float64(sum) / float64(total)})
	}
	s.columns = []string{duration(reach(s.points, 50)), duration(reach(s.points, 99))}
	return s
}

// reach is where a distribution reaches a share.
func reach(points plotter.XYs, percent float64) float64 {
	for _, p := range points {
		if p.Y >= percent {
			return p.X
		}
	}
	return points[len(points)-1].X
}
