//go:build !linux

package systemd

import "time"

// monotonic is for the tests only: there is no systemd elsewhere.
func monotonic() time.Duration { return time.Duration(time.Now().UnixNano()) }
