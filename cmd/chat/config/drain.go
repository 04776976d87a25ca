package config

import (
	"errors"
	"time"
)

// Drain is how the program stops on SIGTERM: in which steps, and how fast.
type Drain struct {
	DrainDelay      *time.Duration `help:"How long to go on as before once /readyz says no, for the load balancer to notice. Default: 5s where somebody has asked /readyz in the last 30s, else none."`
	DrainOver       time.Duration  `default:"60s" help:"Longest time over which the connected clients are closed, in random order; they connect elsewhere."`
	DrainRate       int            `default:"50" help:"Least clients closed per second: few clients do not take all of --drain-over."`
	ShutdownTimeout time.Duration  `env:"SHUTDOWN_TIMEOUT" default:"10s" help:"How long the rest of a stop may take, after the delay and the draining."`
}

// noticedWithin is how long a balancer takes to see that an instance is not ready: two
// checks of 2 s (HAProxy's default interval) and a little.
const noticedWithin = 5 * time.Second

// Delay is how long to wait for whoever checks readiness; checked reports that
// somebody does.
func (d *Drain) Delay(checked bool) time.Duration {
	switch {
	case d.DrainDelay != nil:
		return *d.DrainDelay
	case checked:
		return noticedWithin
	}
	return 0
}

// Over is how long the closing of that many clients takes. It is never 0, which
// socketio takes for its default.
func (d *Drain) Over(clients int) time.Duration {
	return max(min(d.DrainOver, time.Duration(clients)*time.Second/time.Duration(d.DrainRate)), time.Millisecond)
}

func (d *Drain) validate() error {
	switch {
	case d.DrainDelay != nil && *d.DrainDelay < 0:
		return errors.New("--drain-delay must not be negative; 0s stops at once")
	case d.DrainOver <= 0:
		return errors.New("--drain-over must be more than 0, such as 60s")
	case d.DrainRate <= 0:
		return errors.New("--drain-rate must be at least 1 client per second")
	case d.ShutdownTimeout <= 0:
		return errors.New("--shutdown-timeout must be more than 0, such as 10s")
	}
	return nil
}
