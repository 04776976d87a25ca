package run

import "time"

// pace says when the next unit of a phase is due: at once when the last is done
// (closed loop), or at its place on a grid that takes no notice of the server (open
// loop), from which lateness is counted.
type pace struct {
	begin  time.Duration
	period float64       // ns between two; 0 is closed loop
	end    time.Duration // none begins then; 0 where most decides
	most   uint64        // how many there are; 0 where end decides
	begun  uint64
}

func newPace(now time.Duration, o order, unitsPerRound int) pace {
	p := pace{begin: now, most: uint64(o.Rounds * unitsPerRound)}
	if o.Duration > 0 {
		p.end = now + o.Duration
	}
	if o.Rate > 0 {
		p.period = 1e9 / o.Rate
	}
	return p
}

func (p *pace) open() bool { return p.period > 0 }

// due is when the next unit was or will be due.
func (p *pace) due(now time.Duration) time.Duration {
	if p.open() {
		return p.begin + time.Duration(float64(p.begun)*p.period)
	}
	return now
}

// over reports that no unit will begin any more. What was due before the end of an
// open loop's time is still begun after it.
func (p *pace) over(now time.Duration) bool {
	if p.most > 0 {
		return p.begun >= p.most
	}
	return p.due(now) >= p.end
}

// patience ends a phase in which nothing arrives any more although something should.
type patience struct {
	limit    time.Duration
	progress uint64
	since    time.Duration
}

func (p *patience) lost(now time.Duration, waiting bool, progress uint64) bool {
	if !waiting || progress != p.progress || p.since == 0 {
		p.progress, p.since = progress, now
	}
	return now-p.since > p.limit
}
