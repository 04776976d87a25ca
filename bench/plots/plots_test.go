package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/bench/report"
	"gonum.org/v1/plot/vg"
)

// drawn runs the command over results and returns the folder.
func drawn(t *testing.T, all []report.Result) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "charts")
	if keep := os.Getenv("KEEP_CHARTS"); keep != "" { // to look at them
		folder = keep
	}
	o, err := parse([]string{"-in", written(t, all), "-out", folder}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := run(o, &said); err != nil {
		t.Fatal(err, said.String())
	}
	return folder
}

var everyChart = []string{"peers", "cpu-members", "latency", "memory", "memory-connections"}

// texts are what an SVG says.
func texts(t *testing.T, file string) (all []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for dec, inText := xml.NewDecoder(bytes.NewReader(b)), false; ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(file, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.CharData:
			if inText {
				all = append(all, strings.TrimSpace(string(token)))
			}
		case xml.EndElement:
			inText = false
		}
	}
}

func TestEveryServerIsInEveryChart(t *testing.T) {
	folder := drawn(t, sample())
	for _, name := range everyChart {
		said := texts(t, filepath.Join(folder, name+".svg"))
		for _, p := range peers {
			if !slices.ContainsFunc(said, func(s string) bool { return s == p.name || strings.HasPrefix(s, p.name+" ") }) {
				t.Errorf("%s.svg does not name %s: %q", name, p.name, said)
			}
		}
		if all := strings.Join(said, "\n"); !strings.Contains(all, "better") || !strings.Contains(all, "commit 1234567") {
			t.Errorf("%s.svg does not say what is better, or where it comes from: %q", name, said)
		}
		checkPicture(t, filepath.Join(folder, name+".png"))
	}
}

// checkPicture wants a picture that is white behind and sharp.
func checkPicture(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(f)
	_ = f.Close()
	if err != nil {
		t.Fatal(file, err)
	}
	if r, g, b, a := picture.At(1, 1).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff || a != 0xffff {
		t.Errorf("%s: the corner is %x %x %x %x", file, r, g, b, a)
	}
	if w := picture.Bounds().Dx(); w != width*dots/72 {
		t.Errorf("%s is %d dots wide", file, w)
	}
}

func TestFiguresAreThoseOfTheInput(t *testing.T) {
	folder := drawn(t, []report.Result{
		{Scenario: "broadcast", Server: "bare", Round: 1, Connections: 1000, Payload: 128, Backlog: 1, ServerUsage: report.Usage{PerUnit: 4}},
		{Scenario: "broadcast", Server: ours, Round: 1, Connections: 1000, Payload: 128, Backlog: 1, ServerUsage: report.Usage{PerUnit: 5}},
		{Scenario: "broadcast", Server: "bare", Round: 2, Connections: 1000, Payload: 128, Backlog: 1, ServerUsage: report.Usage{PerUnit: 8}},
		{Scenario: "broadcast", Server: ours, Round: 2, Connections: 1000, Payload: 128, Backlog: 1, ServerUsage: report.Usage{PerUnit: 14}},
		{Scenario: "broadcast", Server: ours, Round: 3, Connections: 1000, Payload: 128, Backlog: 1, ServerUsage: report.Usage{PerUnit: 6}},
		{Scenario: "broadcast", Server: "other", Round: 1, Connections: 1000, Payload: 999, Backlog: 1, ServerUsage: report.Usage{PerUnit: 6}},
		{Scenario: "idle", Server: ours, Connections: 10, Memory: &report.Memory{RSS: 1500, Heap: 900}},
	})
	said := texts(t, filepath.Join(folder, "peers.svg"))
	for _, want := range []string{"6.00 µs (1.50 × bare)", "6.00 µs"} { // medians of 5, 14, 6; of 5/4, 14/8; of 4, 8
		if !slices.Contains(said, want) {
			t.Errorf("%q is not in %q", want, said)
		}
	}
	if slices.Contains(said, "other") {
		t.Errorf("another payload is in %q", said)
	}
	if said = texts(t, filepath.Join(folder, "memory.svg")); !slices.Contains(said, "1.5 KB (Go heap 900 B)") {
		t.Errorf("%q", said)
	}
}

func TestTheSameInputMakesTheSameBytes(t *testing.T) {
	d, _ := sift(sample())
	o := &options{payload: 128, backlog: 1}
	for _, make := range []func(*data, *options) (*chart, error){peersChart, cpuChart, latencyChart, memoryChart, growthChart} {
		for _, format := range []string{"svg", "png"} {
			if format == "png" && testing.Short() {
				continue
			}
			one, two := encoded(t, make, d, o, format), encoded(t, make, d, o, format)
			if !bytes.Equal(one, two) {
				t.Error(format, "differs")
			}
		}
	}
}

func encoded(t *testing.T, make func(*data, *options) (*chart, error), d *data, o *options, format string) []byte {
	t.Helper()
	c, err := make(d, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := c.encode(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBrokenRunsAreLeftOut(t *testing.T) {
	all := sample()
	for i := range all {
		if all[i].Server == "gws" && all[i].Scenario == "broadcast" {
			all[i].Deliveries.Delivered = 0
		}
	}
	d, broken := sift(all)
	if _, there := d.colours["gws"]; broken != 12 || !there { // idle connections of gws are whole
		t.Fatal(broken, there)
	}
	picture := string(encoded(t, peersChart, d, &options{payload: 128, backlog: 1}, "svg"))
	if strings.Contains(picture, ">gws<") || !strings.Contains(picture, ">gnet<") {
		t.Error(picture)
	}
}

func TestInputThatCannotBeDrawnIsSaid(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, c := range map[string]struct{ in, want string }{
		"no file":  {filepath.Join(t.TempDir(), "none.jsonl"), "no such file"},
		"empty":    {file(""), "plots: no results in "},
		"not JSON": {file("{}\nhello\n"), "after 1 results: "},
		"no chart": {file(`{"scenario":"echo"}`), "plots: nothing drawn"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse([]string{"-in", c.in, "-out", t.TempDir()}, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if err := run(o, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatal(err)
			}
		})
	}
}

func TestTheCommandLineTakesWhatAShellMakesOfAPattern(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a.jsonl", "b.jsonl"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filepath.Join(folder, "a.jsonl"), filepath.Join(folder, "b.jsonl")
	for _, args := range [][]string{{"-in", a, b, "-out", "x"}, {"-out", "x", "-in", filepath.Join(folder, "*.jsonl")}, {a, "-out", "x", b}} {
		o, err := parse(args, io.Discard)
		if err != nil || !slices.Equal(o.in, []string{a, b}) || o.out != "x" {
			t.Error(args, o, err)
		}
	}
	for _, args := range [][]string{nil, {"-wrong"}} {
		var said strings.Builder
		if _, err := parse(args, &said); err == nil || said.Len() == 0 {
			t.Error(args, err, said.String())
		}
	}
}

func TestNamesAreMovedApartAndKeepTheirOrder(t *testing.T) {
	const step, low, high = 10, 0, 100
	for _, heights := range [][]vg.Length{{50}, {50, 50, 50}, {99, 98, 97}, {0, 1, 100}, {10, 80, 12, 79, 11}, {40, 41, 42, 43, 44, 45, 46, 47, 48}} {
		out := apart(heights, step, low, high)
		for i := range out {
			if out[i] < low || out[i] > high {
				t.Errorf("%v: %v", heights, out)
			}
			for j := range i {
				if d := out[i] - out[j]; max(d, -d) < step-0.1 || d*(heights[i]-heights[j]) < 0 {
					t.Errorf("%v: %v", heights, out)
				}
			}
		}
	}
}
