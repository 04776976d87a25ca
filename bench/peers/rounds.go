package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// slack is what a run may take beyond four times its estimate before it is given up.
const slack = time.Minute

// session is a whole measurement: every cell, every round, every peer in turn.
type session struct {
	build     *build
	peers     []peer
	groups    [][]cell
	rounds    int
	serverCPU int
	clientCPU int
	out       io.Writer // one line of JSON per run
	progress  io.Writer

	results []report.Result
	failed  int // runs
}

// estimate is about how long it takes.
func (s *session) estimate() (total time.Duration) {
	for _, group := range s.groups {
		for _, c := range group {
			for _, p := range s.peers {
				if p.in(c.scenario) {
					total += c.estimate() * time.Duration(s.rounds)
				}
			}
		}
	}
	return total
}

// run measures everything. In a round of a group every peer has its turn in one cell
// before the next cell begins, so that what else the machine does falls on all. A
// run that fails is told on progress, and the error then says how many did.
func (s *session) run(ctx context.Context) ([]report.Result, error) {
	for _, group := range s.groups {
		for round := 1; round <= s.rounds; round++ {
			for _, c := range group {
				if err := s.turn(ctx, c, round); err != nil {
					return s.results, err
				}
			}
		}
	}
	if s.failed > 0 {
		return s.results, fmt.Errorf("peers: %s failed; the lines above say why", counted(s.failed, "run"))
	}
	return s.results, nil
}

// turn is one cell for every peer. Its error ends the session.
func (s *session) turn(ctx context.Context, c cell, round int) error {
	for _, p := range s.peers {
		if !p.in(c.scenario) {
			continue
		}
		result, err := s.one(ctx, c, p, round)
		if ctx.Err() != nil {
			return errors.New("peers: interrupted")
		}
		if err != nil {
			s.failed++
			s.say(c, round, p, fmt.Sprintf("FAILED: %v", err))
		}
		if result == nil {
			result = c.nothing(p, round)
		}
		if err := result.Write(s.out); err != nil {
			return fmt.Errorf("peers: writing results: %w", err)
		}
		s.results = append(s.results, *result)
		if err == nil {
			s.say(c, round, p, brief(result))
		}
	}
	return nil
}

func (s *session) say(c cell, round int, p peer, what string) {
	fmt.Fprintf(s.progress, "%v, round %d, %s: %s\n", c, round, p.name, what)
}

// nothing is the result of a run that ended without one: it has no figures, and the
// table counts it as broken.
func (c cell) nothing(p peer, round int) *report.Result {
	return &report.Result{
		Scenario: c.scenario, Server: p.name, Round: round, Connections: c.connections, Payload: c.payload, Backlog: c.backlog,
		Machine: report.ThisMachine(), Command: "loadgen " + strings.Join(c.args(), " "),
	}
}

// one measures one peer in one cell, with a server of its own.
func (s *session) one(ctx context.Context, c cell, p peer, round int) (*report.Result, error) {
	server, err := s.build.start(p, s.serverCPU)
	if err != nil {
		return nil, err
	}
	result, err := s.load(ctx, c, p, server)
	if result != nil {
		result.Round = round
	}
	return result, errors.Join(err, server.stop())
}

// load runs the load client. It may return a result and an error: numbers of a run
// in which something was lost.
func (s *session) load(ctx context.Context, c cell, p peer, at *server) (*report.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*c.estimate()+slack)
	defer cancel()
	args := append([]string{
		"--url", "ws://" + at.addr, "--dialect", p.dialect, "--server-name", p.name,
		"--server-pid", strconv.Itoa(at.pid()), "--server-cpus", "1", "--cpus", strconv.Itoa(s.clientCPU),
	}, c.args()...)
	cmd := exec.CommandContext(ctx, s.build.loadgen, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopTimeout
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	failure := cmd.Run()
	if failure != nil {
		failure = fmt.Errorf("the load client: %w: %s", failure, bytes.TrimSpace(stderr.Bytes()))
	}
	results, err := report.Read(&stdout)
	if err != nil || len(results) != 1 {
		return nil, errors.Join(failure, fmt.Errorf("it printed %d results, want one (%v)", len(results), err))
	}
	return &results[0], failure
}

// brief is a result in the progress lines.
func brief(r *report.Result) string {
	if r.Scenario == idle {
		return fmt.Sprintf("%.0f %s", figure(r), unit(r.Scenario))
	}
	return fmt.Sprintf("%.2f %s, server %.0f %% busy, client %.0f %%", figure(r), unit(r.Scenario),
		100*r.ServerUsage.Busy, 100*r.ClientUsage.Busy)
}
