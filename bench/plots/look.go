package main

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colour is how a server is drawn: also by marker and dashes, for who cannot tell the
// colours apart.
type colour struct {
	ink    color.RGBA
	marker draw.GlyphDrawer
	dashes []vg.Length
	width  vg.Length
}

var (
	black = color.RGBA{0x22, 0x22, 0x22, 0xff}
	grey  = color.RGBA{0x6b, 0x72, 0x80, 0xff}
	pale  = color.RGBA{0xe5, 0xe7, 0xeb, 0xff}
	muted = color.RGBA{0x9c, 0xa8, 0xb8, 0xff}
	white = color.RGBA{0xff, 0xff, 0xff, 0xff}
	// vermilion is kept for ours. It and the inks are of Okabe and Ito's palette, which
	// is told apart with any colour vision; two darker ones make up the number.
	vermilion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	inks      = []color.RGBA{
		{0x00, 0x72, 0xb2, 0xff}, // blue
		{0x00, 0x9e, 0x73, 0xff}, // green
		{0xe6, 0x9f, 0x00, 0xff}, // orange
		{0xcc, 0x79, 0xa7, 0xff}, // purple
		{0x56, 0xb4, 0xe9, 0xff}, // sky
		{0x7a, 0x52, 0x30, 0xff}, // brown
		{0x4b, 0x3f, 0x8f, 0xff}, // indigo
	}
	markers = []draw.GlyphDrawer{draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}}
)

// coloursFor gives every server its own, in the order of their names.
func coloursFor(servers []string) map[string]colour {
	all, next := make(map[string]colour), 0
	for _, name := range servers {
		switch name {
		case ours:
			all[name] = colour{vermilion, draw.CircleGlyph{}, nil, 3}
		case bare:
			all[name] = colour{black, draw.CircleGlyph{}, []vg.Length{5, 3}, 1.5}
		default:
			all[name] = colour{inks[next%len(inks)], markers[next%len(markers)], dashesOf(next / len(inks)), 1.5}
			next++
		}
	}
	return all
}

// dashesOf tells apart those who share an ink.
func dashesOf(turn int) []vg.Length {
	if turn == 0 {
		return nil
	}
	return []vg.Length{vg.Length(2 * turn), 2}
}

// lift makes text that is aligned to its middle look so beside lines and bars.
const lift = 1.5

// letters is a style of text.
func letters(size vg.Length, ink color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = 3 // of golang.org/x/image/font: bold
	}
	return text.Style{Color: ink, Font: f, Handler: plot.DefaultTextHandler, XAlign: draw.XLeft, YAlign: draw.YCenter}
}

// count writes a number as people do: 10,000.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short writes a figure with three digits at most behind which nothing can be known.
func short(v float64) string {
	switch {
	case v >= 100:
		return count(int(v + 0.5))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// size writes bytes.
func size(b float64) string {
	if b < 1000 {
		return fmt.Sprintf("%.0f B", b)
	}
	return strings.TrimSuffix(strconv.FormatFloat(b/1000, 'f', 1, 64), ".0") + " KB"
}

// duration writes microseconds.
func duration(us float64) string {
	switch {
	case us >= 1e6:
		return trimmed(us/1e6) + " s"
	case us >= 1e3:
		return trimmed(us/1e3) + " ms"
	default:
		return fmt.Sprintf("%.0f µs", us)
	}
}

// trimmed is short without zeros at the end.
func trimmed(v float64) string {
	s := short(v)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
