package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/bench/loadgen/run"
)

const description = `Load client for Socket.IO and raw WebSocket servers. Prints one line of JSON.

broadcast: one client sends, every connection receives. echo: acknowledged round trips. connect: handshakes as fast as allowed.
idle: open and hold. slow: broadcast while some connections do not read.`

// parse reads the command line. The error is one line; --help ends the program.
func parse(args []string) (*run.Plan, error) {
	plan := &run.Plan{Command: "loadgen " + strings.Join(args, " ")}
	p, err := kong.New(plan, kong.Name("loadgen"), kong.Description(description), kong.Writers(os.Stdout, os.Stderr))
	if err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	if _, err := p.Parse(args); err != nil {
		return nil, fmt.Errorf("loadgen: %w (see --help)", err)
	}
	if err := plan.Complete(); err != nil {
		return nil, err
	}
	return plan, nil
}
