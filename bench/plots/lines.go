package main

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// series is one server's line.
type series struct {
	name    string
	columns []string // of a legend, after the name
	points  plotter.XYs
}

// axes say how lines are drawn.
type axes struct {
	x, y           string // what, and its unit
	xTicks, yTicks []plot.Tick
	logY           bool // X always is
	low, high      float64
	from           float64 // of X, where it is not the first point
	markers        bool
	right          vg.Length // room for names
	legend         []string  // heads of columns; without, each name stands beside its line's end
}

// caption is the room for what an axis shows: above the vertical one, where it is read
// without turning the head, and below the other.
const caption = 18

// drawLines draws the lines, ours last and on top, and who they are on the right.
func drawLines(c draw.Canvas, all []series, colours map[string]colour, a axes) {
	p := newPlot(a)
	for _, s := range oursLast(all) {
		look := colours[s.name]
		line := &plotter.Line{XYs: s.points, LineStyle: draw.LineStyle{Color: look.ink, Width: look.width, Dashes: look.dashes}}
		p.Add(line)
		if a.markers {
			p.Add(&plotter.Scatter{XYs: s.points, GlyphStyle: draw.GlyphStyle{Color: look.ink, Radius: 2 + look.width/2, Shape: look.marker}})
		}
	}
	p.Y.Min, p.Y.Max, p.X.Min = a.low, a.high, max(p.X.Min, a.from)
	left := draw.Crop(c, 0, -a.right, caption, -caption)
	p.Draw(left)
	area := p.DataCanvas(left)
	style := letters(10, grey, false)
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y - 6}, a.y)
	style.XAlign = draw.XCenter
	c.FillText(style, vg.Point{X: area.Center().X, Y: c.Min.Y + 6}, a.x)
	if a.legend != nil {
		drawLegend(c, area.Max, all, colours, a.legend)
		return
	}
	toX, toY := p.Transforms(&area)
	drawNames(c, area, all, colours, toX, toY)
}

func newPlot(a axes) *plot.Plot {
	p := plot.New()
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(a.xTicks)
	p.Y.Tick.Marker = plot.ConstantTicks(a.yTicks)
	if a.logY {
		p.Y.Scale = plot.LogScale{}
	}
	dress(&p.X)
	dress(&p.Y)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = pale, pale
	p.Add(grid)
	return p
}

// dress is how axes look.
func dress(a *plot.Axis) {
	rotation, align := a.Label.TextStyle.Rotation, a.Label.TextStyle.YAlign
	a.Label.TextStyle.Font, a.Label.TextStyle.Color = letters(10, grey, false).Font, grey
	a.Label.TextStyle.Rotation, a.Label.TextStyle.YAlign = rotation, align
	a.Tick.Label.Font, a.Tick.Label.Color = letters(9.5, black, false).Font, black
	a.Label.Padding = 4
	a.Color, a.Tick.Color = muted, muted
	a.Width, a.Tick.Width = 0.8, 0.8
	a.Tick.Length = 4
}

func oursLast(all []series) []series {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b series) int { return last(a.name) - last(b.name) })
	return sorted
}

func last(name string) int {
	if name == ours {
		return 1
	}
	return 0
}

// drawNames writes each name at the height where its line ends, or as near as the other
// names let it, and leads a line there.
func drawNames(c, area draw.Canvas, all []series, colours map[string]colour, toX, toY func(float64) vg.Length) {
	const step = 13
	ends := make([]vg.Length, len(all))
	for i, s := range all {
		ends[i] = toY(s.points[len(s.points)-1].Y)
	}
	x := area.Max.X + 16
	for i, y := range apart(ends, step, area.Min.Y+step/2, area.Max.Y-step/2) {
		s, look := all[i], colours[all[i].name]
		leader := draw.LineStyle{Color: look.ink, Width: 0.7, Dashes: []vg.Length{1, 2}}
		from := toX(s.points[len(s.points)-1].X) + 5
		c.StrokeLines(leader, []vg.Point{{X: from, Y: ends[i]}, {X: area.Max.X + 5, Y: ends[i]}, {X: x - 2, Y: y}})
		c.FillText(letters(10, look.ink, s.name == ours), vg.Point{X: x + 2, Y: y + lift}, s.name)
	}
}

// drawLegend writes names, their lines and their columns from the top.
func drawLegend(c draw.Canvas, corner vg.Point, all []series, colours map[string]colour, heads []string) {
	const step, first, column = 17, 118, 56
	x, y := corner.X+20, corner.Y+8
	for k, head := range heads {
		style := letters(9, grey, false)
		style.XAlign = draw.XRight
		c.FillText(style, vg.Point{X: x + first + column*vg.Length(k), Y: y}, head)
	}
	for _, s := range all {
		y -= step
		look := colours[s.name]
		c.StrokeLines(draw.LineStyle{Color: look.ink, Width: look.width, Dashes: look.dashes}, []vg.Point{{X: x, Y: y}, {X: x + 16, Y: y}})
		c.FillText(letters(10, look.ink, s.name == ours), vg.Point{X: x + 22, Y: y + lift}, s.name)
		for k, text := range s.columns {
			style := letters(10, black, s.name == ours)
			style.XAlign = draw.XRight
			c.FillText(style, vg.Point{X: x + first + column*vg.Length(k), Y: y + lift}, text)
		}
	}
}

// apart moves heights so that no two are nearer than step, each as little as may be,
// within bounds; it keeps their order.
func apart(heights []vg.Length, step, low, high vg.Length) []vg.Length {
	order := make([]int, len(heights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(heights[a], heights[b]) })
	out := slices.Clone(heights)
	for range 200 { // push neighbours apart until nobody moves any more
		moved := false
		for k := 1; k < len(order); k++ {
			below, above := order[k-1], order[k]
			if lack := step - (out[above] - out[below]); lack > 0.01 {
				out[below] -= lack / 2
				out[above] += lack / 2
				moved = true
			}
		}
		for k, i := range order {
			lowest := low + step*vg.Length(k)
			highest := high - step*vg.Length(len(order)-1-k)
			out[i] = max(min(out[i], highest), lowest)
		}
		if !moved {
			break
		}
	}
	return out
}

// decades are ticks at round steps of the powers of ten: more of them where there are
// few decades.
func decades(low, high float64, write func(float64) string) (ticks []plot.Tick) {
	steps := []float64{1, 2, 5}
	if high/low < 20 {
		steps = []float64{1, 1.5, 2, 3, 4, 5, 7}
	}
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high; power *= 10 {
		for _, step := range steps {
			if v := step * power; v >= low*0.999 && v <= high*1.001 {
				ticks = append(ticks, plot.Tick{Value: v, Label: write(v)})
			}
		}
	}
	return ticks
}
