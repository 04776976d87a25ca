package report

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// ThisMachine describes where the program runs, and the commit of the source it is
// run from; what cannot be found out stays empty.
func ThisMachine() Machine {
	return Machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(),
		OS: osRelease(), Go: runtime.Version(), Commit: commit(),
	}
}

func field(file, name string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func osRelease() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(runtime.GOOS + " " + string(b))
}

func commit() string {
	short, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	name := strings.TrimSpace(string(short))
	if status, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(bytes.TrimSpace(status)) > 0 {
		name += "+"
	}
	return name
}
