package redistest

import "syscall"

// dieWithParent has a process killed when the thread that has started it ends, so that
// none is left of a test that panics.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
