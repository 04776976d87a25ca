package main_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The service manager is told when clients may come, that the program is alive, and how
// far its end has come.
func TestTheServiceManagerIsToldOfEveryStep(t *testing.T) {
	folder, err := os.MkdirTemp("", "notify") // a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "socket")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() })
	if err := manager.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var told []string
	await := func(line string) {
		t.Helper()
		for b := make([]byte, 4096); !slices.ContainsFunc(told, func(l string) bool { return strings.HasPrefix(l, line) }); {
			n, err := manager.Read(b)
			if err != nil {
				t.Fatalf("waiting for %s: %v; told %q", line, err, told)
			}
			told = append(told, strings.Split(string(b[:n]), "\n")...)
		}
	}

	c := anywhere("--drain-delay=0s", "--drain-rate=1")
	c.env = []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=200000"}
	p := start(t, c)
	await("READY=1")
	await("STATUS=Serving on ")
	await("WATCHDOG=1")
	told = nil
	p.signal(syscall.SIGHUP)
	await("RELOADING=1")
	await("MONOTONIC_USEC=")
	await("READY=1")
	s := dialWebSocket(t, p.url)
	p.signal(syscall.SIGTERM)
	await("STOPPING=1")
	p.signal(syscall.SIGHUP)              // is not the end of what ends properly
	await("EXTEND_TIMEOUT_USEC=75000000") // 60 s for the clients, 10 for the rest, 5 more
	await("STATUS=Draining: 1 clients left")
	requireCleanClose(t, s)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestASocketOfTheServiceManagerThatIsNotThereSaysSo(t *testing.T) {
	c := anywhere()
	c.env = []string{"NOTIFY_SOCKET=" + filepath.Join(t.TempDir(), "gone")}
	code, _, log := fail(t, c)
	requireAdvice(t, code, 1, log, "NOTIFY_SOCKET")
}
