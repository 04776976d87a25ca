package k6

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSmoke runs every script against the chat server, one after the other.
func TestSmoke(t *testing.T) {
	requireK6(t)
	scripts := scripts(t)
	if len(scripts) < 6 {
		t.Fatalf("found only %q", scripts)
	}
	url := startChat(t)
	for _, script := range scripts {
		t.Run(script, func(t *testing.T) {
			if o := run(t, script, url); o.code != 0 {
				t.Errorf("exit code %d\n%s", o.code, o.log)
			}
		})
	}
}

// scripts lists what k6 can run: the rest of the JavaScript has no options.
func scripts(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "export const options") {
			names = append(names, name)
		}
	}
	return names
}

// startChat builds and runs the chat server until the test ends, and returns its URL.
func startChat(t *testing.T) string {
	t.Helper()
	program, err := build("github.com/fanfare-go/fanfare/cmd/chat")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "--port=0", "--admin=off")
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt) // a graceful end
		if err := c.Wait(); err != nil {
			t.Errorf("the chat server: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the chat server printed %q: %v", line, err)
	}
	return strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(line, "chat:")), "/")
}
