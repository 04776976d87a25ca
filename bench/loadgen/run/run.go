package run

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// saturatedAbove is the share of its CPUs above which a side has none left.
const saturatedAbove = 0.9

// progressEvery is how often progress is told.
const progressEvery = time.Second

// run is one run of a scenario.
type run struct {
	*Plan
	log    io.Writer // progress
	crew   *crew
	meter  *meter
	phase  uint32
	kernel int64 // memory before the first connection, in bytes

	result  report.Result
	tally   *tally // of the measured phases
	seconds float64
}

// Run carries out a plan that is Complete and returns what it measured; progress goes
// to log. That something was lost is no error, but a result.
func Run(p *Plan, log io.Writer) (result *report.Result, err error) {
	cpus, err := parseCPUs(p.CPUs)
	if err != nil {
		return nil, err
	}
	if err := pin(cpus); err != nil {
		return nil, err
	}
	r := &run{Plan: p, log: log}
	if r.meter, err = newMeter(p.ServerPID); err != nil {
		return nil, err
	}
	if r.kernel, err = kernelMemory(); err != nil {
		return nil, err
	}
	if r.crew, err = hire(p); err != nil {
		return nil, err
	}
	stop := r.tell()
	err = r.scenario()
	stop()
	if e := r.crew.dismiss(); e != nil && err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	return &r.result, nil
}

func (r *run) scenario() error {
	var err error
	switch r.Scenario {
	case "broadcast":
		err = r.broadcast()
	case "slow":
		err = r.slow()
	case "echo":
		err = r.echo()
	case "connect":
		err = r.connect()
	case "idle":
		err = r.idle()
	default:
		err = fmt.Errorf("loadgen: no scenario %q", r.Scenario)
	}
	if err != nil {
		return err
	}
	return r.sumUp()
}

// tell logs progress until the function it returns is called.
func (r *run) tell() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for begin := time.Now(); ; {
			select {
			case <-done:
				return
			case <-tick.C:
				l := r.crew.ledger
				_, _ = fmt.Fprintf(r.log, "loadgen: %s %s: %3.0fs, %d connections, %d delivered in this phase\n",
					r.ServerName, r.Scenario, time.Since(begin).Seconds(), l.open(), l.delivered())
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// open opens all connections, none of them measured, and lets the server settle.
func (r *run) open() error {
	if _, err := r.crew.all(order{Op: opOpen}); err != nil {
		return err
	}
	if b := r.crew.bystander; b != nil {
		if _, err := b.ask(order{Op: opOpen}); err != nil {
			return err
		}
	}
	return r.meter.settle()
}

// measure carries out a phase between two looks at the server's account, and adds it
// to what was measured. Before and after it nothing is in flight.
func (r *run) measure(o order) error {
	if _, err := r.crew.all(order{Op: opReset}); err != nil {
		return err
	}
	if err := r.meter.begin(); err != nil {
		return err
	}
	t, err := r.crew.all(o)
	if err != nil {
		return err
	}
	if err := r.meter.end(); err != nil {
		return fmt.Errorf("%w%s", err, t.closedBy())
	}
	if why := t.closedBy(); why != "" {
		_, _ = fmt.Fprintf(r.log, "loadgen: %s\n", why[len("; "):])
	}
	r.seconds += (t.End - t.Begin).Seconds()
	if r.tally == nil {
		r.tally = t
		return nil
	}
	r.tally.add(&t.answer)
	r.tally.cpu += t.cpu
	r.tally.RSS = t.RSS
	return nil
}

// closedBy says why connections ended, if any did, to be put behind an error.
func (t *tally) closedBy() string {
	if t.Closed == 0 {
		return ""
	}
	return fmt.Sprintf("; the server closed %d connections, the first with: %s", t.Closed, t.Reason)
}

// warm carries out a phase that is not measured; it must be complete.
func (r *run) warm(o order) error {
	if _, err := r.crew.all(order{Op: opReset}); err != nil {
		return err
	}
	t, err := r.crew.all(o)
	if err != nil {
		return err
	}
	if c := t.count(); !c.Complete() {
		return fmt.Errorf("loadgen: not everything arrived while warming up: %+v%s", c, t.closedBy())
	}
	return r.meter.settle()
}

func (t *tally) count() report.Count {
	return report.Count{Expected: t.Expected, Delivered: t.Delivered, Lost: t.Lost, Doubled: t.Doubled, Disordered: t.Disordered}
}

// sumUp makes the result of what was measured.
func (r *run) sumUp() (err error) {
	t, res := r.tally, &r.result
	res.Scenario, res.Server, res.Connections, res.Seconds = r.Scenario, r.ServerName, r.Connections, r.seconds
	res.Deliveries, res.Latency = t.count(), t.Heard.Latency()
	res.Machine, res.Command = report.ThisMachine(), r.Command
	serverCPUs := r.ServerCPUs
	if serverCPUs == 0 {
		serverCPUs = runtime.NumCPU()
	}
	if res.ServerUsage, err = r.meter.usage(r.seconds, serverCPUs, t.Delivered); err != nil {
		return err
	}
	res.ClientUsage = usage(t.cpu, t.User.Seconds(), t.System.Seconds(), r.seconds, min(r.Processes, allowedCPUs()), t.Delivered)
	res.ClientUsage.RSS = t.RSS
	res.Saturated = saturated(res.ServerUsage.Busy, res.ClientUsage.Busy)
	return nil
}

func saturated(server, client float64) string {
	switch s, c := server > saturatedAbove, client > saturatedAbove; {
	case s && c:
		return "both"
	case s:
		return "server"
	case c:
		return "client"
	}
	return "neither"
}
