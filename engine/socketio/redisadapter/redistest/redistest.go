// Package redistest runs a real Redis for tests: on a free port of the loopback, with a
// folder of its own, which a test may stop, kill and start again, and [Proxy], behind
// which anything can be made to disappear.
//
//	db := redistest.Start(t, redistest.Options{}) // skips where there is no redis-server, fails where CI=true
//	use(db.URL)
//	db.Kill()  // as kill -9 does
//	db.Start() // on the same port
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// patience is how long a start may take. It is long because machines that run tests are busy.
const patience = 30 * time.Second

// Options of a Redis.
type Options struct {
	AOF      bool     // keep what is written over a kill; otherwise nothing is kept
	Password string   // what clients have to show
	Cluster  bool     // a Redis Cluster of this one server, which has all the slots; see StartCluster
	Args     []string // more for redis-server
}

// Server is a Redis. Its methods are for the goroutine of the test.
type Server struct {
	Addr string // host:port
	URL  string // of it, with the password

	t       testing.TB
	options Options
	binary  string
	folder  string
	cmd     *exec.Cmd       // nil while it is stopped
	ended   <-chan struct{} // closed when cmd has ended
	log     bytes.Buffer    // to be read when it has ended
}

// Start runs a Redis until the test ends.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	s := &Server{t: t, options: options, folder: t.TempDir()}
	var err error
	if s.binary, err = exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no redis-server (Debian package redis-server)")
		}
		t.Skip("there is no redis-server (Debian package redis-server)")
	}
	s.Start()
	t.Cleanup(s.Kill)
	if options.Cluster {
		s.join(s, 0, 1)
		s.settle(1)
	}
	return s
}

// Start runs it again after Kill, and returns when it answers.
func (s *Server) Start() {
	s.t.Helper()
	if s.cmd != nil {
		return
	}
	for deadline := time.Now().Add(patience); ; {
		err := s.launch()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redistest: redis-server does not start: %v\n%s", err, &s.log)
		}
	}
}

// launch tries to run it. At the first time it takes a free port; that one may be
// somebody else's by the time Redis listens.
func (s *Server) launch() error {
	addr := s.Addr
	if addr == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		addr = l.Addr().String()
		_ = l.Close()
	}
	_, port, _ := net.SplitHostPort(addr)
	s.log.Reset()
	cmd := exec.Command(s.binary, s.args(port)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.folder, &s.log, &s.log
	cmd.SysProcAttr = dieWithParent()
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // which is the parent; it must last as long
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if answer, err := exchange(addr, s.options.Password, "PING"); err == nil && answer == "PONG" {
			break
		}
		if isClosed(ended) {
			return fmt.Errorf("it ended")
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			<-ended
			return fmt.Errorf("it does not answer")
		}
	}
	s.Addr, s.cmd, s.ended = addr, cmd, ended
	s.URL = "redis://" + addr
	if s.options.Password != "" {
		s.URL = "redis://:" + s.options.Password + "@" + addr
	}
	return nil
}

func (s *Server) args(port string) []string {
	args := []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", s.folder, "--loglevel", "warning"}
	if s.options.AOF {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	}
	if s.options.Password != "" {
		args = append(args, "--requirepass", s.options.Password)
	}
	if s.options.Cluster {
		args = append(args, "--cluster-enabled", "yes")
	}
	return append(args, s.options.Args...)
}

// Kill ends it as kill -9 does.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.cmd = nil
	}
}

// Stop has it stand still, with its connections open, until Continue.
func (s *Server) Stop() { s.signal(syscall.SIGSTOP) }

// Continue ends what Stop has begun.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if s.cmd == nil {
		s.t.Fatal("redistest: it does not run")
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal("redistest:", err)
	}
}

// Command has it do something, and returns the answer as text: an array has a line for
// each of its elements.
func (s *Server) Command(args ...string) string {
	s.t.Helper()
	answer, err := exchange(s.Addr, s.options.Password, args...)
	if err != nil {
		s.t.Fatalf("redistest: %s: %v", args[0], err)
	}
	return answer
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
