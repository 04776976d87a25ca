package main

import (
	"cmp"
	"slices"

	"github.com/fanfare-go/fanfare/bench/report"
)

// figure is what peers are compared by in a scenario: less is better.
func figure(r *report.Result) float64 {
	if r.Scenario != idle {
		return r.ServerUsage.PerUnit
	}
	if r.Memory == nil {
		return 0
	}
	return r.Memory.RSS
}

// unit is what figure is in.
func unit(scenario string) string {
	switch scenario {
	case broadcast:
		return "µs CPU per delivery"
	case echo:
		return "µs CPU per round trip"
	case connect:
		return "µs CPU per handshake"
	default:
		return "B RSS per connection"
	}
}

// key is what results that may be compared have in common.
type key struct {
	scenario                      string
	connections, payload, backlog int
}

func keyOf(r *report.Result) key {
	return key{r.Scenario, r.Connections, r.Payload, r.Backlog}
}

// runs are the results of one peer in one cell, by round. Only those in which
// everything arrived count.
type runs struct {
	whole  map[int]*report.Result
	broken int
}

// all orders by cell and then by peer, both as they first appear.
type all struct {
	cells []key
	peers []string
	runs  map[key]map[string]*runs
}

func collect(results []report.Result) *all {
	a := &all{runs: map[key]map[string]*runs{}}
	for i := range results {
		a.add(&results[i])
	}
	return a
}

func (a *all) add(r *report.Result) {
	k := keyOf(r)
	if a.runs[k] == nil {
		a.runs[k] = map[string]*runs{}
		a.cells = append(a.cells, k)
	}
	if !slices.Contains(a.peers, r.Server) {
		a.peers = append(a.peers, r.Server)
	}
	of := a.runs[k][r.Server]
	if of == nil {
		of = &runs{whole: map[int]*report.Result{}}
		a.runs[k][r.Server] = of
	}
	if !r.Deliveries.Complete() || figure(r) <= 0 {
		of.broken++
		return
	}
	of.whole[r.Round] = r
}

// of is the runs of a peer in a cell; it may have none.
func (a *all) of(k key, peer string) *runs {
	if of := a.runs[k][peer]; of != nil {
		return of
	}
	return &runs{}
}

// median of what read takes from each run; false if there is none.
func (r *runs) median(read func(*report.Result) float64) (float64, bool) {
	var values []float64
	for _, result := range r.whole {
		values = append(values, read(result))
	}
	return median(values)
}

// ratio is the median, over the rounds that both were in, of r's figure over base's.
func (r *runs) ratio(base *runs) (float64, bool) {
	var ratios []float64
	for round, result := range r.whole {
		if b := base.whole[round]; b != nil {
			ratios = append(ratios, figure(result)/figure(b))
		}
	}
	return median(ratios)
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) (float64, bool) {
	n := len(values)
	if n == 0 {
		return 0, false
	}
	slices.SortFunc(values, cmp.Compare[float64])
	return (values[(n-1)/2] + values[n/2]) / 2, true
}
