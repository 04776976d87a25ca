package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// roleVariable tells a process of this program that it is a child, and which.
const roleVariable = "FANFARE_BENCH_SCALE"

// becomeChild turns the process into a child and does not return, if that is what it
// was started as. Children end when their input does, which it also does when the
// parent dies, however.
func becomeChild() {
	role := os.Getenv(roleVariable)
	if role == "" {
		return
	}
	var err error
	switch role {
	case "server":
		err = beServer(os.Stdin, os.Stdout)
	case "client":
		err = beClient(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("%s=%s is no role", roleVariable, role)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "scale: %s: %v\n", role, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child is a process of this program. One goroutine at a time may ask it.
type child struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// childPatience is how long a child may take to end once its input has.
const childPatience = 15 * time.Second

// startChild starts this program again in a role. When ctx is done the child's input
// is closed, and a while later the child killed.
func startChild(ctx context.Context, role, name string, cpus []int, env ...string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(append(os.Environ(), roleVariable+"="+role), env...)
	cmd.Stderr = os.Stderr
	c := &child{name: name, cmd: cmd}
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	cmd.Cancel, cmd.WaitDelay = c.in.Close, childPatience
	if err := pinned(cpus, cmd.Start); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return c, nil
}

func (c *child) process() report.Process { return report.Process(c.cmd.Process.Pid) }

// stop ends the child and waits for it.
func (c *child) stop() error {
	_ = c.in.Close()
	if err := c.cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// line reads a line that the child says by itself.
func (c *child) line() (string, error) {
	s, err := c.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s ended", c.name)
	}
	return s, nil
}

// ask sends one order and reads the answer.
func (c *child) ask(o order) (answer, error) {
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		return answer{}, fmt.Errorf("%s ended", c.name)
	}
	s, err := c.line()
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal([]byte(s), &a); err != nil {
		return answer{}, fmt.Errorf("%s answered %q: %w", c.name, s, err)
	}
	if a.Err != "" {
		return a, fmt.Errorf("%s: %s", c.name, a.Err)
	}
	return a, nil
}

// order is one line to a child. A server knows memory, gather and bytes; a client open,
// broadcast and count.
type order struct {
	Op       string        `json:"op"`
	Addr     string        `json:"addr,omitempty"`    // open: whom to connect to
	N        int           `json:"n,omitempty"`       // open: how many connections
	Dialing  int           `json:"dialing,omitempty"` // open: handshakes under way at a time
	Payload  int           `json:"payload,omitempty"` // broadcast: bytes of text
	At       int64         `json:"at,omitempty"`      // broadcast: when, in ns since 1970; at once where it is 0
	Others   bool          `json:"others,omitempty"`  // broadcast: another client does
	Patience time.Duration `json:"patience,omitempty"`
}

// answer is the line back.
type answer struct {
	Err     string          `json:"err,omitempty"`
	Heap    int64           `json:"heap,omitempty"`    // server: bytes in use after a collection
	Bytes   uint64          `json:"bytes,omitempty"`   // server: sent to others
	Open    int             `json:"open,omitempty"`    // connections
	Counts  report.Count    `json:"counts,omitzero"`   // client: of all rounds
	Latency *report.Latency `json:"latency,omitempty"` // client: of all rounds
	Pings   uint64          `json:"pings,omitempty"`   // client: heartbeats answered
}

// obey answers orders until the input ends.
func obey(in io.Reader, out io.Writer, do func(order) (answer, error)) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := do(o)
		if err != nil {
			a.Err = err.Error()
		}
		if err := enc.Encode(a); err != nil {
			return err
		}
	}
}
