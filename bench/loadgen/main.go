// Command loadgen is a load client for Socket.IO and raw WebSocket servers: tens
// of thousands of connections on one epoll per process, no goroutine for any of
// them. It measures a scenario, checks that nothing was lost, doubled or out of
// order, and prints one line of JSON (package report) on standard output; progress
// goes to standard error. README.md says what each scenario measures.
package main

import (
	"fmt"
	"os"

	"github.com/fanfare-go/fanfare/bench/loadgen/run"
)

// The exit codes that say what failed.
const (
	exitFailed = 1 // the run, or something was lost, doubled or out of order
	exitUsage  = 2 // the command line
)

func main() {
	run.Child()
	plan, err := parse(os.Args[1:])
	if err != nil {
		fail(exitUsage, err)
	}
	result, err := run.Run(plan, os.Stderr)
	if err != nil {
		fail(exitFailed, err)
	}
	if err := result.Write(os.Stdout); err != nil {
		fail(exitFailed, err)
	}
	if !result.Deliveries.Complete() {
		fail(exitFailed, fmt.Errorf("loadgen: not everything arrived once and in order: %+v", result.Deliveries))
	}
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(code)
}
