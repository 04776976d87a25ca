package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that is expected to happen. It is long
// because machines that run tests are busy; nothing waits for it to pass.
const patience = 30 * time.Second

// process is the program, running.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   output        // standard output
	log   output        // standard error
	ended chan struct{} // closed when the exit code is known
	url   string        // of the page, without the slash at its end
	admin string        // likewise; empty where it is off
}

// command describes how the program is called. Of the tests' environment it sees
// PATH only.
type command struct {
	env   []string
	limit int // of open descriptors; 0 leaves what the tests have
	args  []string
}

// anywhere lets the program take free ports.
func anywhere(args ...string) command {
	return command{args: append([]string{"--port=0", "--admin=127.0.0.1:0"}, args...)}
}

// start runs the program until the test ends at the latest, and returns when it
// has printed its URLs.
func start(t *testing.T, c command) *process {
	t.Helper()
	p := launch(t, c)
	p.url = p.printed(`(?m)^chat:\s+(https?://\S+)/$`)
	if !slices.Contains(c.args, "--admin=off") {
		p.admin = p.printed(`(?m)^admin:\s+(http://\S+)/$`)
	}
	return p
}

// fail runs the program, which is expected to end by itself, and returns its exit
// code and what it printed.
func fail(t *testing.T, c command) (code int, out, log string) {
	t.Helper()
	p := launch(t, c)
	code = p.wait()
	return code, p.out.String(), p.log.String()
}

func launch(t *testing.T, c command) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, c.args...), ended: make(chan struct{})}
	if c.limit > 0 {
		script := fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, c.limit)
		p.cmd = exec.Command("sh", append([]string{"-c", script, program}, c.args...)...)
	}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.env...)
	p.run()
	return p
}

// run runs the command until the test ends at the latest.
func (p *process) run() {
	p.t.Helper()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit code says it
	}()
	p.t.Cleanup(p.cleanUp)
}

func (p *process) cleanUp() {
	_ = p.cmd.Process.Kill() // has most likely ended by itself
	<-p.ended
	if p.t.Failed() || strings.Contains(p.log.String(), "DATA RACE") {
		p.t.Errorf("the program wrote:\n%s%s", &p.out, &p.log)
	}
}

// printed waits until standard output matches the pattern, and returns its group.
func (p *process) printed(pattern string) string {
	p.t.Helper()
	r := regexp.MustCompile(pattern)
	var found []string
	eventually(p.t, func() error {
		select {
		case <-p.ended:
			p.t.Fatalf("the program ended with exit code %d", p.cmd.ProcessState.ExitCode())
		default:
		}
		if found = r.FindStringSubmatch(p.out.String()); found == nil {
			return errors.New("nothing printed that matches " + pattern)
		}
		return nil
	})
	return found[1]
}

// port of the page and of Socket.IO.
func (p *process) port() string { return p.url[strings.LastIndexByte(p.url, ':')+1:] }

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// wait waits for the end and returns the exit code; -1 where a signal was the end.
func (p *process) wait() int {
	p.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.t.Fatalf("the program did not end within %v", patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends the program as an operator does, and expects a graceful end.
func (p *process) stop(s syscall.Signal) {
	p.t.Helper()
	p.signal(s)
	if code := p.wait(); code != 0 {
		p.t.Fatalf("exit code %d after %v, want 0", code, s)
	}
	if !strings.Contains(p.log.String(), "msg=stopped") {
		p.t.Error("it does not say that it stopped")
	}
}

// output collects what the program writes. Safe for concurrent use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

// Write appends.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

// String returns what was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// eventually asks until the answer is nil, and fails the test with the last answer
// where that takes too long.
func eventually(t *testing.T, ask func() error) {
	t.Helper()
	ticker, timer := time.NewTicker(5*time.Millisecond), time.NewTimer(patience)
	defer ticker.Stop()
	defer timer.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-timer.C:
			t.Fatalf("after %v: %v", patience, err)
		}
	}
}
