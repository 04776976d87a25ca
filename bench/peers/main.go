package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// exitUsage is the exit code for a wrong command line; everything else that fails is 1.
const exitUsage = 2

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		fail(exitUsage, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fail(1, err)
	}
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(code)
}

func run(ctx context.Context, o *options) error {
	if o.table != "" {
		return tabulate(os.Stdout, o.table)
	}
	if cores := runtime.NumCPU(); cores < 2 {
		return errors.New("peers: the server and the load client need a CPU each, and there is one")
	}
	b, err := newBuild(".", o.peers)
	if err != nil {
		return err
	}
	defer b.remove()
	if err := b.useLoadgen(o.loadgen); err != nil {
		return err
	}
	return measure(ctx, o, b)
}

// measure runs everything, keeps the results in the file as they come, and prints
// the table, also of what there is when something failed or was interrupted.
func measure(ctx context.Context, o *options, b *build) error {
	out, err := create(o.out)
	if err != nil {
		return err
	}
	s := &session{
		build: b, peers: o.peers, groups: o.groups, rounds: o.rounds,
		serverCPU: o.serverCPU, clientCPU: o.clientCPU, out: out, progress: os.Stderr,
	}
	fmt.Fprintf(os.Stderr, "%s, %s, %s: about %v\n",
		counted(len(slices.Concat(s.groups...)), "cell"), counted(s.rounds, "round"), strings.Join(names(s.peers), ", "), s.estimate().Round(10*time.Second))
	warnOfNeighbours()
	began := time.Now()
	results, failure := s.run(ctx)
	fmt.Fprintf(os.Stderr, "took %v; results in %s\n", time.Since(began).Round(time.Second), o.out)
	return errors.Join(failure, out.Close(), printTable(os.Stdout, results))
}

func create(name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, fmt.Errorf("peers: --out: %w", err)
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("peers: --out: %w", err)
	}
	return f, nil
}

// tabulate prints the table of a file of results again.
func tabulate(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("peers: --table: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	results, err := report.Read(f)
	if err != nil {
		return fmt.Errorf("peers: --table: %s is not a file of results: %w", name, err)
	}
	return printTable(w, results)
}

func printTable(w io.Writer, results []report.Result) error {
	_, err := io.WriteString(w, markdown(results))
	return err
}

func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// warnOfNeighbours says when the machine has other work, which falls on the figures.
func warnOfNeighbours() {
	var load float64
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return
	}
	if _, err := fmt.Sscan(string(b), &load); err == nil && load > 0.5 {
		fmt.Fprintf(os.Stderr, "the machine is busy (load %.1f): trust ratios only, and those of many rounds\n", load)
	}
}
