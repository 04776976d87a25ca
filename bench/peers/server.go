package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	startTimeout = 20 * time.Second // for a server to listen
	stopTimeout  = 10 * time.Second // and to end, after which it is killed
	anyCPU       = -1
)

// server is a running server under test.
type server struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string // host:port
	ended chan error
}

// start runs a peer's server on one CPU and returns when it listens.
func (b *build) start(p peer, cpu int) (*server, error) {
	cmd := b.command(p)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(cmd, cpu); err != nil {
		return nil, fmt.Errorf("peers: starting %s: %w", p.name, err)
	}
	s := &server{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	if s.addr, err = awaitListening(stdout); err != nil {
		go s.wait(stdout)
		return nil, errors.Join(fmt.Errorf("peers: %s: %w", p.name, err), s.kill())
	}
	go s.wait(stdout)
	return s, nil
}

func (b *build) command(p peer) *exec.Cmd {
	args := append([]string{"-addr", "127.0.0.1:0"}, p.args...)
	if p.name == nodeJS {
		args[0] = "--addr"
		return exec.Command("node", append([]string{filepath.Join(b.module, "servers", "node", "server.js")}, args...)...)
	}
	return exec.Command(filepath.Join(b.folder, p.folder()), args...)
}

// startOn starts a command on a CPU: a child inherits the affinity of the thread
// that starts it, so its first instruction runs there already.
func startOn(cmd *exec.Cmd, cpu int) error {
	if cpu == anyCPU {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, wanted unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	wanted.Set(cpu)
	if err := unix.SchedSetaffinity(0, &wanted); err != nil {
		return fmt.Errorf("CPU %d: %w", cpu, err)
	}
	err := cmd.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// awaitListening reads the one line that a server prints.
func awaitListening(stdout io.Reader) (addr string, err error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(stdout).ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		addr, ok := strings.CutPrefix(strings.TrimSpace(a.line), "listening ")
		if !ok {
			return "", fmt.Errorf("the server said %q instead of where it listens (%v)", a.line, a.err)
		}
		return addr, nil
	case <-time.After(startTimeout):
		return "", fmt.Errorf("the server did not say where it listens within %v", startTimeout)
	}
}

// wait collects the process once it has ended; what it prints is not wanted.
func (s *server) wait(stdout io.Reader) {
	_, _ = io.Copy(io.Discard, stdout)
	s.ended <- s.cmd.Wait()
}

// pid is the process that does the work.
func (s *server) pid() int { return s.cmd.Process.Pid }

// stop ends the server and reports an end that was not as agreed: before it was
// asked to, or not when it was.
func (s *server) stop() error {
	select {
	case err := <-s.ended:
		return fmt.Errorf("peers: the server ended by itself: %v", err)
	default:
	}
	_ = s.stdin.Close()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("peers: the server did not end within %v", stopTimeout), s.kill())
	}
}

// kill ends the process the hard way; its exit status then says nothing.
func (s *server) kill() error {
	err := s.cmd.Process.Kill()
	<-s.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
