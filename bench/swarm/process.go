package swarm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"golang.org/x/sys/unix"
)

// Kind is what a client of the swarm opens.
type Kind string

// The kinds of clients.
const (
	WebSocket Kind = "websocket" // a Socket.IO socket over WebSocket
	Deflate   Kind = "deflate"   // the same with permessage-deflate
	HeldPoll  Kind = "held"      // a Socket.IO socket whose poll the server holds; it polls again after each answer
	Polling   Kind = "polling"   // a Socket.IO socket that posts and then polls, for round trips
	Raw       Kind = "raw"       // a connection with a peer that sends back what it gets
)

// Trips says what round trips the clients are to make, each client one at a time.
type Trips struct {
	N       int           // together; 0 means until Halt
	Request string        // what is sent: the payload of a WebSocket frame, or the body of a POST
	Answer  string        // what an answer must contain
	Every   time.Duration // begin one so often, whether those before have ended or not, for a swarm of one client; 0 means one after the other
}

// order is one line from the benchmark; answer is the line back.
type order struct {
	Op    string `json:"op"` // open, count, expect, trips, halt or drop
	Kind  Kind   `json:"kind,omitempty"`
	Addr  string `json:"addr,omitempty"`
	N     int    `json:"n,omitempty"`
	Times int    `json:"times,omitempty"`
	Trips Trips  `json:"trips,omitzero"`
}

type answer struct {
	Arrived uint64          `json:"arrived"`
	Latency *report.Latency `json:"latency,omitempty"`
	Err     string          `json:"err,omitempty"`
}

// patience is how long the bell may take to ring as often as was asked for.
const patience = time.Minute

// Swarm is the benchmark's side. Not safe for concurrent use.
type Swarm struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	bell *os.File
	one  [1]byte
}

// CPUs are those that swarms may use; nil means the same as their parent. Set it
// before Start.
var CPUs *unix.CPUSet

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
	bell, rope, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rope.Close() }()
	cmd.ExtraFiles = []*os.File{rope}
	return &Swarm{cmd: cmd, in: in, out: bufio.NewReader(out), bell: bell}, startOn(CPUs, cmd)
}

// startOn starts cmd on those CPUs: a child inherits what its parent's thread may
// use.
func startOn(cpus *unix.CPUSet, cmd *exec.Cmd) error {
	if cpus == nil {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		return err
	}
	if err := unix.SchedSetaffinity(0, cpus); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), unix.SchedSetaffinity(0, &own))
}

// Open connects n clients of a kind and returns when all are connected.
func (s *Swarm) Open(k Kind, addr string, n int) error {
	_, err := s.ask(order{Op: "open", Kind: k, Addr: addr, N: n})
	return err
}

// Drop closes all clients.
func (s *Swarm) Drop() error {
	_, err := s.ask(order{Op: "drop"})
	return err
}

// Arrived is what has come since the clients were connected: bytes for WebSocket
// clients, answers for those with a held poll.
func (s *Swarm) Arrived() (uint64, error) {
	a, err := s.ask(order{Op: "count"})
	return a.Arrived, err
}

// Expect has the bell ring when n more have arrived, counted as Arrived does, and
// again after another n, so many times.
func (s *Swarm) Expect(n, times int) error {
	_, err := s.ask(order{Op: "expect", N: n, Times: times})
	return errors.Join(err, s.bell.SetReadDeadline(time.Now().Add(patience)))
}

// Begin has the clients make round trips; the bell rings after the last of them.
func (s *Swarm) Begin(t Trips) error {
	_, err := s.ask(order{Op: "trips", Trips: t})
	return errors.Join(err, s.bell.SetReadDeadline(time.Now().Add(patience)))
}

// Wait waits for the bell. It allocates nothing.
func (s *Swarm) Wait() error {
	_, err := s.bell.Read(s.one[:])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		got, _ := s.Arrived()
		return fmt.Errorf("swarm: not what was expected within %v: %d have arrived", patience, got)
	}
	return err
}

// Halt ends the round trips and says how long they took.
func (s *Swarm) Halt() (*report.Latency, error) {
	a, err := s.ask(order{Op: "halt"})
	return a.Latency, err
}

// Close ends the swarm's connections and its process.
func (s *Swarm) Close() error {
	return errors.Join(s.in.Close(), s.cmd.Wait(), s.bell.Close())
}

func (s *Swarm) ask(o order) (a answer, err error) {
	if err := json.NewEncoder(s.in).Encode(o); err != nil {
		return a, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("swarm: no answer: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Err != "" {
		return a, errors.New("swarm: " + a.Err)
	}
	return a, nil
}
