package run

import (
	"fmt"

	"github.com/fanfare-go/fanfare/bench/report"
)

// broadcast: everybody hears what one says.
func (r *run) broadcast() error {
	r.result.Payload, r.result.Backlog = r.Payload, r.Backlog
	if err := r.open(); err != nil {
		return err
	}
	if r.Warmup > 0 {
		if err := r.warm(r.next(order{Rounds: r.Warmup})); err != nil {
			return err
		}
	}
	ping, err := r.ping()
	if err != nil {
		return err
	}
	err = r.measure(r.next(order{Rounds: r.Rounds, Duration: r.Duration, Rate: r.Rate}))
	if err != nil {
		return err // dismissing the crew ends the bystander
	}
	r.result.Bystander, err = ping()
	return err
}

// next makes o the next phase of broadcasts.
func (r *run) next(o order) order {
	r.phase++
	o.Op, o.Phase = opBroadcast, r.phase
	return o
}

// ping starts the bystander, if there is one; what it returns stops it.
func (r *run) ping() (stop func() (*report.Latency, error), err error) {
	b := r.crew.bystander
	if b == nil {
		return func() (*report.Latency, error) { return nil, nil }, nil
	}
	if err := b.tell(order{Op: opPing}); err != nil {
		return nil, err
	}
	return func() (*report.Latency, error) {
		if err := b.tell(order{Op: opReset}); err != nil {
			return nil, err
		}
		a, err := b.hear()
		if err != nil {
			return nil, err
		}
		if a.Delivered != a.Expected {
			return nil, fmt.Errorf("loadgen: the bystander has %d answers of %d; %s", a.Delivered, a.Expected, a.Reason)
		}
		_, err = b.hear() // to opReset
		return a.Heard.Latency(), err
	}, nil
}

// slow: broadcast, while some connections do not read. Then those are read again,
// to see which of them the server has closed.
func (r *run) slow() error {
	if err := r.broadcast(); err != nil {
		return err
	}
	t, err := r.crew.all(order{Op: opDrain})
	if err != nil {
		return err
	}
	r.result.Slow = &report.Slow{Connections: r.Slow.Of(r.Connections), Closed: t.SlowClosed}
	return nil
}

// echo: round trips.
func (r *run) echo() error {
	r.result.Payload = r.Payload
	if err := r.open(); err != nil {
		return err
	}
	if r.Warmup > 0 {
		if err := r.warm(order{Op: opEcho, Rounds: r.Warmup}); err != nil {
			return err
		}
	}
	return r.measure(order{Op: opEcho, Rounds: r.Rounds, Duration: r.Duration, Rate: r.Rate / float64(r.Processes)})
}

// connect: storms of handshakes. Closing is not measured.
func (r *run) connect() error {
	storm := order{Op: opOpen, Rate: r.Rate / float64(r.Processes)}
	for i := range r.Warmup + r.Rounds {
		do := r.measure
		if i < r.Warmup {
			do = r.warm
		}
		if err := do(storm); err != nil {
			return err
		}
		if _, err := r.crew.all(order{Op: opClose}); err != nil {
			return err
		}
		if err := r.meter.settle(); err != nil {
			return err
		}
	}
	return nil
}

// idle: connections that only answer heartbeats.
func (r *run) idle() error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.measure(order{Op: opHold, Duration: r.Duration}); err != nil {
		return err
	}
	kernel, err := kernelMemory()
	if err != nil {
		return err
	}
	rss, err := r.meter.rss()
	if err != nil {
		return fmt.Errorf("loadgen: the server's memory: %w", err)
	}
	n := float64(r.Connections)
	r.result.Memory = &report.Memory{RSS: float64(rss-r.meter.rssBefore) / n, Kernel: float64(kernel-r.kernel) / n}
	return nil
}
