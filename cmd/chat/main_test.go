package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// program is the path of the binary under test.
var program string

// TestMain builds the program once, as its users do, and with the race detector
// where the tests have it.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "chat")
	if err == nil {
		err = build(folder)
	}
	if err != nil {
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

func build(folder string) error {
	program = filepath.Join(folder, "chat")
	args := []string{"build", "-o", program}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return nil
}

// notShort leaves out what is long where tests are to be short: other programs' share in
// these is greater than ours.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("with -short this is left out")
	}
}
