package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// mainVariable marks a process that is to be the program rather than its test.
const mainVariable = "FANFARE_LOADGEN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestMistakesAreOneLineAndAnExitCode(t *testing.T) {
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"", "--url", exitUsage},
		{"dance --url ws://127.0.0.1:1", "dance", exitUsage},
		{"broadcast --url ws://127.0.0.1:1 --colour red", "--colour", exitUsage},
		{"broadcast --url 127.0.0.1", "ws://ADDRESS:PORT", exitUsage},
		{"slow --url ws://127.0.0.1:1 --slow many", "many", exitUsage},
		{"broadcast --url ws://127.0.0.1:1", "connection refused", exitFailed},
	} {
		cmd := exec.Command(os.Args[0], strings.Fields(c.args)...)
		cmd.Env = append(os.Environ(), mainVariable+"=1")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != c.code {
			t.Errorf("%q: %v, want exit code %d", c.args, err, c.code)
		}
		line, ended := strings.CutSuffix(stderr.String(), "\n")
		if len(out) > 0 || !ended || strings.Contains(line, "\n") || !strings.HasPrefix(line, "loadgen: ") || !strings.Contains(line, c.want) {
			t.Errorf("%q: %q and %q, want one line with %q", c.args, out, line, c.want)
		}
	}
}

func TestFlagsBecomeAPlan(t *testing.T) {
	p, err := parse(strings.Fields("slow --url ws://127.0.0.1:1,ws://127.0.0.1:2 --url ws://127.0.0.1:3 --connections 40000 " +
		"--slow 2% --poll-interval 0 --server-pid 7,8 --dialect raw"))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.URL) != 3 || p.Processes != 3 || p.Slow.Of(p.Connections) != 800 || p.PollInterval != 0 || p.Rate != 10 ||
		p.Duration != 5*time.Second || len(p.ServerPID) != 2 || p.ServerName != "raw" || !strings.HasPrefix(p.Command, "loadgen slow --url") {
		t.Errorf("%+v", p)
	}
}
