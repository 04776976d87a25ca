package run

import (
	"errors"
	"time"

	"github.com/fanfare-go/fanfare/bench/loadgen/fleet"
)

const (
	// turnAtMost is how long one turn of a phase may rest.
	turnAtMost = 100 * time.Millisecond
	// pingEvery is how often the bystander asks.
	pingEvery = 5 * time.Millisecond
	// drainQuiet is how long nothing must have come from any of the connections that
	// are read again before those still open count as open.
	drainQuiet = time.Second
)

// broadcast receives until the phase has ended; the first child is the one that
// sends, and ends it.
func (c *child) broadcast(o order) (answer, error) {
	if c.Index == 0 {
		if err := c.conduct(o); err != nil {
			return answer{}, err
		}
	}
	for c.ledger.head.ended.Load() < o.Phase {
		if err := c.turn(fleet.Now() + turnAtMost); err != nil {
			return answer{}, err
		}
	}
	end := c.ledger.head.sent.Load()
	reading := uint64(c.N - c.slow())
	a := c.answer(reading * uint64(end-c.sent))
	a.Lost = c.fleet.Lost(end)
	return a, nil
}

// conduct sends batches, from the first connection to each server, until the phase is
// over and all children have everything, or nothing comes any more.
func (c *child) conduct(o order) error {
	now := fleet.Now()
	c.begin = now
	p, quiet := newPace(now, o, 1), patience{limit: c.Plan.Stall}
	number, backlog := c.sent, c.Plan.Backlog
	for {
		complete := c.ledger.delivered() >= c.Plan.reading()*uint64(number-c.sent)
		if p.over(now) && complete || quiet.lost(now, !complete, c.ledger.delivered()) || c.fleet.Joined == 0 {
			break
		}
		for !p.over(now) && (complete || p.open()) && p.due(now) <= now {
			for i := range c.Plan.senders() {
				c.fleet.Broadcast(i, number, backlog, p.due(now))
			}
			number, complete = number+uint32(backlog), false
			p.begun++
		}
		until := now + turnAtMost
		if p.open() && !p.over(now) {
			until = min(until, p.due(now))
		}
		if err := c.turn(until); err != nil {
			return err
		}
		now = fleet.Now()
	}
	c.ledger.head.sent.Store(number)
	c.ledger.head.ended.Store(o.Phase)
	return nil
}

// senders is how many connections send each broadcast, one for each server that
// would not hear of it otherwise.
func (p *Plan) senders() int {
	if p.Cluster {
		return 1
	}
	return len(p.URL)
}

// reading is how many connections receive.
func (p *Plan) reading() uint64 { return uint64(p.Connections - p.Slow.Of(p.Connections)) }

// slow is how many of this child's connections do not read.
func (c *child) slow() (n int) {
	for i := c.First; i < c.First+c.N && c.Plan.Scenario == "slow"; i++ {
		if c.Plan.isSlow(i) {
			n++
		}
	}
	return n
}

// echo keeps as many round trips under way as this child's share allows.
func (c *child) echo(o order) (answer, error) {
	now := fleet.Now()
	c.begin = now
	p, quiet := newPace(now, o, c.N), patience{limit: c.Plan.Stall}
	under := 0
	for !p.over(now) || under > 0 {
		for under < c.Inflight && !p.over(now) && p.due(now) <= now && c.fleet.Echo(p.due(now)) {
			p.begun++
			under++
		}
		until := now + turnAtMost
		if p.open() && !p.over(now) && under < c.Inflight {
			until = min(until, p.due(now))
		}
		if err := c.turn(until); err != nil {
			return answer{}, err
		}
		now = fleet.Now()
		under -= c.fleet.Echoed()
		if quiet.lost(now, under > 0, c.fleet.Tally.Delivered) || c.fleet.Joined == 0 {
			break
		}
	}
	a := c.answer(p.begun)
	a.Lost = p.begun - a.Delivered
	return a, nil
}

// hold keeps the connections open; what is delivered is a connection that stays.
func (c *child) hold(o order) (answer, error) {
	begin := fleet.Now()
	for now := begin; now < begin+o.Duration; now = fleet.Now() {
		if err := errors.Join(c.doze(begin+o.Duration), c.check()); err != nil {
			return answer{}, err
		}
	}
	a := c.answer(uint64(c.N))
	a.Delivered, a.Begin, a.End = uint64(c.fleet.Joined), begin, fleet.Now()
	a.Lost = a.Expected - a.Delivered
	return a, nil
}

// drain reads again what was not read, to find which connections end.
func (c *child) drain() (answer, error) {
	c.fleet.Wake()
	for quiet := fleet.Now(); fleet.Now()-quiet < drainQuiet && c.fleet.Asleep > 0; {
		before := c.fleet.Drained
		if err := c.turn(fleet.Now() + turnAtMost); err != nil {
			return answer{}, err
		}
		if c.fleet.Drained != before {
			quiet = fleet.Now()
		}
	}
	return c.answer(0), nil
}

// ping does a round trip every few ms, one at a time, until an order comes. One that
// had to wait for the last counts from when it was due.
func (c *child) ping() (answer, error) {
	c.reset()
	p, quiet := newPace(fleet.Now(), order{Duration: 1 << 62, Rate: float64(time.Second / pingEvery)}, 1), patience{limit: c.Plan.Stall}
	for under := 0; under > 0 || !c.ordered(); under -= c.fleet.Echoed() {
		now := fleet.Now()
		if under == 0 && p.due(now) <= now && !c.ordered() && c.fleet.Echo(p.due(now)) {
			p.begun++
			under++
		}
		until := now + turnAtMost
		if under == 0 {
			until = p.due(now)
		}
		if err := c.turn(until); err != nil {
			return answer{}, err
		}
		if c.fleet.Joined == 0 || quiet.lost(now, under > 0, c.fleet.Tally.Delivered) {
			break
		}
	}
	return c.answer(p.begun), nil
}
