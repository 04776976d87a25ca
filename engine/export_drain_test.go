package engine

import "time"

// Pace is the pace of Empty.
type Pace struct{ p pace }

// NewPace begins at now.
func NewPace(total int, over time.Duration, now time.Time) *Pace {
	return &Pace{pace{total: total, over: over, last: now}}
}

// Advance returns how many are to be done by now.
func (p *Pace) Advance(now time.Time) int { return p.p.advance(now) }
