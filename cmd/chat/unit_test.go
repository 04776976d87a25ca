package main_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestTheUnitIsWhatSystemdReads(t *testing.T) {
	analyze := packaged(t, "systemd-analyze", "systemd")
	unit := recipe(t, "fanfare.service", "/usr/local/bin/fanfare", program)
	if out := prints(t, exec.Command(analyze, "verify", "--man=no", unit)); strings.Contains(out, "fanfare.service") {
		t.Errorf("systemd-analyze says\n%s", out)
	}
	// 0 is safe, 10 is not: of a service without any of it 9.6.
	out := prints(t, exec.Command(analyze, "security", "--offline=true", "--no-pager", unit))
	level := regexp.MustCompile(`Overall exposure level[^:]*: ([0-9.]+)`).FindStringSubmatch(out)
	if level == nil {
		t.Fatalf("systemd-analyze says\n%s", out)
	}
	if exposed, err := strconv.ParseFloat(level[1], 64); err != nil || exposed > 2 {
		t.Errorf("exposure level %s, want 2 at most\n%s", level[1], out)
	}
	wrong := recipe(t, "fanfare.service", "TimeoutStopSec=90", "TimeoutStop=90", "ProtectHome=yes", "ProtectHome=perhaps")
	if said, _ := exec.Command(analyze, "verify", "--man=no", wrong).CombinedOutput(); !strings.Contains(string(said), "TimeoutStop") {
		t.Errorf("a unit with mistakes is taken: %s", said)
	}
}

// What the unit calls is there, with the file that it names, and it has the time to stop.
func TestTheUnitCallsWhatThereIs(t *testing.T) {
	unit := string(read(t, filepath.Join(deploy, "fanfare.service")))
	file := filepath.Join(deploy, "fanfare.yaml")
	for _, line := range regexp.MustCompile(`(?m)^Exec\w+=/usr/local/bin/fanfare(.*)$`).FindAllStringSubmatch(unit, -1) {
		if args := strings.Fields(line[1]); len(args) > 0 {
			code, _, log := fail(t, command{args: args, env: []string{"FANFARE_CONFIG=" + file, "STATE_DIRECTORY=" + t.TempDir()}})
			if code != 0 {
				t.Errorf("%v: exit code %d, %s", args, code, log)
			}
		}
	}
	has := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(unit)
	_, out, _ := fail(t, command{args: []string{"print-config"}})
	takes := 5 // the longest --drain-delay that it chooses itself
	for _, option := range []string{"drain-over", "shutdown-timeout"} {
		of := regexp.MustCompile(option + `: (\d+m)?(\d+)s`).FindStringSubmatch(out)
		if of == nil {
			t.Fatalf("no %s in\n%s", option, out)
		}
		minutes, _ := strconv.Atoi(strings.TrimSuffix(of[1], "m"))
		seconds, _ := strconv.Atoi(of[2])
		takes += 60*minutes + seconds
	}
	if seconds, _ := strconv.Atoi(has[1]); seconds <= takes {
		t.Errorf("it has %d s to stop, and takes up to %d", seconds, takes)
	}
}
