package run

import (
	"fmt"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// meter adds up what the server's processes use between begin and end.
type meter struct {
	pids   []report.Process
	before reading
	// CPU in seconds: all of it exact to nanoseconds for threads that live on, and
	// user and system as the kernel's clock tick saw them, which serve for the split.
	exact, user, system float64
	rssBefore           int64
}

type reading struct{ exact, user, system float64 }

// newMeter also notes the server's memory before the first connection.
func newMeter(pids []int) (*meter, error) {
	m := new(meter)
	for _, pid := range pids {
		m.pids = append(m.pids, report.Process(pid))
	}
	var err error
	if m.rssBefore, err = m.rss(); err != nil {
		return nil, fmt.Errorf("loadgen: --server-pid: %w", err)
	}
	_, err = m.read()
	return m, err
}

func (m *meter) begin() (err error) {
	m.before, err = m.read()
	return err
}

func (m *meter) end() error {
	now, err := m.read()
	if err != nil {
		return err
	}
	user, system := now.user-m.before.user, now.system-m.before.system
	exact := now.exact - m.before.exact
	if exact < 0 { // a thread has ended and took its account along
		exact = user + system
	}
	m.user, m.system, m.exact = m.user+user, m.system+system, m.exact+exact
	return nil
}

func (m *meter) read() (r reading, err error) {
	for _, p := range m.pids {
		user, system, err := p.CPU()
		if err != nil {
			return r, fmt.Errorf("loadgen: the server's process %d: %w", p, err)
		}
		exact, err := p.Scheduled()
		if err != nil {
			return r, fmt.Errorf("loadgen: the server's process %d: %w", p, err)
		}
		r = reading{r.exact + exact, r.user + user, r.system + system}
	}
	return r, nil
}

func (m *meter) rss() (sum int64, err error) {
	for _, p := range m.pids {
		rss, err := p.RSS()
		if err != nil {
			return 0, err
		}
		sum += rss
	}
	return sum, nil
}

const (
	// settleWindow is how long the server is watched, calmBelow the share of a CPU
	// below which it is calm, settleAtMost how long it may take to become so.
	settleWindow = 50 * time.Millisecond
	calmBelow    = 0.05
	settleAtMost = 5 * time.Second
)

// settle waits until the server has nothing left to do of what was before: closing
// connections, collecting garbage. Where its processes are not known, it waits for
// one window.
func (m *meter) settle() error {
	for end := time.Now().Add(settleAtMost); time.Now().Before(end); {
		before, err := m.read()
		if err != nil {
			return err
		}
		time.Sleep(settleWindow)
		after, err := m.read()
		if err != nil {
			return err
		}
		if used := after.exact - before.exact; used >= 0 && used < calmBelow*settleWindow.Seconds() {
			return nil
		}
	}
	return nil
}

// usage is the server's, over seconds, for so many units.
func (m *meter) usage(seconds float64, cpus int, units uint64) (report.Usage, error) {
	if len(m.pids) == 0 {
		return report.Usage{}, nil
	}
	rss, err := m.rss()
	if err != nil {
		return report.Usage{}, fmt.Errorf("loadgen: the server's memory: %w", err)
	}
	u := usage(m.exact, m.user, m.system, seconds, cpus, units)
	u.RSS, u.RSSBefore = rss, m.rssBefore
	return u, nil
}

// usage divides the exact CPU time into user and system as the coarse ones are.
func usage(exact, user, system, seconds float64, cpus int, units uint64) report.Usage {
	u := report.Usage{SystemSeconds: exact}
	if user+system > 0 {
		u.UserSeconds = exact * user / (user + system)
		u.SystemSeconds = exact - u.UserSeconds
	}
	if seconds > 0 {
		u.Busy = exact / seconds / float64(cpus)
	}
	if units > 0 {
		u.PerUnit = exact * 1e6 / float64(units)
	}
	return u
}
