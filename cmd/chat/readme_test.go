package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// shellBlocks are the commands of a document, block by block.
func shellBlocks(t *testing.T, path string) (blocks []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(read(t, path)), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// The first thing that anybody does: the first command, a first message, Ctrl-C.
func TestTheReadmesFirstRun(t *testing.T) {
	notShort(t)
	block := shellBlocks(t, filepath.Join(root, "README.md"))[0]
	first, _, _ := strings.Cut(block, "#")
	p := &process{t: t, cmd: exec.Command("sh", "-c", "exec "+first), ended: make(chan struct{})}
	p.cmd.Dir = root
	p.cmd.Env = append(os.Environ(), "PORT=0", "ADMIN=127.0.0.1:0", "FANFARE_HISTORY=memory")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal sends Ctrl-C to all of them
	p.run()
	p.url = p.printed(`(?m)^chat:\s+(https?://\S+)/$`)
	get(t, p.url+"/").want(t, 200, "<title>")
	s := dialWebSocket(t, p.url)
	s.emit("chatMessage", "hello")
	s.expect(`42["reply","hello"`)
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.wait()
	if !strings.Contains(p.log.String(), "msg=stopped") {
		t.Error("it does not say that it stopped")
	}
}

// The commands for production, in a folder of their own; what is built is the program under test.
func TestTheReadmesCommands(t *testing.T) {
	notShort(t)
	block := shellBlocks(t, filepath.Join(root, "README.md"))[1]
	build, rest, _ := strings.Cut(block, "\n")
	if build != "go build -o fanfare ./cmd/chat" {
		t.Fatalf("the block begins with %q", build)
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "fanfare")); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-ec", rest)
	c.Dir, c.Env = dir, []string{"PATH=" + os.Getenv("PATH")}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"the configuration is valid", "linux/"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in what it printed:\n%s", want, out)
		}
	}
	if file := read(t, filepath.Join(dir, "fanfare.yaml")); !strings.Contains(string(file), "# port: 3000") {
		t.Errorf("the file is\n%s", file)
	}
}

// The options of the page on limits are such that a server would start with them.
func TestTheExamplesOfLimitsAreOptions(t *testing.T) {
	notShort(t)
	blocks := shellBlocks(t, filepath.Join(root, "docs", "limits.md"))
	for line := range strings.Lines(strings.Join(blocks, "")) {
		options, _, _ := strings.Cut(strings.TrimPrefix(line, "fanfare"), "#")
		code, out, log := fail(t, command{args: append([]string{"check"}, strings.Fields(options)...)})
		if code != 0 || !strings.Contains(out, "valid") {
			t.Errorf("%s: exit code %d\n%s", line, code, log)
		}
	}
}
