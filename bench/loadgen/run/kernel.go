package run

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// kernelMemory is what the kernel uses for its objects and for TCP buffers, in
// bytes, on the whole machine: the difference that connections make is theirs as
// far as nobody else opens or closes any.
func kernelMemory() (int64, error) {
	slab, err := procNumber("/proc/meminfo", "Slab:", 1)
	if err != nil {
		return 0, err
	}
	pages, err := procNumber("/proc/net/sockstat", "TCP:", tcpMemField)
	if err != nil {
		return 0, err
	}
	return slab<<10 + pages*int64(os.Getpagesize()), nil
}

// tcpMemField is the place of the number of pages in the line
// "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 1".
const tcpMemField = 10

// procNumber is the field of a line that begins with name.
func procNumber(file, name string, field int) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("loadgen: kernel memory: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > field && f[0] == name {
			return strconv.ParseInt(f[field], 10, 64)
		}
	}
	return 0, fmt.Errorf("loadgen: no %s in %s", name, file)
}
