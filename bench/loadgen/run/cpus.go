package run

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxCPU is the highest number that a unix.CPUSet has room for.
const maxCPU = 1023

// parseCPUs reads a list such as 1 or 2,4-7; nil for an empty one.
func parseCPUs(list string) ([]int, error) {
	if list == "" {
		return nil, nil
	}
	var all []int
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || a < 0 || b < a || b > maxCPU {
			return nil, fmt.Errorf("loadgen: --cpus %q: give numbers and ranges, such as 1 or 2,4-7", list)
		}
		for ; a <= b; a++ {
			all = append(all, a)
		}
	}
	return all, nil
}

// pin keeps this process, all threads it has and whatever it will start, on CPUs.
func pin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("loadgen: --cpus: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH {
			return fmt.Errorf("loadgen: cannot run on CPUs %v: %w", cpus, err)
		}
	}
	return nil
}

// allowedCPUs is how many CPUs this process may use.
func allowedCPUs() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 1
	}
	return set.Count()
}

// urgent puts the calling thread before all others, where that is permitted: the
// bystander shall measure the server, not how long the load clients keep the CPU.
func urgent() {
	const lowestPriority, highestNice = 1, -20
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: lowestPriority}
	if unix.SchedSetAttr(0, &attr, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, highestNice)
	}
}
