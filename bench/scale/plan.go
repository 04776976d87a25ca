package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// plan says how the connections are divided.
type plan struct {
	processes  int   // servers, and as many clients
	shares     []int // connections of each pair
	serverCPUs []int
	clientCPUs []int
}

// spareDescriptors of a process are for its own use: pipes, listeners, epolls. The
// server keeps a sixteenth besides (Options.MaxConnections).
const spareDescriptors = 128

func newPlan(o *options, m *machine) (*plan, error) {
	most := m.descriptors - m.descriptors/16 - spareDescriptors
	if most < 1 {
		return nil, fmt.Errorf("the descriptor limit of a process, %d, is too low: raise it with ulimit -n", m.descriptors)
	}
	if o.PerProcess > most {
		return nil, fmt.Errorf("--per-process %d: the descriptor limit of a process, %d, allows %d", o.PerProcess, m.descriptors, most)
	}
	if o.PerProcess > 0 {
		most = o.PerProcess
	}
	p := &plan{processes: (o.Connections + most - 1) / most}
	for i := range p.processes {
		p.shares = append(p.shares, o.Connections*(i+1)/p.processes-o.Connections*i/p.processes)
	}
	return p, p.divideCPUs(o)
}

// divideCPUs gives each side CPUs of its own, so that what a delivery costs the
// servers does not depend on how the clients disturb them. One CPU is shared.
func (p *plan) divideCPUs(o *options) error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return fmt.Errorf("asking for the CPUs: %w", err)
	}
	var all []int
	for cpu := 0; len(all) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			all = append(all, cpu)
		}
	}
	half := (len(all) + 1) / 2
	var err error
	if p.serverCPUs, err = cpusOr(o.ServerCPUs, all[:half]); err != nil {
		return err
	}
	p.clientCPUs, err = cpusOr(o.ClientCPUs, all[len(all)-half:])
	return err
}

func cpusOr(list string, otherwise []int) ([]int, error) {
	if list == "" {
		return otherwise, nil
	}
	return parseCPUs(list)
}

// parseCPUs reads a list such as 0,2-3.
func parseCPUs(list string) (cpus []int, err error) {
	if list == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || from < 0 || to < from || to >= 1024 {
			return nil, fmt.Errorf("%q is not a list of CPUs: write one such as 0,2-3", list)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// pinned runs start on the CPUs, which a process started meanwhile inherits: unlike
// one that pins itself, all of its threads do, and it sees no others.
func pinned(cpus []int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("asking for the CPUs: %w", err)
	}
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("using the CPUs %v: %w", cpus, err)
	}
	err := start()
	if back := unix.SchedSetaffinity(0, &before); err == nil && back != nil {
		err = fmt.Errorf("returning to the CPUs: %w", back)
	}
	return err
}
