package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fanfare-go/fanfare/bench/report"
)

// missing stands where there is no number.
const missing = "–"

// bases are whom every peer is compared with, in this order.
var bases = []string{bare, bareGnet, nodeJS, zishang520}

// markdown writes what the results say: an overview of figures and their ratios to
// the bare loop, and a table for every cell.
func markdown(results []report.Result) string {
	a := collect(results)
	if len(a.cells) == 0 {
		return "No results.\n"
	}
	var w strings.Builder
	a.overview(&w)
	for _, k := range a.cells {
		a.table(&w, k)
	}
	m := results[len(results)-1].Machine
	fmt.Fprintf(&w, "\nMachine: %s, %d cores, %s, %s, commit %s. ", m.CPU, m.Cores, m.OS, m.Go, m.Commit)
	w.WriteString("Medians over the rounds; ratios are medians of the ratios within a round.\n")
	return w.String()
}

// overview has a row for each peer and a column for each cell.
func (a *all) overview(w *strings.Builder) {
	header := []string{"peer"}
	for _, k := range a.cells {
		header = append(header, k.short())
	}
	w.WriteString("µs of CPU per delivery, round trip or handshake, bytes of memory per connection; in brackets × bare.\n\n")
	row(w, header)
	rule(w, len(header))
	for _, peer := range a.peers {
		cells := []string{peer}
		for _, k := range a.cells {
			cells = append(cells, a.figureAndRatio(k, peer))
		}
		row(w, cells)
	}
}

func (a *all) figureAndRatio(k key, peer string) string {
	of := a.of(k, peer)
	value, ok := of.median(figure)
	if !ok {
		return missing
	}
	text := number(value)
	if ratio, ok := of.ratio(a.of(k, bare)); ok {
		text += fmt.Sprintf(" (%.2f)", ratio)
	}
	return text
}

// table compares the peers in one cell.
func (a *all) table(w *strings.Builder, k key) {
	fmt.Fprintf(w, "\n### %s\n\n", k.title())
	columns := a.columns(k)
	var header []string
	for _, c := range columns {
		header = append(header, c.name)
	}
	row(w, header)
	rule(w, len(header))
	for _, peer := range a.peers {
		if a.runs[k][peer] == nil {
			continue
		}
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.value(peer, a.of(k, peer)))
		}
		row(w, cells)
	}
}

// column is a heading and how to fill it for a peer.
type column struct {
	name  string
	value func(peer string, of *runs) string
}

func (a *all) columns(k key) []column {
	columns := []column{
		{"peer", func(peer string, _ *runs) string { return peer }},
		{unit(k.scenario), func(_ string, of *runs) string { return of.text(figure, number) }},
		{"least–most", func(_ string, of *runs) string { return of.spread() }},
	}
	for _, base := range bases {
		if len(a.of(k, base).whole) > 0 {
			columns = append(columns, ratioColumn("× "+base, a.of(k, base)))
		}
	}
	single := k
	single.backlog = 1
	if k.backlog > 1 && len(a.of(single, bare).whole) > 0 {
		columns = append(columns, ratioColumn("× bare, one at a time", a.of(single, bare)))
	}
	if k.scenario == broadcast || k.scenario == echo {
		columns = append(columns,
			valueColumn("p50 ms", func(r *report.Result) float64 { return millis(r.Latency, 50) }, number),
			valueColumn("p99 ms", func(r *report.Result) float64 { return millis(r.Latency, 99) }, number))
	}
	if k.scenario != idle {
		columns = append(columns,
			valueColumn("per second", func(r *report.Result) float64 { return float64(r.Deliveries.Delivered) / r.Seconds }, number),
			valueColumn("server busy", func(r *report.Result) float64 { return 100 * r.ServerUsage.Busy }, percent),
			valueColumn("client busy", func(r *report.Result) float64 { return 100 * r.ClientUsage.Busy }, percent),
			column{"saturated", func(_ string, of *runs) string { return of.saturated() }})
	}
	return append(columns, column{"runs", func(_ string, of *runs) string { return of.count() }})
}

func ratioColumn(name string, base *runs) column {
	return column{name, func(_ string, of *runs) string {
		if ratio, ok := of.ratio(base); ok {
			return fmt.Sprintf("%.2f", ratio)
		}
		return missing
	}}
}

func valueColumn(name string, read func(*report.Result) float64, format func(float64) string) column {
	return column{name, func(_ string, of *runs) string { return of.text(read, format) }}
}

func (r *runs) text(read func(*report.Result) float64, format func(float64) string) string {
	value, ok := r.median(read)
	if !ok {
		return missing
	}
	return format(value)
}

// spread is the least and the most figure of the rounds.
func (r *runs) spread() string {
	if len(r.whole) == 0 {
		return missing
	}
	var values []float64
	for _, result := range r.whole {
		values = append(values, figure(result))
	}
	return number(slices.Min(values)) + "–" + number(slices.Max(values))
}

// saturated says who had no CPU left in most of the runs, and in how many if not all.
func (r *runs) saturated() string {
	counts := map[string]int{}
	for _, result := range r.whole {
		counts[result.Saturated]++
	}
	most := ""
	for _, who := range slices.Sorted(maps.Keys(counts)) {
		if counts[who] > counts[most] {
			most = who
		}
	}
	switch {
	case len(counts) == 0:
		return missing
	case len(counts) == 1:
		return most
	default:
		return fmt.Sprintf("%s (%d of %d)", most, counts[most], len(r.whole))
	}
}

// count is how many runs the numbers are from, and how many were left out because
// something was lost, doubled or out of order.
func (r *runs) count() string {
	if r.broken == 0 {
		return strconv.Itoa(len(r.whole))
	}
	return fmt.Sprintf("%d, **%d broken**", len(r.whole), r.broken)
}

func millis(l *report.Latency, percentile int) float64 {
	switch {
	case l == nil:
		return 0
	case percentile == 50:
		return l.P50 / 1e3
	default:
		return l.P99 / 1e3
	}
}

// title names the cell above its table.
func (k key) title() string {
	switch k.scenario {
	case broadcast:
		return fmt.Sprintf("Broadcast: %s members, %d B, backlog %d", thousands(k.connections), k.payload, k.backlog)
	case echo:
		return fmt.Sprintf("Round trip: %s connections, %d B", thousands(k.connections), k.payload)
	case connect:
		return fmt.Sprintf("Handshakes: storm of %s", thousands(k.connections))
	default:
		return fmt.Sprintf("Idle: %s connections", thousands(k.connections))
	}
}

// short names the cell in the overview.
func (k key) short() string {
	s := k.scenario + " " + thousands(k.connections)
	if k.scenario != broadcast {
		return s
	}
	if k.payload != usualPayload {
		s += fmt.Sprintf(", %d B", k.payload)
	}
	if k.backlog > 1 {
		s += fmt.Sprintf(", backlog %d", k.backlog)
	}
	return s
}

func percent(v float64) string { return fmt.Sprintf("%.0f %%", v) }

// number has three digits that count, and no fraction from 100 on.
func number(v float64) string {
	switch {
	case v >= 100:
		return thousands(int(v + 0.5))
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func row(w *strings.Builder, cells []string) {
	w.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func rule(w *strings.Builder, columns int) {
	w.WriteString("|---|" + strings.Repeat("---:|", columns-1) + "\n")
}
