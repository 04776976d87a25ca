package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/fanfare-go/fanfare/bench/loadgen/fleet"
	"github.com/fanfare-go/fanfare/bench/report"
)

const (
	// childVariable marks a process that is to be a child.
	childVariable = "FANFARE_LOADGEN_CHILD"
	// ledgerDescriptor is where a child finds the ledger: the first of ExtraFiles.
	ledgerDescriptor = 3
	// idleNap is the least time between two looks while no phase runs, when only
	// heartbeats are to be answered.
	idleNap = 10 * time.Millisecond
)

// errParentGone ends a child whose parent has ended.
var errParentGone = errors.New("loadgen: the parent has ended")

// Child does not return in a process that Run has started: it serves orders until
// its input ends. Elsewhere it does nothing. A program that calls Run must begin
// with it.
func Child() {
	if os.Getenv(childVariable) == "" {
		return
	}
	runtime.LockOSThread()
	if err := serve(os.Stdin, os.Stdout); err != nil && !errors.Is(err, errParentGone) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child is a process with a fleet.
type child struct {
	setup
	fleet  *fleet.Fleet
	ledger *ledger
	mine   *column // of the ledger
	orders chan order
	next   *order         // one that came while a phase ran
	used   syscall.Rusage // at opReset
	begin  time.Duration
	sent   uint32 // messages when the phase began
}

func serve(in io.Reader, out io.Writer) error {
	c := &child{orders: make(chan order)}
	go c.listen(in)
	for enc := json.NewEncoder(out); ; {
		o, err := c.await()
		if err != nil {
			return err
		}
		a, err := c.do(o)
		if errors.Is(err, errParentGone) {
			return err
		}
		if err != nil {
			a.Err = err.Error()
		}
		if err := enc.Encode(a); err != nil {
			return err
		}
	}
}

// listen passes the parent's lines on; it ends when those do.
func (c *child) listen(in io.Reader) {
	defer close(c.orders)
	for dec := json.NewDecoder(in); ; {
		var o order
		if dec.Decode(&o) != nil {
			return
		}
		c.orders <- o
	}
}

// await returns the next order; meanwhile heartbeats are answered.
func (c *child) await() (order, error) {
	for c.fleet != nil && c.fleet.Joined > 0 && !c.ordered() {
		if err := c.doze(fleet.Now() + idleNap); err != nil {
			return order{}, err
		}
	}
	if c.next != nil {
		o := *c.next
		c.next = nil
		return o, nil
	}
	o, ok := <-c.orders
	if !ok {
		return order{}, errParentGone
	}
	return o, nil
}

// doze is a turn where only heartbeats come.
func (c *child) doze(until time.Duration) error {
	if err := c.fleet.Turn(until); err != nil {
		return err
	}
	if c.Plan.PollInterval > 0 {
		time.Sleep(min(idleNap, until-fleet.Now()))
	}
	return nil
}

// ordered reports whether there is an order, or never will be.
func (c *child) ordered() bool {
	if c.next != nil {
		return true
	}
	select {
	case o, ok := <-c.orders:
		if ok {
			c.next = &o
		}
		return true
	default:
		return false
	}
}

// check is called with every turn of a phase: it keeps the ledger and notices that
// the parent has ended.
func (c *child) check() error {
	c.mine.delivered.Store(c.fleet.Tally.Delivered)
	c.mine.open.Store(uint64(c.fleet.Joined + c.fleet.Asleep))
	if c.ordered() && c.next == nil {
		return errParentGone
	}
	return nil
}

// turn is one turn of a phase.
func (c *child) turn(until time.Duration) error {
	if err := c.fleet.Turn(until); err != nil {
		return err
	}
	return c.check()
}

func (c *child) do(o order) (a answer, err error) {
	switch o.Op {
	case opSetup:
		err = c.start(*o.Setup)
	case opOpen:
		c.reset()
		if err = c.fleet.Open(o.Rate, c.check); err == nil {
			a = c.answer(uint64(c.N))
			a.Delivered = uint64(c.fleet.Joined + c.fleet.Asleep)
		}
	case opClose:
		c.fleet.Close()
	case opReset:
		c.reset()
	case opBroadcast:
		a, err = c.broadcast(o)
	case opEcho:
		a, err = c.echo(o)
	case opHold:
		a, err = c.hold(o)
	case opDrain:
		a, err = c.drain()
	case opPing:
		a, err = c.ping()
	}
	return a, err
}

func (c *child) start(s setup) (err error) {
	c.setup = s
	if s.Bystander {
		urgent()
	}
	if c.ledger, err = openLedger(os.NewFile(ledgerDescriptor, "ledger"), s.Children, s.Plan.Processes); err != nil {
		return err
	}
	c.mine = &c.ledger.columns[s.Index]
	c.fleet, err = fleet.New(s.options())
	return err
}

// options are the fleet's.
func (s *setup) options() fleet.Options {
	o := fleet.Options{
		Dialect: s.Plan.Dialect, First: s.First, N: s.N, Payload: s.Plan.Payload, Hears: fleet.Broadcasts,
		Poll: s.Plan.PollInterval, Concurrency: s.Plan.Concurrency, Stall: s.Plan.Stall,
	}
	o.Sources, _ = fleet.ParseSources(s.Plan.Sources) // Complete has checked it
	for _, u := range s.Plan.URL {
		o.Servers = append(o.Servers, strings.TrimPrefix(u, "ws://"))
	}
	if s.Plan.Scenario == "echo" || s.Bystander {
		o.Hears = fleet.Echoes
	}
	if s.Bystander {
		o.Poll = 0
	} else if s.Plan.Scenario == "slow" {
		o.Slow = s.Plan.isSlow
	}
	return o
}

// isSlow spreads the connections that do not read evenly over those that do not
// send.
func (p *Plan) isSlow(index int) bool {
	slow, senders := p.Slow.Of(p.Connections), len(p.URL)
	i, of := index-senders, p.Connections-senders
	return i >= 0 && i*slow/of != (i+1)*slow/of
}

// reset begins a phase: from here on is counted.
func (c *child) reset() {
	c.fleet.Reset()
	c.fleet.Echoed()
	c.mine.delivered.Store(0)
	c.sent = c.ledger.head.sent.Load()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &c.used)
	c.begin = fleet.Now()
}

// answer says what came since reset.
func (c *child) answer(expected uint64) answer {
	var now syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &now)
	rss, _ := report.Process(os.Getpid()).RSS()
	t := &c.fleet.Tally
	return answer{
		Counts: t.Counts, Expected: expected, Heard: t.Heard, Begin: c.begin, End: t.LastHeard,
		User: since(c.used.Utime, now.Utime), System: since(c.used.Stime, now.Stime), RSS: rss,
		Closed: t.Closed, Reason: t.Reason, SlowClosed: c.fleet.SlowClosed,
	}
}

func since(a, b syscall.Timeval) time.Duration { return time.Duration(b.Nano() - a.Nano()) }
