package k6

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	version  = "v1.8.1"        // of k6; README.md names it too
	patience = 3 * time.Minute // what one run may take at most
)

// Exit codes of k6 (its errext/exitcodes).
const (
	thresholdsFailed = 99
	scriptException  = 107
	scriptAborted    = 108
)

// k6 is the program, built once.
var k6 = sync.OnceValues(func() (string, error) { return build("go.k6.io/k6@" + version) })

// folder is where programs are built.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "k6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m,
		goleak.Cleanup(func(code int) {
			_ = os.RemoveAll(folder)
			os.Exit(code)
		}),
		// The global pool of a dependency begins and never ends with the program.
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
	)
}

// build installs a program and returns its path.
func build(pkg string) (string, error) {
	c := exec.Command("go", "install", pkg)
	c.Env = append(os.Environ(), "GOBIN="+folder, "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("k6: building %s: %w\n%s", pkg, err, out)
	}
	name, _, _ := strings.Cut(filepath.Base(pkg), "@")
	return filepath.Join(folder, name), nil
}

// requireK6 skips the test unless it was asked for: k6 takes minutes to build for
// the first time, and its runs want the machine for themselves.
func requireK6(t *testing.T) string {
	t.Helper()
	if os.Getenv("K6") != "1" {
		t.Skip("needs k6, which it builds, and a machine with nothing else to do: set K6=1")
	}
	program, err := k6()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// outcome is how a run of k6 ended.
type outcome struct {
	code int
	log  string
}

// run runs one script as a smoke test against the server, with more variables
// given as NAME=VALUE.
func run(t *testing.T, script, url string, variables ...string) outcome {
	t.Helper()
	program := requireK6(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, program, "run", "--quiet", "--no-usage-report", "--no-color", "--address=", script)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SMOKE=1", "URL=" + url}, variables...)
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	began := time.Now()
	err := c.Run()
	if ended := new(exec.ExitError); err != nil && !errors.As(err, &ended) || ctx.Err() != nil {
		t.Fatalf("k6 run %s: %v\n%s", script, errors.Join(err, ctx.Err()), &log)
	}
	t.Logf("%s took %v", script, time.Since(began).Round(time.Second))
	return outcome{c.ProcessState.ExitCode(), log.String()}
}
