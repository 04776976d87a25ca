package report

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticksPerSecond is USER_HZ, which Linux has fixed at 100 on every platform Go
// runs on.
const ticksPerSecond = 100

// Process is a process whose use of the machine is asked for, from /proc.
type Process int

// CPU is the user and system time the process has used, all threads, in seconds.
// Exact to 10 ms.
func (p Process) CPU() (user, system float64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, 0, err
	}
	_, rest, ok := strings.Cut(string(b), ") ") // the name may hold anything
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, 0, fmt.Errorf("report: /proc/%d/stat: %q", p, b)
	}
	u, err1 := strconv.ParseUint(f[11], 10, 64)
	s, err2 := strconv.ParseUint(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("report: /proc/%d/stat: %q", p, b)
	}
	return float64(u) / ticksPerSecond, float64(s) / ticksPerSecond, nil
}

// Scheduled is the CPU time of all threads that are alive, in seconds, exact to
// nanoseconds (schedstat); it does not tell user from system.
func (p Process) Scheduled() (float64, error) {
	dir := fmt.Sprintf("/proc/%d/task", p)
	threads, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	total := uint64(0)
	for _, t := range threads {
		b, err := os.ReadFile(dir + "/" + t.Name() + "/schedstat")
		if err != nil {
			continue // it ended meanwhile
		}
		first, _, _ := strings.Cut(string(b), " ")
		ns, err := strconv.ParseUint(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("report: schedstat: %q", b)
		}
		total += ns
	}
	return float64(total) / 1e9, nil
}

// RSS is the resident memory, in bytes.
func (p Process) RSS() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, fmt.Errorf("report: /proc/%d/statm: %q", p, b)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
