package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// crew is the parent's side of its children.
type crew struct {
	plan      *Plan
	ledger    *ledger
	workers   []*worker
	bystander *worker // nil without one
}

// worker is one child.
type worker struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	enc  *json.Encoder
	dec  *json.Decoder
}

// hire starts the children and tells each who it is.
func hire(p *Plan) (c *crew, err error) {
	c = &crew{plan: p}
	children := p.Processes
	if p.Bystander {
		children++
	}
	l, file, err := newLedger(children, p.Processes)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // the children have it
	c.ledger = l
	for i := range children {
		w, err := startWorker(fmt.Sprintf("client process %d", i), file)
		if err != nil {
			return nil, errors.Join(err, c.dismiss())
		}
		if i < p.Processes {
			c.workers = append(c.workers, w)
		} else {
			w.name, c.bystander = "bystander", w
		}
		if _, err := w.ask(order{Op: opSetup, Setup: p.setup(i, children)}); err != nil {
			return nil, errors.Join(err, c.dismiss())
		}
	}
	return c, nil
}

// setup divides connections and round trips among the children; one more is the
// bystander.
func (p *Plan) setup(i, children int) *setup {
	s := &setup{Plan: p, Index: i, Children: children}
	if i == p.Processes {
		s.First, s.N, s.Bystander = p.Connections, 1, true
		return s
	}
	s.First = p.Connections * i / p.Processes
	s.N = p.Connections*(i+1)/p.Processes - s.First
	s.Inflight = p.Inflight*(i+1)/p.Processes - p.Inflight*i/p.Processes
	return s
}

// startWorker starts this very program again.
func startWorker(name string, ledger *os.File) (*worker, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	cmd := exec.Command(exe)
	// One thread does everything; a second would only look for work.
	cmd.Env = append(os.Environ(), childVariable+"=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{ledger}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	return &worker{name, cmd, in, json.NewEncoder(in), json.NewDecoder(out)}, nil
}

func (w *worker) ask(o order) (*answer, error) {
	if err := w.tell(o); err != nil {
		return nil, err
	}
	return w.hear()
}

func (w *worker) tell(o order) error {
	if err := w.enc.Encode(o); err != nil {
		return fmt.Errorf("loadgen: %s is gone: %w", w.name, err)
	}
	return nil
}

func (w *worker) hear() (*answer, error) {
	a := new(answer)
	if err := w.dec.Decode(a); err != nil {
		return nil, fmt.Errorf("loadgen: %s is gone: %w", w.name, err)
	}
	if a.Err != "" {
		return nil, errors.New(a.Err)
	}
	return a, nil
}

// all gives all workers an order and adds up their answers. The first error ends the
// others, which may be waiting for the one that failed.
func (c *crew) all(o order) (*tally, error) {
	answers, errs := make([]*answer, len(c.workers)), make([]error, len(c.workers))
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for i, w := range c.workers {
		wg.Go(func() {
			if answers[i], errs[i] = w.ask(o); errs[i] != nil {
				once.Do(func() {
					first = errs[i]
					c.close()
				})
			}
		})
	}
	wg.Wait()
	if first != nil {
		return nil, first
	}
	return sum(answers), nil
}

// close tells the children that there will be no more orders, which ends them.
func (c *crew) close() {
	for _, w := range c.workers {
		_ = w.in.Close()
	}
	if c.bystander != nil {
		_ = c.bystander.in.Close()
	}
}

// dismiss ends the children and waits for them.
func (c *crew) dismiss() (err error) {
	c.close()
	workers := c.workers
	if c.bystander != nil {
		workers = append(workers, c.bystander)
	}
	for _, w := range workers {
		if e := w.cmd.Wait(); e != nil {
			err = errors.Join(err, fmt.Errorf("loadgen: %s: %w", w.name, e))
		}
	}
	return errors.Join(err, c.ledger.close())
}

// tally is the children's answers together.
type tally struct {
	answer
	cpu float64 // seconds
}

func sum(answers []*answer) *tally {
	t := &tally{answer: *answers[0]}
	for _, a := range answers[1:] {
		t.add(a)
	}
	t.cpu = (t.User + t.System).Seconds()
	return t
}

// add adds what another child, or another round, has to say.
func (t *tally) add(a *answer) {
	t.Delivered += a.Delivered
	t.Doubled += a.Doubled
	t.Disordered += a.Disordered
	t.Expected += a.Expected
	t.Lost += a.Lost
	t.Heard.Merge(&a.Heard)
	t.Begin, t.End = min(t.Begin, a.Begin), max(t.End, a.End)
	t.User += a.User
	t.System += a.System
	t.RSS += a.RSS
	t.Closed += a.Closed
	t.SlowClosed += a.SlowClosed
	if t.Reason == "" {
		t.Reason = a.Reason
	}
}
