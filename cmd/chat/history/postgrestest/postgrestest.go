// Package postgrestest runs a real Postgres for tests: a cluster of its own in a temporary
// folder, on a free port of the loopback, which a test may stop, kill and start again.
//
//	db := postgrestest.Start(t) // skips where there is no Postgres, fails where CI=true
//	use(db.URL)
//	db.Kill()  // as kill -9 does
//	db.Start() // on the same port
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a start may take. It is long because machines that run tests are busy.
const patience = 60 * time.Second

// Server is a Postgres. Its methods are for the goroutine of the test.
type Server struct {
	// URL of its database, which is empty at first, for a user who may do everything.
	URL string

	t      testing.TB
	bin    string
	folder string
	port   string
	owner  *syscall.SysProcAttr // whom it runs as: Postgres refuses to be root
	cmd    *exec.Cmd            // nil while it is stopped
	ended  <-chan struct{}      // closed when cmd has ended
	log    bytes.Buffer         // to be read when it has ended
}

// Start makes a database and runs it until the test ends. It takes about two seconds.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, bin: binaries(t), owner: &syscall.SysProcAttr{}}
	var err error
	if s.folder, err = os.MkdirTemp("", "postgres"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.folder) })
	s.giveUpRoot()
	s.run("initdb", "--pgdata="+s.data(), "--username=fanfare", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// binaries returns the folder with Postgres' programs; Debian keeps them out of PATH.
func binaries(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no Postgres (Debian package postgresql)")
		}
		t.Skip("there is no Postgres (Debian package postgresql)")
	}
	return filepath.Dir(slices.Max(found))
}

// giveUpRoot has Postgres run as its own user, or nobody, where the test is root's.
func (s *Server) giveUpRoot() {
	s.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	s.owner.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(s.folder, int(uid), int(gid)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir = s.owner, s.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return cmd
}

func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Start runs it again after Stop or Kill, and returns when it answers.
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
			s.t.Fatalf("Postgres does not start: %v\n%s", err, &s.log)
		}
	}
}

// launch tries to run it. At the first time it takes a free port; that one may be
// somebody else's by the time Postgres listens.
func (s *Server) launch() error {
	fresh := s.port == ""
	if fresh {
		s.port = freePort(s.t)
	}
	s.log.Reset()
	cmd := s.command("postgres", "-D", s.data(), "-p", s.port, "-k", s.folder,
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=50", "-c", "shared_buffers=32MB")
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // its log says why it ended
	s.URL = fmt.Sprintf("postgres://fanfare@127.0.0.1:%s/postgres?sslmode=disable", s.port)
	if err := s.answers(ended); err != nil {
		_ = cmd.Process.Kill()
		<-ended
		if fresh {
			s.port = ""
		}
		return err
	}
	s.cmd, s.ended = cmd, ended
	return nil
}

// answers waits until it takes connections.
func (s *Server) answers(ended <-chan struct{}) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		c, err := pgx.Connect(ctx, s.URL)
		if err == nil {
			err = c.Close(ctx)
		}
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("it ended at once")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("it does not answer")
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Stop ends it as an administrator in a hurry does: sessions are cut, data is written.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

// Kill ends it as a crash does, so that the next start begins with a recovery.
func (s *Server) Kill() {
	// SIGQUIT has the whole family end without writing anything; kill -9 of the parent
	// would leave its children to end in their own time.
	s.end(syscall.SIGQUIT)
}

// Pause has nobody answer any more, while connections stay open: a host that hangs.
func (s *Server) Pause() { s.family(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.family(syscall.SIGCONT) }

// family signals the process and its children, which are sessions of their own.
func (s *Server) family(how syscall.Signal) {
	s.t.Helper()
	pid := s.cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, child := range append([]string{strconv.Itoa(pid)}, strings.Fields(string(children))...) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, how) // it may have ended meanwhile
		}
	}
}

func (s *Server) end(how syscall.Signal) {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(how) // it may have ended already
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.t.Errorf("Postgres did not end:\n%s", &s.log)
	}
	s.cmd = nil
}
