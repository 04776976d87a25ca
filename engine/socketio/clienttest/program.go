package clienttest

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// Program is a Node process of a test's own that answers lines of JSON, as testdata/node/lines.mjs of this package has
// it. Its methods are safe for concurrent use.
type Program struct {
	process *process
}

// StartProgram runs a script until the test ends, where Node and its packages are installed; otherwise it is as Start.
func StartProgram(t testing.TB, script string) *Program {
	t.Helper()
	node, _ := nodeFor(t)
	return StartCommand(t, exec.Command(node, script))
}

// StartCommand is StartProgram for any command that speaks so.
func StartCommand(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	p, err := startProcess(cmd)
	if err != nil {
		t.Fatalf("starting %s: %v", cmd, err)
	}
	t.Cleanup(func() { p.stop(t) })
	return &Program{process: p}
}

// Ask has the command done and decodes its result, which may be nil. fields are the request's own, beside "id", "cmd"
// and "timeout".
func (p *Program) Ask(t testing.TB, result any, cmd string, fields map[string]any) {
	t.Helper()
	p.process.ask(t, result, cmd, fields)
}

// Kill ends the process at once, as kill -9 does; whoever waits for an answer gets an error.
func (p *Program) Kill() { _ = p.process.cmd.Process.Kill() }

// PID returns the number of the process.
func (p *Program) PID() int { return p.process.cmd.Process.Pid }

// Alive reports whether the process still answers.
func (p *Program) Alive() bool {
	p.process.mu.Lock()
	defer p.process.mu.Unlock()
	return !p.process.gone
}

// Try is Ask for a command that may fail.
func (p *Program) Try(result any, cmd string, fields map[string]any) error {
	raw, err := p.process.call(cmd, fields)
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(raw, result)
}
