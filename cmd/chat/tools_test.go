package main_test

import (
	"os"
	"os/exec"
	"testing"
)

// packaged finds a program that Debian has in the package of that name. Without it the
// test is skipped, and fails where everything has to be there.
func packaged(t *testing.T, name, in string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if path, err = exec.LookPath("/usr/sbin/" + name); err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed (Debian's package %s)", name, in)
	}
	t.Skipf("%s is not installed (Debian's package %s)", name, in)
	return ""
}

// prints runs a program to its end, which has to be a good one, and returns what it wrote.
func prints(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}
