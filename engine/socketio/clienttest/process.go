package clienttest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// install is the command that brings the node packages, as the skip message names it.
const install = "npm ci --prefix engine/socketio/clienttest/testdata/node"

// patience is how long a command may take inside the Node process. It is long because the race detector, 1,000 clients
// and two cores are slow together; nothing ever waits for it to pass when all is well.
const patience = 60 * time.Second

// grace is added to patience on the Go side, so that Node's own, more telling, message comes first.
const grace = 5 * time.Second

var errGone = errors.New("clienttest: the node process has ended")

// process is one Node process that answers lines of JSON. Calls are safe for concurrent use.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when standard output is at its end

	mu      sync.Mutex
	last    int                 // guarded by mu
	waiting map[int]chan answer // guarded by mu
	gone    bool                // guarded by mu: nobody will answer any more
}

type answer struct {
	ID     int             `json:"id"`
	OK     bool            `json:"ok"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// startNode runs a script of testdata/node until the test ends, and skips the test where that cannot be done.
func startNode(t testing.TB, script string) *process {
	t.Helper()
	node, folder := nodeFor(t)
	p, err := startProcess(exec.Command(node, filepath.Join(folder, script)))
	if err != nil {
		t.Fatalf("starting %s: %v", script, err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

// nodeFor finds Node and testdata/node with its packages, and skips the test where something is missing.
func nodeFor(t testing.TB) (node, folder string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		Unavailable(t, "node is not installed: install version 18 or newer, then run `"+install+"`")
	}
	folder = nodeFolder(t)
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "socket.io-client-4.8")); err != nil {
		Unavailable(t, "the node packages are missing: run `"+install+"`")
	}
	return node, folder
}

// Unavailable skips the test with the reason, or fails it where the clients are known to be installed.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// nodeFolder finds testdata/node from wherever in the repository the test runs, in whichever of its modules.
func nodeFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		node := filepath.Join(folder, "engine", "socketio", "clienttest", "testdata", "node")
		if _, err := os.Stat(filepath.Join(node, "package.json")); err == nil {
			return node
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("clienttest: the working directory is not in the repository")
		}
		folder = parent
	}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{}), waiting: map[int]chan answer{}}
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(stdout)
	return p, nil
}

// read hands each answer to the call that waits for it.
func (p *process) read(stdout io.Reader) {
	defer close(p.ended)
	defer p.abandon()
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			fmt.Fprintf(os.Stderr, "clienttest: not an answer: %s", line)
			continue
		}
		if wait := p.take(a.ID); wait != nil {
			wait <- a
		}
	}
}

func (p *process) take(id int) chan answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := p.waiting[id]
	delete(p.waiting, id)
	return wait
}

// abandon ends all calls that nobody will answer.
func (p *process) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for _, wait := range p.waiting {
		wait <- answer{Error: errGone.Error()}
	}
	clear(p.waiting)
}

// ask calls the process and fails the test on an error. result may be nil.
func (p *process) ask(t testing.TB, result any, cmd string, fields map[string]any) {
	t.Helper()
	raw, err := p.call(cmd, fields)
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(raw, result); err != nil {
		t.Fatalf("%s: reading the answer %.200s: %v", cmd, raw, err)
	}
}

// call sends one request and waits for its answer. fields are the request's own, beside "id" and "cmd".
func (p *process) call(cmd string, fields map[string]any) (json.RawMessage, error) {
	id, wait := p.enlist()
	if wait == nil {
		return nil, errGone
	}
	request := map[string]any{"id": id, "cmd": cmd, "timeout": patience.Milliseconds()}
	for key, value := range fields {
		request[key] = value
	}
	line, err := json.Marshal(request)
	if err != nil {
		p.take(id)
		return nil, err
	}
	if err := p.write(append(line, '\n')); err != nil {
		p.take(id)
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	return await(wait)
}

func (p *process) enlist() (int, chan answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, nil
	}
	p.last++
	wait := make(chan answer, 1)
	p.waiting[p.last] = wait
	return p.last, wait
}

// write keeps lines whole: a pipe may take a long one in parts.
func (p *process) write(line []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.stdin.Write(line)
	return err
}

func await(wait chan answer) (json.RawMessage, error) {
	timer := time.NewTimer(patience + grace)
	defer timer.Stop()
	select {
	case a := <-wait:
		if !a.OK {
			return nil, errors.New(a.Error)
		}
		return a.Result, nil
	case <-timer.C:
		return nil, fmt.Errorf("clienttest: the node process did not answer within %s", patience+grace)
	}
}

// stop closes standard input, on which the process ends by itself.
func (p *process) stop(t testing.TB) {
	_ = p.stdin.Close()
	timer := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	<-p.ended
	if err := p.cmd.Wait(); err != nil && !strings.Contains(err.Error(), "signal") {
		t.Errorf("the node process ended badly: %v", err)
	}
}
