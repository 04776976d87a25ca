package fleet

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootOffset is what has to be added to the time since start, which is read without
// a system call, to have the kernel's monotonic clock, which all processes share.
var start, bootOffset = anchor()

func anchor() (time.Time, time.Duration) {
	var ts unix.Timespec
	now := time.Now()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("loadgen: no monotonic clock: " + err.Error())
	}
	return now, time.Duration(ts.Nano())
}

// Now is the kernel's monotonic clock; safe for concurrent use.
func Now() time.Duration { return bootOffset + time.Since(start) }
