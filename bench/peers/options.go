package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// options are the command line, understood.
type options struct {
	peers                []peer
	groups               [][]cell
	rounds               int
	serverCPU, clientCPU int
	out, table           string
	loadgen              string // program, "" to compile it
}

// usual are the flags that are not given.
const (
	usualRounds = 5
	usualOut    = "results/peers.jsonl"
)

// parse reads the command line; usage goes to w.
func parse(args []string, w io.Writer) (*options, error) {
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.SetOutput(w)
	o := &options{}
	short := f.Bool("quick", false, "small sizes and one round: a minute, to see that everything works")
	only := f.String("only", "", "`peers` to run, such as bare,node,fanfare; default all: "+strings.Join(names(everyone), ", "))
	scenarios := f.String("cells", "", "`scenarios` to run, of broadcast,echo,connect,idle; default all")
	members := f.String("members", "", "`sizes` of the broadcasts, such as 1000,10000")
	backlogs := f.String("backlogs", "", "broadcasts at once, besides one, such as 4,16; 1 for no other")
	payloads := f.String("payloads", "", "`bytes` of text besides 128, such as 32,1024,16384")
	duration := f.Duration("duration", 0, "how long a cell is measured")
	f.IntVar(&o.rounds, "rounds", 0, fmt.Sprintf("rounds (default %d, with -quick 1)", usualRounds))
	f.IntVar(&o.serverCPU, "server-cpu", 0, "`CPU` of the server")
	f.IntVar(&o.clientCPU, "client-cpu", 1, "`CPU` of the load client")
	f.StringVar(&o.out, "out", usualOut, "`file` for the results, one line of JSON each")
	f.StringVar(&o.loadgen, "loadgen", "", "`program` to use as the load client, instead of compiling bench/loadgen")
	f.StringVar(&o.table, "table", "", "print the table of this `file` of results and measure nothing")
	if err := f.Parse(args); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("peers: unexpected argument %q", f.Arg(0))
	}
	size, err := sized(*short, *members, *backlogs, *payloads, *duration)
	if err != nil {
		return nil, err
	}
	return o, o.complete(*only, *scenarios, *short, size)
}

// sized is the usual sizes, or the quick ones, with what was asked for.
func sized(short bool, members, backlogs, payloads string, duration time.Duration) (s sizes, err error) {
	if s = full; short {
		s = quick
	}
	if duration < 0 {
		return s, errors.New("peers: -duration is negative")
	}
	if duration > 0 {
		s.measured = duration
	}
	if members != "" {
		if s.members, err = numbers("members", members); err != nil {
			return s, err
		}
		s.deep = s.members
	}
	if backlogs != "" {
		if s.backlogs, err = numbers("backlogs", backlogs); err != nil {
			return s, err
		}
	}
	if payloads != "" {
		s.payloads, err = numbers("payloads", payloads)
	}
	return s, err
}

func (o *options) complete(only, scenarios string, short bool, s sizes) (err error) {
	switch {
	case o.rounds < 0:
		return errors.New("peers: -rounds must be at least 1")
	case o.rounds == 0 && short:
		o.rounds = 1
	case o.rounds == 0:
		o.rounds = usualRounds
	}
	if o.serverCPU == o.clientCPU || min(o.serverCPU, o.clientCPU) < 0 {
		return errors.New("peers: -server-cpu and -client-cpu must be two CPUs: the sides never share one")
	}
	if o.peers, err = choosePeers(only); err != nil {
		return err
	}
	o.groups, err = chooseCells(s.cells(), scenarios)
	return err
}

func numbers(flag, list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("peers: -%s: %q is not a number from 1 on", flag, text)
		}
		all = append(all, n)
	}
	return all, nil
}
