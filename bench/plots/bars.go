package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bar is one server's.
type bar struct {
	name  string
	value spread
	label string // beside its end
}

const (
	barStep  = 27 // from one bar to the next
	barWidth = 17
)

// barsHeight is how high a chart of so many bars is.
func barsHeight(n int) vg.Length { return vg.Length(n)*barStep + head + foot + 56 }

// drawBars draws horizontal bars from the top, ours pointed out, each with a whisker
// for what its runs lay between and a label.
func drawBars(c draw.Canvas, all []bar, unit string, write func(float64) string, reference string) {
	p := plot.New()
	p.X.Label.Text = unit
	dress(&p.X)
	dress(&p.Y)
	most, names, baseline := 0.0, make([]string, len(all)), 0.0
	for i, b := range all {
		names[len(all)-1-i] = b.name
		most = max(most, b.value.high)
		if b.name == reference {
			baseline = b.value.median
		}
	}
	p.NominalY(names...)
	p.Y.Tick.Length, p.Y.Width = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, most*1.3, -0.6, float64(len(all))-0.4 // room for the labels
	p.X.Tick.Marker = plot.ConstantTicks(evenTicks(most, write))
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Width = pale, 0
	p.Add(grid)
	p.Draw(c)

	area := p.DataCanvas(c)
	toX, toY := p.Transforms(&area)
	for i, b := range all {
		drawBar(c, b, toX, toY(float64(len(all)-1-i)))
	}
	if baseline > 0 {
		x := toX(baseline)
		c.StrokeLines(draw.LineStyle{Color: black, Width: 1, Dashes: []vg.Length{4, 3}}, []vg.Point{{X: x, Y: area.Min.Y}, {X: x, Y: area.Max.Y}})
	}
}

func drawBar(c draw.Canvas, b bar, toX func(float64) vg.Length, y vg.Length) {
	ink := muted
	switch b.name {
	case ours:
		ink = vermilion
	case bare:
		ink = black
	}
	left, right := toX(0), toX(b.value.median)
	c.FillPolygon(ink, []vg.Point{{X: left, Y: y - barWidth/2}, {X: right, Y: y - barWidth/2}, {X: right, Y: y + barWidth/2}, {X: left, Y: y + barWidth/2}})
	if from, to := toX(b.value.low), toX(b.value.high); to-from > 2 { // else there is nothing to see
		whisker := draw.LineStyle{Color: grey, Width: 1.2}
		c.StrokeLines(whisker, []vg.Point{{X: from, Y: y}, {X: to, Y: y}},
			[]vg.Point{{X: from, Y: y - 3}, {X: from, Y: y + 3}}, []vg.Point{{X: to, Y: y - 3}, {X: to, Y: y + 3}})
	}
	c.FillText(letters(10, black, b.name == ours), vg.Point{X: max(right, toX(b.value.high)) + 6, Y: y + lift}, b.label)
}

// evenTicks are about five, at round numbers.
func evenTicks(most float64, write func(float64) string) (ticks []plot.Tick) {
	step := 0.0
	for _, t := range decades(most/100, most*10, write) { // wide enough for steps of 1, 2 and 5
		if step = t.Value; most/step <= 6 {
			break
		}
	}
	for v := 0.0; v <= most*1.001; v += step {
		label := write(v)
		if v == 0 {
			label = "0"
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}
