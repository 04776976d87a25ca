package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart is a picture with its texts.
type chart struct {
	name    string // of the file
	title   string
	note    string // below the title: what is better, and under which conditions
	machine string // at the foot
	height  vg.Length
	draw    func(c draw.Canvas)
}

const (
	width  = 720 // points, as are all lengths
	margin = 18
	head   = 52
	foot   = 22
	// dots per inch of the PNG: two for each of a screen's
	dots = 144
)

// save writes the chart to a folder, and returns the file.
func (ch *chart) save(folder, format string) (string, error) {
	var b bytes.Buffer
	if err := ch.encode(&b, format); err != nil {
		return "", fmt.Errorf("plots: drawing %s: %w", ch.name, err)
	}
	file := filepath.Join(folder, ch.name+"."+format)
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("plots: %w", err)
	}
	return file, nil
}

func (ch *chart) encode(w io.Writer, format string) error {
	if format == "png" {
		c := vgimg.NewWith(vgimg.UseWH(width, ch.height), vgimg.UseDPI(dots))
		ch.paint(draw.New(c))
		_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
		return err
	}
	c := vgsvg.New(width, ch.height)
	ch.paint(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	// Liberation Sans has the widths of Arial and Helvetica, which more people have.
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")))
	return err
}

// paint draws the frame and has the chart draw what is in it.
func (ch *chart) paint(c draw.Canvas) {
	c.FillPolygon(white, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	c.FillText(letters(16, black, true), vg.Point{X: margin, Y: c.Max.Y - 22}, ch.title)
	c.FillText(letters(10.5, grey, false), vg.Point{X: margin, Y: c.Max.Y - 40}, ch.note)
	c.FillText(letters(7.5, grey, false), vg.Point{X: margin, Y: c.Min.Y + 11}, ch.machine)
	ch.draw(draw.Crop(c, margin, -margin, foot, -head-6))
}
