package swarm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// childVariable marks the process that is to be the swarm.
const childVariable = "FANFARE_BENCH_SWARM"

// Kind is what a client of the swarm opens.
type Kind string

// The kinds of clients.
const (
	WebSocket Kind = "websocket" // a Socket.IO socket over WebSocket
	HeldPoll  Kind = "polling"   // a Socket.IO socket whose poll the server holds
)

// order is one line from the benchmark; answer is the line back.
type order struct {
	Op   string `json:"op"` // open, count or close
	Kind Kind   `json:"kind,omitempty"`
	Addr string `json:"addr,omitempty"`
	N    int    `json:"n,omitempty"`
}

type answer struct {
	Bytes uint64 `json:"bytes"`
	Err   string `json:"err,omitempty"`
}

// Swarm is the benchmark's side. Not safe for concurrent use.
type Swarm struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts this very program again as the swarm; its main function (or
// TestMain) must begin with Main.
func Start() (*Swarm, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &Swarm{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

// Open connects n clients of a kind and returns when all are connected.
func (s *Swarm) Open(k Kind, addr string, n int) error {
	_, err := s.ask(order{Op: "open", Kind: k, Addr: addr, N: n})
	return err
}

// Bytes is how many bytes the clients have received since they were connected.
func (s *Swarm) Bytes() (uint64, error) { return s.ask(order{Op: "count"}) }

// Close ends the swarm's connections and its process.
func (s *Swarm) Close() error {
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

func (s *Swarm) ask(o order) (uint64, error) {
	if err := json.NewEncoder(s.in).Encode(o); err != nil {
		return 0, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return 0, fmt.Errorf("swarm: no answer: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return 0, err
	}
	if a.Err != "" {
		return 0, errors.New("swarm: " + a.Err)
	}
	return a.Bytes, nil
}

// Main is the swarm, in the process that Start started: it serves orders until its
// input ends, and does not return. Elsewhere it does nothing.
func Main() {
	if os.Getenv(childVariable) == "" {
		return
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "swarm:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(in io.Reader, out io.Writer) error {
	c, err := newClients()
	if err != nil {
		return err
	}
	go c.drain()
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var a answer
		if o.Op == "open" {
			if err := c.open(o); err != nil {
				a.Err = err.Error()
			}
		}
		a.Bytes = c.bytes.Load()
		if err := enc.Encode(a); err != nil {
			return err
		}
	}
}
