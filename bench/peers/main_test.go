package main

import (
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

var programs *build // of every peer that this machine can run

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

// testMain compiles everything once, as a run does.
func testMain(m *testing.M) int {
	peers := everyone
	if _, err := exec.LookPath("node"); err != nil && os.Getenv("CI") == "" {
		peers = withoutNode(peers)
	}
	var err error
	if programs, err = newBuild(".", peers); err != nil {
		println(err.Error())
		return 1
	}
	defer programs.remove()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		return 1
	}
	return code
}
