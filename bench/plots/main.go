package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// options is the command line.
type options struct {
	in      []string
	out     string
	payload int
	backlog int
	members int
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2) // the flag package has said why
	}
	if err := run(o, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// parse reads the command line. A shell makes several words of results/*.jsonl, hence
// words that are not flags are more input, wherever they stand.
func parse(args []string, errs io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("plots", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Func("in", "`files` with results, JSON lines; a pattern is expanded", func(s string) error { return o.add(s) })
	f.StringVar(&o.out, "out", "charts", "`folder` for the charts, made where it is missing")
	f.IntVar(&o.payload, "payload", 128, "bytes of text of the broadcasts that are drawn")
	f.IntVar(&o.backlog, "backlog", 1, "messages at once of the broadcasts that are drawn")
	f.IntVar(&o.members, "members", 0, "connections in the charts of one size; default: the most that most servers have")
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			break
		}
		if err := o.add(f.Arg(0)); err != nil {
			fmt.Fprintln(errs, err)
			return nil, err
		}
		args = f.Args()[1:]
	}
	if len(o.in) == 0 {
		err := errors.New("plots: nothing to draw: give files with -in")
		fmt.Fprintln(errs, err)
		return nil, err
	}
	return o, nil
}

func (o *options) add(pattern string) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		files = []string{pattern} // reading it says what is wrong
	}
	o.in = append(o.in, files...)
	return nil
}

// run draws what the input has data for, and says to progress what it has none for.
func run(o *options, progress io.Writer) error {
	results, err := load(o.in)
	if err != nil {
		return err
	}
	d, broken := sift(results)
	if broken > 0 {
		fmt.Fprintf(progress, "plots: %d of %d runs left out: not everything arrived once and in order\n", broken, len(results))
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	drawn := 0
	for _, make := range []func(*data, *options) (*chart, error){peersChart, cpuChart, latencyChart, memoryChart, growthChart} {
		c, err := make(d, o)
		if err != nil {
			fmt.Fprintln(progress, err)
			continue
		}
		for _, format := range []string{"svg", "png"} {
			file, err := c.save(o.out, format)
			if err != nil {
				return err
			}
			fmt.Fprintln(progress, file)
		}
		drawn++
	}
	if drawn == 0 {
		return errors.New("plots: nothing drawn: none of the results has what a chart shows")
	}
	return nil
}
