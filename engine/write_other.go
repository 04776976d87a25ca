//go:build !linux

package engine

import (
	"errors"

	"golang.org/x/sys/unix"
)

// writeNow writes what the kernel takes of b at once. n is that many bytes, 0
// when it takes none; ok is false when the connection is broken.
func writeNow(fd int, b []byte) (n int, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	for {
		n, err := unix.Write(fd, b)
		switch {
		case err == nil:
			return n, true
		case errors.Is(err, unix.EAGAIN):
			return 0, true
		case !errors.Is(err, unix.EINTR):
			return 0, false
		}
	}
}
