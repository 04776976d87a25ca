package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scenarios of the load client that the peers are compared in.
const (
	broadcast = "broadcast"
	echo      = "echo"
	connect   = "connect"
	idle      = "idle"
)

// cell is one scenario with its sizes.
type cell struct {
	scenario    string
	connections int
	payload     int // bytes of text
	backlog     int // broadcasts at once
	inflight    int // round trips at once
	settle      int // deliveries or round trips before the measured ones
	duration    time.Duration
}

// sizes say which cells there are.
type sizes struct {
	members  []int         // of broadcasts of one message
	backlogs []int         // besides one
	deep     []int         // those of members that backlogs and other payloads are for
	payloads []int         // besides the usual one
	echo     int           // connections
	inflight int           // of them, at once
	connect  int           // handshakes of a storm
	idle     int           // connections
	measured time.Duration // how long a cell is measured
	settle   int           // deliveries or round trips before that: what compiles or grows while it runs, as Node does, is done by then
}

const usualPayload = 128 // bytes of text

var (
	full = sizes{
		members: []int{100, 1000, 10_000, 18_000}, backlogs: []int{4, 16}, deep: []int{1000, 10_000},
		echo: 1000, inflight: 200, connect: 5000, idle: 10_000, measured: 1500 * time.Millisecond, settle: 20_000,
	}
	quick = sizes{
		members: []int{100, 500}, backlogs: []int{4}, deep: []int{500},
		echo: 100, inflight: 20, connect: 500, idle: 500, measured: 300 * time.Millisecond, settle: 4000,
	}
)

// cells are in groups: those of a group follow each other in every round, because
// they are compared with each other too.
func (s sizes) cells() (groups [][]cell) {
	for _, n := range s.members {
		group := []cell{s.broadcast(n, usualPayload, 1)}
		if slices.Contains(s.deep, n) {
			group = append(group, s.deeper(n)...)
		}
		groups = append(groups, group)
	}
	return append(groups,
		[]cell{{scenario: echo, connections: s.echo, payload: usualPayload, inflight: s.inflight, duration: s.measured, settle: s.settle}},
		[]cell{{scenario: connect, connections: s.connect}},
		[]cell{{scenario: idle, connections: s.idle, duration: 2 * time.Second}})
}

// deeper is the broadcasts to n members that vary in something else.
func (s sizes) deeper(n int) (all []cell) {
	for _, k := range s.backlogs {
		if k != 1 {
			all = append(all, s.broadcast(n, usualPayload, k))
		}
	}
	for _, p := range s.payloads {
		if p != usualPayload {
			all = append(all, s.broadcast(n, p, 1))
		}
	}
	return all
}

func (s sizes) broadcast(members, payload, backlog int) cell {
	return cell{scenario: broadcast, connections: members, payload: payload, backlog: backlog, duration: s.measured, settle: s.settle}
}

// chooseCells returns the groups of the scenarios in a comma-separated list, or all.
func chooseCells(groups [][]cell, list string) ([][]cell, error) {
	if list == "" {
		return groups, nil
	}
	wanted := strings.Split(list, ",")
	for _, w := range wanted {
		if !slices.Contains([]string{broadcast, echo, connect, idle}, w) {
			return nil, fmt.Errorf("peers: -cells: no scenario %q; there are broadcast, echo, connect, idle", w)
		}
	}
	return slices.DeleteFunc(groups, func(g []cell) bool { return !slices.Contains(wanted, g[0].scenario) }), nil
}

// args are the load client's for this cell.
func (c cell) args() []string {
	args := []string{"--connections", strconv.Itoa(c.connections), "--warmup", strconv.Itoa(c.warmup())}
	if c.payload > 0 {
		args = append(args, "--payload", strconv.Itoa(c.payload))
	}
	if c.backlog > 0 {
		args = append(args, "--backlog", strconv.Itoa(c.backlog))
	}
	if c.inflight > 0 {
		args = append(args, "--inflight", strconv.Itoa(c.inflight))
	}
	if c.duration > 0 {
		args = append(args, "--duration", c.duration.String())
	}
	return append(args, c.scenario)
}

// warmup is in rounds of the scenario: batches, round trips of each connection,
// storms.
func (c cell) warmup() int {
	switch c.scenario {
	case broadcast:
		return max(2, c.settle/(c.connections*c.backlog))
	case echo:
		return max(2, c.settle/c.connections)
	case connect:
		return 1
	default:
		return 0
	}
}

// estimate is how long one run of the cell takes: a second for the processes, some
// 4,000 connections per second, which is between Node's 2,500 and the 12,000 of the
// fastest, 20 µs for each delivery or round trip to warm up with, and the measuring.
func (c cell) estimate() time.Duration {
	opening := time.Duration(c.connections) * 250 * time.Microsecond
	total := time.Second + opening + c.duration
	switch c.scenario {
	case broadcast, echo:
		total += time.Duration(c.settle) * 20 * time.Microsecond
	case connect:
		total += opening * time.Duration(c.warmup())
	}
	return total
}

// String names the cell in progress lines.
func (c cell) String() string {
	s := fmt.Sprintf("%s, %d connections", c.scenario, c.connections)
	if c.backlog > 0 {
		s += fmt.Sprintf(", %d B, backlog %d", c.payload, c.backlog)
	}
	return s
}
